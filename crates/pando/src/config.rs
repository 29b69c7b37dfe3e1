//! The configuration of the whole program: the tables of all crates.

use pando_balancer::BalancerConfig;
use pando_runtime::config::{
    DatabaseConfig, DrainConfig, Layers, LogConfig, Origins, Problems, Sources, StoreConfig,
    TableView, WebConfig,
};
use pando_store::{Database, StoreOptions};

/// Every setting, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    pub web: WebConfig,
    pub store: StoreConfig,
    pub database: DatabaseConfig,
    pub balancer: BalancerConfig,
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
            ..StoreOptions::default()
        };
        if *readers > 0 {
            options.readers = count(*readers);
        }
        options
    }

    /// Where the records live if not in the data directory.
    fn database(&self) -> Option<Database> {
        let url = &self.database.url;
        (!url.is_empty()).then(|| Database { url: url.reveal().to_owned() })
    }

    /// The tables in the order of the reference page.
    pub(crate) fn tables(&self) -> [TableView; 6] {
        [
            TableView::of(&self.web),
            TableView::of(&self.store),
            TableView::of(&self.database),
            TableView::of(&self.balancer),
            TableView::of(&self.log),
            TableView::of(&self.drain),
        ]
    }
}

#[cfg(test)]
mod tests;
