//! How a server for tests is set up.

/// What a server is told. By default it never syncs, and listens on its socket only.
#[derive(Clone, Debug, Default)]
pub struct PostgresSetup {
    pub(super) synced: bool,
    pub(super) tcp: bool,
    pub(super) settings: Vec<String>,
}

impl PostgresSetup {
    /// Commits are synced to disk, as everywhere but in tests.
    pub fn synced(mut self) -> Self {
        self.synced = true;
        self
    }

    /// Listens on a free port of the loopback address too.
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// One more line of its configuration, such as `max_connections=10`.
    pub fn setting(mut self, line: impl Into<String>) -> Self {
        self.settings.push(line.into());
        self
    }
}
