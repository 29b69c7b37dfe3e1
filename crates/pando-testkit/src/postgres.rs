//! A real PostgreSQL for tests: one server for all tests of a process, a database for each.
//!
//! The server listens on a socket in a directory of its own and never syncs. It ends when the
//! last test lets go of it, and also when the process dies: a shell waits for that at a pipe.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::wait_for;

/// The oldest release that will do.
const VERSION_MIN: u32 = 15;

/// Where Debian keeps the programs of each release.
const RELEASES: &str = "/usr/lib/postgresql";

/// PostgreSQL refuses to run as root.
const USER: &str = "postgres";

const START_WITHIN: Duration = Duration::from_secs(30);

/// Runs the server `$1 $2…` until nothing can come from the pipe any more.
const GUARD: &str = "\"$@\" & cat > /dev/null; kill -INT $!; wait";

static RUNNING: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    guard: Child,
    programs: PathBuf,
    dir: TempDir,
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
        let server = Arc::new(Postgres::launch()?);
        *running = Arc::downgrade(&server);
        Ok(server)
    }

    fn launch() -> Result<Postgres> {
        let programs = programs()?;
        let dir = TempDir::new().context("failed to make a directory for PostgreSQL")?;
        if root() {
            run(Command::new("chown").arg(USER).arg(dir.path()))?;
        }
        let data = dir.path().join("data");
        let mut init = as_user(&programs.join("initdb"));
        init.arg("--pgdata").arg(&data);
        init.args(["--username", USER, "--auth=trust", "--encoding=UTF8", "--no-sync"]);
        init.args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]);
        run(&mut init)?;
        let mut guard = as_user(Path::new("sh"));
        guard.args(["-c", GUARD, "sh"]).arg(programs.join("postgres"));
        guard.arg("-D").arg(&data).arg("-k").arg(dir.path());
        for setting in
            ["listen_addresses=", "fsync=off", "full_page_writes=off", "log_destination=stderr"]
        {
            guard.args(["-c", setting]);
        }
        let log = fs::File::create(dir.path().join("log"))?;
        let guard = guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn();
        let guard = guard.context("failed to start PostgreSQL")?;
        let server = Postgres { guard, programs, dir, databases: AtomicU32::new(0) };
        wait_for("the start of PostgreSQL", START_WITHIN, || {
            let mut ready = Command::new(server.programs.join("pg_isready"));
            let ready = ready.arg("-h").arg(server.dir.path()).stdout(Stdio::null()).status()?;
            Ok(ready.success().then_some(()))
        })
        .with_context(|| fs::read_to_string(server.dir.path().join("log")).unwrap_or_default())?;
        Ok(server)
    }

    /// A new, empty database: how to connect to it, in libpq's form.
    pub fn database(&self) -> Result<String> {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let host = self.dir.path().display().to_string();
        let mut create = Command::new(self.programs.join("createdb"));
        run(create.args(["--host", &host, "--username", USER, &name]))?;
        Ok(format!("host={host} user={USER} dbname={name}"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The end of the pipe tells the shell to end the server.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A command that runs as the user that PostgreSQL may run as.
fn as_user(program: &Path) -> Command {
    if !root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", USER, "--"]).arg(program);
    command
}

fn run(command: &mut Command) -> Result<()> {
    // Directories of root are closed to the user of the server.
    let output = command.current_dir("/").output();
    let output = output.with_context(|| format!("failed to run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Where the programs of the newest release are.
fn programs() -> Result<PathBuf> {
    let mut newest: Option<(u32, PathBuf)> = None;
    for entry in fs::read_dir(RELEASES).into_iter().flatten() {
        let entry = entry?;
        let version = entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0);
        let programs = entry.path().join("bin");
        if programs.join("initdb").exists() && newest.as_ref().is_none_or(|best| best.0 < version) {
            newest = Some((version, programs));
        }
    }
    let (version, programs) = newest.context("no PostgreSQL: apt-get install postgresql")?;
    ensure!(version >= VERSION_MIN, "PostgreSQL {version} is too old for the tests");
    Ok(programs)
}
