//! A real PostgreSQL for tests: one server for all tests of a process, a database for each; or
//! servers of one's own, which can be stopped, frozen and measured.
//!
//! A server listens on a socket in a directory of its own. It ends when the last test lets go of
//! it, and also when the process dies: a shell waits for that at a pipe.

mod cluster;
mod setup;

pub use setup::PostgresSetup;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::Result;

use crate::http::encode;
use cluster::Cluster;
use pando_lab::postgres::USER;
use pando_lab::{run, run_with_input};

static RUNNING: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

/// A server. Roles but the superuser of [`Postgres::url`] must give their password.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    databases: AtomicU32,
}

impl Postgres {
    /// The server of this process, started if there is none. It orders texts by the rules of a
    /// language, as most servers do, so that a statement that relies on that is found.
    pub fn start() -> Result<Arc<Postgres>> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = running.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Postgres::own(PostgresSetup::default())?);
        *running = Arc::downgrade(&server);
        Ok(server)
    }

    /// A server for the caller alone.
    pub fn own(setup: PostgresSetup) -> Result<Postgres> {
        Ok(Postgres { cluster: Cluster::start(setup)?, databases: AtomicU32::new(0) })
    }

    /// A new, empty database: how to connect to it, in libpq's form.
    pub fn database(&self) -> Result<String> {
        let name = self.new_database()?;
        let (host, port) = (self.socket_dir().display(), self.cluster.port());
        Ok(format!("host={host} port={port} user={USER} dbname={name}"))
    }

    /// A new, empty database: its name.
    pub fn new_database(&self) -> Result<String> {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut create = self.client("createdb");
        run(create.arg(&name))?;
        Ok(name)
    }

    /// How the superuser connects to a database through the socket.
    pub fn url(&self, database: &str) -> String {
        self.url_through(self.socket_dir(), USER, database)
    }

    /// The same for another role; the password stands in the URL.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        let user = format!("{}:{}", encode(role), encode(password));
        self.url_through(self.socket_dir(), &user, database)
    }

    /// How the superuser connects if a socket of the same name in `dir` leads to the server.
    pub fn url_by_way_of(&self, dir: &Path, database: &str) -> String {
        self.url_through(dir, USER, database)
    }

    /// How the superuser connects over TCP, if the setup has a port.
    pub fn tcp_url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{}", self.cluster.port(), encode(database))
    }

    fn url_through(&self, dir: &Path, user: &str, database: &str) -> String {
        let host = encode(&dir.to_string_lossy());
        format!("postgres://{user}@{host}:{}/{}", self.cluster.port(), encode(database))
    }

    /// Where the socket is.
    pub fn socket_dir(&self) -> &Path {
        self.cluster.dir()
    }

    /// The socket itself.
    pub fn socket(&self) -> PathBuf {
        self.socket_dir().join(format!(".s.PGSQL.{}", self.cluster.port()))
    }

    /// Runs statements as superuser; gives the rows as text, a line each, columns parted by `|`.
    pub fn sql(&self, database: &str, text: &str) -> Result<String> {
        let mut psql = self.client("psql");
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--dbname", database, "--command", text]);
        Ok(run(&mut psql)?.trim_end().to_owned())
    }

    /// The same for a script, which may hold rows for `COPY … FROM STDIN`.
    pub fn script(&self, database: &str, text: &str) -> Result<()> {
        let mut psql = self.client("psql");
        psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction"]);
        psql.args(["--dbname", database, "--file", "-"]);
        run_with_input(&mut psql, text)
    }

    /// One of PostgreSQL's client programs, told where the server is.
    pub fn client(&self, program: &str) -> std::process::Command {
        self.cluster.client(program)
    }

    /// CPU time of the whole server since its start, user and system.
    pub fn cpu_time(&self) -> Result<Duration> {
        self.cluster.cpu_time()
    }

    /// Ends the server as its operator would: open transactions are rolled back, data are written.
    pub fn stop(&mut self) -> Result<()> {
        self.cluster.stop()
    }

    /// Ends the server as a crash would.
    pub fn crash(&mut self) {
        self.cluster.crash();
    }

    /// Starts the server again at the same place with the same data.
    pub fn start_again(&mut self) -> Result<()> {
        self.cluster.launch()
    }

    /// Holds all of the server's processes up: it takes connections and answers nothing.
    pub fn freeze(&mut self) -> Result<()> {
        self.cluster.freeze()
    }

    /// Ends a freeze.
    pub fn thaw(&mut self) -> Result<()> {
        self.cluster.thaw()
    }
}

#[cfg(test)]
mod tests;
