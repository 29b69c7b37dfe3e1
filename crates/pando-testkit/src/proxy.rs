//! Proxies in front of upstreams: Pando's balancer, and Debian's nginx and HAProxy beside it.
//!
//! *Invariant*: a proxy that a test started is gone when its `Proxy` is dropped.

mod config;

use std::fs::{self, File};
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::http::{HttpClient, Request};
use crate::process::{self, Signal};
use crate::wait::wait_for;

const START_DEADLINE: Duration = Duration::from_secs(30);
const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyProduct {
    Pando,
    Nginx,
    Haproxy,
}

impl ProxyProduct {
    pub const ALL: [ProxyProduct; 3] =
        [ProxyProduct::Pando, ProxyProduct::Nginx, ProxyProduct::Haproxy];

    pub fn name(self) -> &'static str {
        match self {
            ProxyProduct::Pando => "pando",
            ProxyProduct::Nginx => "nginx",
            ProxyProduct::Haproxy => "haproxy",
        }
    }

    /// What its program says of its version.
    pub fn version(self, pando: &Path) -> Result<String> {
        let (program, argument) = match self {
            ProxyProduct::Pando => (pando.to_owned(), "version"),
            ProxyProduct::Nginx => (find(self)?, "-v"),
            ProxyProduct::Haproxy => (find(self)?, "-v"),
        };
        let output = Command::new(program).arg(argument).output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned())
    }
}

/// How a proxy shares requests among upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    RoundRobin,
    LeastRequests,
    /// Pando's peak EWMA, nginx's and HAProxy's random choice of two.
    TwoChoices,
}

/// What a proxy is to do.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    pub upstreams: Vec<SocketAddr>,
    pub sharing: Sharing,
    /// Certificate chain and key: then it listens for TLS, too.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Pando listens for TLS with a certificate that it makes itself.
    pub self_signed: bool,
    /// Time-outs for clients and upstreams that do nothing, in seconds.
    pub patience_s: u32,
    /// Pando's further settings: `PANDO_BALANCER__…`.
    pub env: Vec<(String, String)>,
    pub workers: u32,
}

impl ProxyConfig {
    pub fn new(upstreams: &[SocketAddr]) -> Self {
        Self {
            upstreams: upstreams.to_vec(),
            sharing: Sharing::TwoChoices,
            tls: None,
            self_signed: false,
            patience_s: 60,
            env: Vec::new(),
            workers: 1,
        }
    }

    /// One more of Pando's settings, without the prefix: `check_path`.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.env.push((format!("PANDO_BALANCER__{}", key.to_uppercase()), value.to_owned()));
        self
    }
}

/// Where a proxy listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub http: SocketAddr,
    /// HTTP/2 without TLS.
    pub http2: SocketAddr,
    pub https: SocketAddr,
    /// Pando's admin listener.
    pub admin: SocketAddr,
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    product: ProxyProduct,
    child: Child,
    addresses: Addresses,
    config: ProxyConfig,
    pando: PathBuf,
    dir: TempDir,
}

impl Proxy {
    /// Starts it and waits until it answers. `pando` is the program of ours.
    pub fn start(product: ProxyProduct, pando: &Path, config: &ProxyConfig) -> Result<Self> {
        let http = free_addr()?;
        // Pando tells HTTP/2 from HTTP/1.1 by itself.
        let http2 = if product == ProxyProduct::Pando { http } else { free_addr()? };
        let addresses = Addresses { http, http2, https: free_addr()?, admin: free_addr()? };
        let dir = TempDir::new()?;
        let child = spawn(product, pando, config, addresses, dir.path(), &[])?;
        let (config, pando) = (config.clone(), pando.to_owned());
        let mut proxy = Self { product, child, addresses, config, pando, dir };
        proxy.wait_until_listening()?;
        Ok(proxy)
    }

    fn wait_until_listening(&mut self) -> Result<()> {
        let http = self.addresses.http;
        let (child, log) = (&mut self.child, self.dir.path().join("log"));
        let started = wait_for("a listening proxy", START_DEADLINE, || {
            if let Some(status) = child.try_wait()? {
                bail!("the proxy stopped at once ({status})");
            }
            Ok(TcpStream::connect(http).is_ok().then_some(()))
        });
        started.with_context(|| fs::read_to_string(log).unwrap_or_default())
    }

    pub fn product(&self) -> ProxyProduct {
        self.product
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    pub fn addr(&self) -> SocketAddr {
        self.addresses.http
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        let mut text = String::new();
        let opened = File::open(self.dir.path().join("log"));
        let _ = opened.and_then(|mut file| file.read_to_string(&mut text));
        text
    }

    /// What Pando's balancer says of itself.
    pub fn status(&self) -> Result<Json> {
        let mut client = HttpClient::new(self.addresses.admin);
        let mut request = Request::get("/status");
        if let Some(secret) = self.secret() {
            request = request.header("x-pando-balancer", secret);
        }
        client.send(&request)?.success()?.json()
    }

    /// Waits until so many upstreams of Pando's take requests.
    pub fn wait_for_serving(&self, count: usize) -> Result<()> {
        wait_for(&format!("{count} serving upstreams"), START_DEADLINE, || {
            let status = self.status()?;
            let upstreams = status["upstreams"].as_array().map(Vec::as_slice).unwrap_or_default();
            let serving = upstreams.iter().filter(|it| it["state"] == "serving").count();
            Ok((serving == count).then_some(()))
        })
    }

    fn secret(&self) -> Option<&str> {
        let mut env = self.config.env.iter();
        env.find(|(name, _)| name == "PANDO_BALANCER__SECRET").map(|(_, secret)| secret.as_str())
    }

    /// The directory it works in.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The processes that serve: nginx's first process only looks after the others.
    fn serving(&self) -> Result<Vec<u32>> {
        let children = process::children(self.pid())?;
        Ok(match self.product {
            ProxyProduct::Nginx => children,
            ProxyProduct::Pando | ProxyProduct::Haproxy => vec![self.pid()],
        })
    }

    /// User and system time of all that serves.
    pub fn cpu_time(&self) -> Result<Duration> {
        self.serving()?.into_iter().map(process::cpu_time).sum()
    }

    /// Resident memory of all that serves.
    pub fn rss_bytes(&self) -> Result<u64> {
        self.serving()?.into_iter().map(process::rss_bytes).sum()
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        process::signal(signal, &[self.pid()])
    }

    /// Whether the process still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Starts another process of Pando's that takes over the listeners; the old one is waited for
    /// when this is done.
    pub fn replace(&mut self) -> Result<()> {
        let (config, addresses) = (&self.config, self.addresses);
        let dir = self.dir.path();
        let next = spawn(self.product, &self.pando, config, addresses, dir, &["--replace"])?;
        let mut old = std::mem::replace(&mut self.child, next);
        let ended =
            wait_for("the end of the replaced process", STOP_DEADLINE, || Ok(old.try_wait()?));
        if ended.is_err() {
            let _ = old.kill();
            let _ = old.wait();
        }
        let status = ended.with_context(|| self.log())?;
        ensure!(status.success(), "the replaced process ended with {status}: {}", self.log());
        ensure!(self.alive(), "the new process ended: {}", self.log());
        Ok(())
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let status = wait_for("the proxy's end", STOP_DEADLINE, || Ok(self.child.try_wait()?))?;
        ensure!(status.success(), "the proxy ended with {status}: {}", self.log());
        Ok(())
    }

    /// Ends it at once.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx's workers end with their first process only if that is asked politely.
        if self.product == ProxyProduct::Nginx && self.alive() && self.signal(Signal::TERM).is_ok()
        {
            let _ = wait_for("nginx's end", STOP_DEADLINE, || Ok(self.child.try_wait()?));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(
    product: ProxyProduct,
    pando: &Path,
    config: &ProxyConfig,
    addresses: Addresses,
    dir: &Path,
    extra: &[&str],
) -> Result<Child> {
    let mut command = match product {
        ProxyProduct::Pando => config::pando(pando, config, addresses, dir)?,
        ProxyProduct::Nginx => {
            let path = dir.join("nginx.conf");
            fs::write(&path, config::nginx(config, addresses, dir))?;
            let mut command = Command::new(find(product)?);
            command.arg("-c").arg(path).arg("-p").arg(dir);
            command
        }
        ProxyProduct::Haproxy => {
            let path = dir.join("haproxy.cfg");
            fs::write(&path, config::haproxy(config, addresses, dir)?)?;
            let mut command = Command::new(find(product)?);
            command.arg("-db").arg("-f").arg(path);
            command
        }
    };
    let log = File::options().create(true).append(true).open(dir.join("log"))?;
    command.args(extra).current_dir(dir).stdin(Stdio::null());
    command.stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| format!("failed to start {}", product.name()))
}

/// The program of a peer.
fn find(product: ProxyProduct) -> Result<PathBuf> {
    let name = product.name();
    let candidates =
        ["/usr/sbin", "/usr/bin", "/usr/local/sbin"].map(|dir| Path::new(dir).join(name));
    let found = candidates.into_iter().find(|path| path.is_file());
    found.with_context(|| format!("{name} is not installed\nhint: apt-get install {name}"))
}

/// An address that nobody listens at.
pub fn free_addr() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a free port")?;
    Ok(listener.local_addr()?)
}
