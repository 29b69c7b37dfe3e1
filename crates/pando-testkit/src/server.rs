//! Starts, measures and stops a real server: PocketBase (the oracle) or Pando.
//!
//! *Invariant*: a server that a test started is gone when its `Server` is dropped.

mod binary;
mod program;

pub(crate) use binary::find_program;
pub use binary::{Product, find_binary};
pub use program::Program;

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http::{HttpClient, Request};
use crate::process::{self, Signal};
use crate::wait::wait_for;

const START_DEADLINE: Duration = Duration::from_secs(30);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// Another process can take the free port between our look and the server's bind.
const PORT_ATTEMPTS_MAX: usize = 5;

/// A running server process.
#[derive(Debug)]
pub struct Server {
    product: Product,
    child: Child,
    addr: SocketAddr,
    dir: PathBuf,
    start_time: Duration,
}

impl Server {
    /// Starts the product's binary on a data directory and waits until `/api/health` answers.
    ///
    /// Static files are looked for in `DIR-public` beside it; what the server prints goes to
    /// `DIR.log` beside it.
    pub fn start(product: Product, dir: &Path) -> Result<Self> {
        Self::launch(&Program::find(product)?, dir)
    }

    /// The same with a binary of the caller's choice.
    pub fn start_binary(product: Product, binary: &Path, dir: &Path) -> Result<Self> {
        Self::launch(&Program::new(product, binary), dir)
    }

    /// The same with a program that was set up before.
    pub fn launch(program: &Program, dir: &Path) -> Result<Self> {
        let mut failure = None;
        for _ in 0..PORT_ATTEMPTS_MAX {
            match Self::try_start(program, dir) {
                Ok(server) => return Ok(server),
                Err(error) => failure = Some(error),
            }
            let log = fs::read_to_string(log_path(dir)).unwrap_or_default();
            if !log.contains("address already in use") {
                break;
            }
        }
        Err(failure.context("no attempt was made")?)
    }

    fn try_start(program: &Program, dir: &Path) -> Result<Self> {
        Self::launch_at(program, dir, free_addr()?)
    }

    /// The same at an address of the caller's choice.
    pub fn launch_at(program: &Program, dir: &Path, addr: SocketAddr) -> Result<Self> {
        let log = File::create(log_path(dir)).context("failed to create the server's log")?;
        let begun = Instant::now();
        let child = program
            .command()
            .arg("serve")
            // Else PocketBase writes files beside its directory and reads them at the next start.
            .arg("--automigrate=false")
            .args(["--http", &addr.to_string()])
            .arg("--dir")
            .arg(dir)
            .arg("--publicDir")
            .arg(program.public_dir(dir))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("failed to start {}", program.binary().display()))?;
        let (product, dir) = (program.product(), dir.to_owned());
        let mut server = Self { product, child, addr, dir, start_time: Duration::ZERO };
        server.wait_until_healthy()?;
        server.start_time = begun.elapsed();
        Ok(server)
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let addr = self.addr;
        let started = wait_for("a healthy answer", START_DEADLINE, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server stopped at once ({status})");
            }
            let mut client = HttpClient::new(addr).with_timeout(Duration::from_secs(5));
            let response = client.send(&Request::get("/api/health"));
            Ok(response.is_ok_and(|response| response.status == 200).then_some(()))
        });
        let log = log_path(&self.dir);
        started.with_context(|| {
            let text = fs::read_to_string(&log).unwrap_or_default();
            format!("{} did not start; it printed:\n{text}", self.product.name())
        })
    }

    pub fn product(&self) -> Product {
        self.product
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// From the start of the process to the first healthy answer.
    pub fn start_time(&self) -> Duration {
        self.start_time
    }

    /// A new client of this server.
    pub fn client(&self) -> HttpClient {
        HttpClient::new(self.addr)
    }

    /// What the server has printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(log_path(&self.dir)).unwrap_or_default()
    }

    /// CPU time (user and system) of the whole process since its start.
    pub fn cpu_time(&self) -> Result<Duration> {
        process::cpu_time(self.pid())
    }

    /// Resident memory in bytes.
    pub fn rss_bytes(&self) -> Result<u64> {
        process::rss_bytes(self.pid())
    }

    /// The highest resident memory since the start, in bytes.
    pub fn rss_peak_bytes(&self) -> Result<u64> {
        process::rss_peak_bytes(self.pid())
    }

    /// Whether the process still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the server to stop (SIGTERM) and waits for its end.
    pub fn stop(&mut self) -> Result<()> {
        process::signal(Signal::TERM, &[self.pid()])?;
        wait_for("the server's end after SIGTERM", STOP_DEADLINE, || Ok(self.child.try_wait()?))?;
        Ok(())
    }

    /// Stops the process (SIGSTOP) until [`Server::thaw`]: its connections stay open.
    pub fn freeze(&self) -> Result<()> {
        process::freeze(&[self.pid()])
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) -> Result<()> {
        process::signal(process::Signal::CONT, &[self.pid()])
    }

    /// Ends the server at once (SIGKILL), as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().context("failed to kill the server")?;
        self.child.wait().context("failed to wait for the killed server")?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already stopped is fine; nothing else can be done about a failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Creates or updates a superuser through the product's command line; the server may be stopped.
pub fn upsert_superuser(product: Product, dir: &Path, email: &str, password: &str) -> Result<()> {
    Program::find(product)?.upsert_superuser(dir, email, password)
}

/// Where the server looks for static files when its data directory is `dir`.
pub fn public_dir(dir: &Path) -> PathBuf {
    beside(dir, "-public")
}

fn log_path(dir: &Path) -> PathBuf {
    beside(dir, ".log")
}

fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn free_addr() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a free port")?;
    Ok(listener.local_addr()?)
}
