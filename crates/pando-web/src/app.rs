//! What the handlers of one process share.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use pando_blob::{FolderBlob, Staging, ThumbLimits, Thumbs};
use pando_bus::Bus;
use pando_runtime::Lifecycle;
use pando_runtime::config::WebConfig;
use pando_store::Store;

use crate::files::Files;
use crate::mail::Mailer;
use crate::realtime::Hub;
use crate::resources::auth::{LoginLimits, delete_expired_hourly};
use crate::resources::files::tidy_hourly;
use crate::resources::settings::warn_unbuilt;
use crate::server::Front;

/// Everything a handler may need; made once, then only read.
pub struct App {
    pub(crate) config: WebConfig,
    pub(crate) store: Store,
    /// To the other servers on the same database, and from them.
    pub(crate) bus: Bus,
    pub(crate) files: Files,
    pub(crate) staging: Staging,
    pub(crate) thumbs: Thumbs,
    pub(crate) realtime: Hub,
    pub(crate) mailer: Mailer,
    pub(crate) login_limits: LoginLimits,
    pub(crate) life: Lifecycle,
    /// What stands before the handlers: limits, figures, the static site.
    pub(crate) front: Front,
}

/// An application that requests share.
pub type SharedApp = Arc<App>;

impl App {
    /// An application on `store`, whose files lie in the folder `files_dir`, with the tasks that
    /// serve no single request.
    pub fn new(
        config: WebConfig,
        store: Store,
        bus: Bus,
        files_dir: &Path,
        life: Lifecycle,
    ) -> anyhow::Result<SharedApp> {
        let opened = FolderBlob::open(files_dir);
        let folder = opened.context("failed to open the files\nhint: see files.dir")?;
        let staging = folder.staging();
        let shown_dir = files_dir.display().to_string();
        let app = Arc::new(App {
            front: Front::new(&config, config.gzip),
            files: Files::new(folder.clone(), store.settings()),
            thumbs: Thumbs::new(ThumbLimits::default()),
            realtime: Hub::of(Arc::clone(store.server_id())),
            mailer: Mailer::default(),
            login_limits: LoginLimits::default(),
            config,
            store,
            bus,
            staging,
            life,
        });
        warn_unbuilt(None, &app.store.settings());
        let events = app.bus.watch();
        app.life.spawn("realtime", app.realtime.clone().run(Arc::clone(&app), events));
        app.life.spawn("expired logins", delete_expired_hourly(Arc::clone(&app)));
        app.life.spawn("files", tidy_hourly(Arc::clone(&app), folder, shown_dir));
        Ok(app)
    }
}
