//! The configuration of the whole program: the tables of all crates.

use std::path::{Path, PathBuf};

use pando_balancer::BalancerConfig;
use pando_bus::BusOptions;
use pando_runtime::config::{
    BusConfig, DatabaseConfig, DrainConfig, FilesConfig, Layers, LogConfig, Origins, Problems,
    Sources, StoreConfig, TableView, WebConfig,
};
use pando_store::{Database, StoreOptions};

/// Every setting, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    pub web: WebConfig,
    pub store: StoreConfig,
    pub database: DatabaseConfig,
    pub balancer: BalancerConfig,
    pub bus: BusConfig,
    pub files: FilesConfig,
    pub log: LogConfig,
    pub drain: DrainConfig,
    pub origins: Origins,
}

impl Config {
    /// Reads and checks everything. Fails with all problems at once.
    pub(crate) fn read(sources: &Sources) -> Result<Config, Problems> {
        let mut layers = Layers::read(sources);
        let mut config = Config {
            web: layers.table(),
            store: layers.table(),
            database: layers.table(),
            balancer: layers.table(),
            bus: layers.table(),
            files: layers.table(),
            log: layers.table(),
            drain: layers.table(),
            origins: Origins::default(),
        };
        config.store.read_encryption_env(&mut layers.problems, |name| sources.variable(name));
        config.origins = layers.finish()?;
        Ok(config)
    }

    /// What the store needs to know.
    pub(crate) fn store_options(&self) -> StoreOptions {
        let StoreConfig { dir, readers, read_wait_max, query_timeout, .. } = &self.store;
        let count = |setting: u32| usize::try_from(setting).unwrap_or(usize::MAX);
        let mut options = StoreOptions {
            dir: dir.into(),
            database: self.database(),
            connections: count(self.database.connections),
            encryption_key: Some(self.store.encryption_key.reveal().to_owned())
                .filter(|key| !key.is_empty()),
            write_queue_max: count(self.store.write_queue_max),
            group_max: count(self.store.group_max),
            read_wait_max: read_wait_max.duration(),
            query_timeout: query_timeout.duration(),
            hold_max: self.database.hold_timeout.duration(),
            ..StoreOptions::default()
        };
        if *readers > 0 {
            options.readers = count(*readers);
        }
        options
    }

    /// How this server speaks to others on the same database.
    pub(crate) fn bus_options(&self) -> BusOptions {
        BusOptions { nats: self.bus.nats_servers() }
    }

    /// The folder for uploaded files: by default PocketBase's, in the data directory.
    pub(crate) fn files_dir(&self) -> PathBuf {
        match self.files.dir.as_str() {
            "" => Path::new(&self.store.dir).join("storage"),
            dir => PathBuf::from(dir),
        }
    }

    /// Where the records live if not in the data directory.
    fn database(&self) -> Option<Database> {
        let url = &self.database.url;
        (!url.is_empty()).then(|| Database { url: url.reveal().to_owned() })
    }

    /// The tables in the order of the reference page.
    pub(crate) fn tables(&self) -> [TableView; 8] {
        [
            TableView::of(&self.web),
            TableView::of(&self.store),
            TableView::of(&self.database),
            TableView::of(&self.bus),
            TableView::of(&self.files),
            TableView::of(&self.balancer),
            TableView::of(&self.log),
            TableView::of(&self.drain),
        ]
    }
}

#[cfg(test)]
mod tests;
