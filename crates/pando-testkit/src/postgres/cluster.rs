//! The processes of one server and the directory that they work in.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::PostgresSetup;
use pando_lab::postgres::{Account, USER, programs};
use pando_lab::run;

use crate::process::{self, Signal};
use crate::wait_for;

const START_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// Runs the server `$1 $2…` until nothing can come from the pipe any more. It may be frozen then;
/// it ends frozen children of its own by itself.
const GUARD: &str = "\"$@\" & cat > /dev/null; kill -QUIT $!; kill -CONT $!; wait";

/// Who may connect how. The first line that fits counts.
const ACCESS: &str = "\
local all postgres trust
local all all scram-sha-256
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
";

/// A data directory and the server on it, which may be stopped.
#[derive(Debug)]
pub(super) struct Cluster {
    setup: PostgresSetup,
    programs: PathBuf,
    account: Account,
    port: u16,
    frozen: bool,
    /// The shell that ends the server when its pipe ends.
    guard: Option<Child>,
    dir: TempDir,
}

impl Cluster {
    /// Makes a data directory and starts the server.
    pub(super) fn start(setup: PostgresSetup) -> Result<Cluster> {
        let programs = programs()?;
        let dir = TempDir::new().context("failed to make a directory for PostgreSQL")?;
        // The directory itself is closed to others until it is given to them.
        let account = Account::for_dir(dir.path().parent().unwrap_or(dir.path()))?;
        account.own(dir.path())?;
        // It names the socket, too.
        let port = if setup.tcp { free_port()? } else { 5432 };
        let mut cluster =
            Cluster { setup, programs, account, port, frozen: false, guard: None, dir };
        let mut init = account.command(&cluster.programs.join("initdb"));
        init.arg("--pgdata").arg(cluster.data());
        init.args(["--username", USER, "--auth=trust", "--encoding=UTF8", "--no-sync"]);
        init.args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]);
        run(&mut init)?;
        fs::write(cluster.data().join("pg_hba.conf"), ACCESS).context("failed to set access up")?;
        cluster.launch()?;
        Ok(cluster)
    }

    /// Starts the server on the data directory.
    pub(super) fn launch(&mut self) -> Result<()> {
        let mut guard = self.account.command(Path::new("sh"));
        guard.args(["-c", GUARD, "sh"]).arg(self.programs.join("postgres"));
        guard.arg("-D").arg(self.data()).arg("-k").arg(self.dir()).args(["-c", "log_timezone=UTC"]);
        for setting in self.settings() {
            guard.args(["-c", &setting]);
        }
        let log = File::options().create(true).append(true).open(self.log())?;
        let guard = guard.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        self.guard = Some(guard.spawn().context("failed to start PostgreSQL")?);
        let ready = wait_for("the start of PostgreSQL", START_WITHIN, || {
            let mut ready = self.client("pg_isready");
            Ok(ready.stdout(Stdio::null()).status()?.success().then_some(()))
        });
        ready.with_context(|| fs::read_to_string(self.log()).unwrap_or_default())
    }

    fn settings(&self) -> Vec<String> {
        let mut settings = vec!["log_destination=stderr".to_owned(), format!("port={}", self.port)];
        let address = if self.setup.tcp { "127.0.0.1" } else { "" };
        settings.push(format!("listen_addresses={address}"));
        if !self.setup.synced {
            settings.extend(["fsync=off".to_owned(), "full_page_writes=off".to_owned()]);
        }
        settings.extend(self.setup.settings.iter().cloned());
        settings
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn data(&self) -> PathBuf {
        self.dir().join("data")
    }

    fn log(&self) -> PathBuf {
        self.dir().join("log")
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// One of the client programs, told where the server is.
    pub(super) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.env("PGHOST", self.dir()).env("PGPORT", self.port.to_string());
        command.env("PGUSER", USER);
        command
    }

    pub(super) fn cpu_time(&self) -> Result<Duration> {
        process::family_cpu_time(self.pid()?)
    }

    pub(super) fn stop(&mut self) -> Result<()> {
        self.thaw()?;
        process::signal(Signal::INT, &[self.pid()?])?;
        // The process itself stays, ended, until the shell looks after it.
        let file = self.pid_file();
        wait_for("the end of PostgreSQL", STOP_WITHIN, || Ok((!file.exists()).then_some(())))?;
        self.crash();
        Ok(())
    }

    /// The end of the pipe tells the shell to end the server at once.
    pub(super) fn crash(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
        self.frozen = false;
    }

    pub(super) fn freeze(&mut self) -> Result<()> {
        let pid = self.pid()?;
        self.frozen = true;
        // First the one that would start more of them.
        process::signal(Signal::STOP, &[pid])?;
        process::signal(Signal::STOP, &process::children(pid)?)
    }

    pub(super) fn thaw(&mut self) -> Result<()> {
        if self.frozen {
            let pid = self.pid()?;
            process::signal(Signal::CONT, &process::children(pid)?)?;
            process::signal(Signal::CONT, &[pid])?;
            self.frozen = false;
        }
        Ok(())
    }

    /// The process that all others are children of.
    fn pid(&self) -> Result<u32> {
        let text = fs::read_to_string(self.pid_file()).context("PostgreSQL does not run")?;
        let line = text.lines().next().unwrap_or_default();
        line.trim().parse().context("bad postmaster.pid")
    }

    fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // So that nobody waits for frozen children. Without the server there is nothing to do.
        let _ = self.thaw();
        self.crash();
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a free port")?;
    Ok(listener.local_addr()?.port())
}
