//! From the configuration to the drain.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use pando_runtime::tls::{self, Certificates};
use pando_runtime::{Lifecycle, host, listen};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;
use tracing::{error, info, warn};

use crate::admin::{self, Admin};
use crate::caller::{self, Door, Entrance};
use crate::config::BalancerConfig;
use crate::control;
use crate::handover::{self, Handover, Taken};
use crate::listeners::Listeners;
use crate::members::{self, Registry};
use crate::settings::Settings;
use crate::shared::{Current, Shared};
use crate::upstream::Connector;
use crate::worker::Worker;

/// Reads the configuration again; fails with all that is wrong with it.
pub type Reload = Box<dyn Fn() -> anyhow::Result<BalancerConfig> + Send + Sync>;

/// Where the balancer listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    pub http: Option<SocketAddr>,
    pub https: Option<SocketAddr>,
    pub admin: Option<SocketAddr>,
}

/// A balancer that is about to serve.
pub struct Balancer {
    config: BalancerConfig,
    shared: Arc<Shared>,
    certificates: Option<Arc<Certificates>>,
    listeners: Listeners,
    taken: Option<Taken>,
    workers: usize,
}

/// What to do if a balancer runs here already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Fail.
    Alone,
    /// Take its listeners over, and let it end.
    Replace,
}

impl Balancer {
    /// Opens everything. Fails if an address cannot be had or a certificate cannot be used.
    pub fn open(config: BalancerConfig, start: Start, life: Lifecycle) -> anyhow::Result<Balancer> {
        let workers = workers(&config);
        let settings = Settings::of(&config, workers);
        let connector = Connector::new(&settings).context("failed to set up upstream TLS")?;
        let certificates = match config.https.as_str() {
            "" => None,
            _ => Some(certificates(&config)?),
        };
        let control = Path::new(&config.control);
        let mut taken = match start {
            Start::Alone => handover::ensure_alone(control).map(|()| None)?,
            Start::Replace => handover::take_over(control)?,
        };
        let inherited = taken.as_mut().map(|taken| std::mem::take(&mut taken.listeners));
        let listeners = inherited.unwrap_or_default().complete(&config, workers)?;
        let shared = Shared::new(life, Current { settings, connector }, None);
        Ok(Balancer { config, shared, certificates, listeners, taken, workers })
    }

    /// Serves until `life.stopping`, then ends connections as tasks of `life`. Says through `bound`
    /// where it listens, once it does.
    pub async fn run(self, reload: Reload, bound: oneshot::Sender<Bound>) -> anyhow::Result<()> {
        let Balancer { config, shared, certificates, listeners, taken, workers } = self;
        let life = shared.life.clone();
        let kept = listeners.try_clone()?;
        let registry = Registry(Arc::clone(&shared));
        for member in taken.iter().flat_map(|taken| &taken.members) {
            // There is room: the other process had it.
            let _ = registry.announce(member);
        }
        let [http, https, admin_address] = listeners.addresses()?;
        let entrances = entrances(&config, certificates.as_ref(), https)?;
        let names = members::bring_in(&shared).await;
        life.spawn("members", members::follow_configuration(Arc::clone(&shared), names));
        life.spawn("control", control::run(Arc::clone(&shared)));
        members::first_checks(&shared).await;
        life.spawn("reload", follow_reloads(Arc::clone(&shared), reload, certificates, workers));
        wait_at_leaving(&life, config.drain_wait.duration());
        if let Some(socket) = listeners.admin.into_iter().next() {
            let admin = Admin { shared: Arc::clone(&shared), secret: config.secret.clone() };
            life.spawn("admin", admin::run(admin, TcpListener::from_std(socket)?));
        }
        let permits = Arc::new(Semaphore::new(config.connections_max as usize));
        let https_sockets = Listeners::deal(listeners.https, workers);
        let http_sockets = Listeners::deal(listeners.http, workers);
        let mut running = Vec::new();
        for (http, https) in http_sockets.into_iter().zip(https_sockets) {
            let doors = http.into_iter().map(|it| (it, entrances.http.clone()));
            let doors = doors.chain(https.into_iter().map(|it| (it, entrances.https.clone())));
            let worker = Worker::new(&shared);
            running.push(start(worker, doors.collect(), Arc::clone(&permits))?);
        }
        if let Some(taken) = taken {
            taken.ready().context("failed to tell the other process")?;
            info!("took over from another process");
        }
        let control = Handover::listen(Path::new(&config.control), kept)?;
        life.spawn("handover", control.run(Arc::clone(&shared)));
        // Nobody need listen.
        let _ = bound.send(Bound { http, https, admin: admin_address });
        for ended in running {
            ended.await.context("a worker ended with a panic")??;
        }
        Ok(())
    }
}

fn workers(config: &BalancerConfig) -> usize {
    match config.workers {
        0 => host::cores(),
        count => count as usize,
    }
}

fn certificates(config: &BalancerConfig) -> anyhow::Result<Arc<Certificates>> {
    let certificates = match config.tls_dir.as_str() {
        "" => {
            warn!("balancer.tls_dir is not set: HTTPS has a certificate that nobody trusts");
            Certificates::self_signed()
        }
        dir => Certificates::read(Path::new(dir)),
    };
    Ok(Arc::new(certificates.context("failed to set up HTTPS")?))
}

/// What the listeners offer.
struct Entrances {
    http: Entrance,
    https: Entrance,
}

fn entrances(
    config: &BalancerConfig,
    certificates: Option<&Arc<Certificates>>,
    https: Option<SocketAddr>,
) -> anyhow::Result<Entrances> {
    let door = match https {
        Some(https) if config.https_redirect => Door::Redirect { https_port: https.port() },
        _ => Door::Proxy,
    };
    let acceptor = match certificates {
        Some(certificates) => Some(TlsAcceptor::from(tls::server_config(certificates)?)),
        None => None,
    };
    Ok(Entrances {
        http: Entrance { door, tls: None },
        https: Entrance { door: Door::Proxy, tls: acceptor },
    })
}

/// Told to stop, serves on for a while as one that is not ready.
fn wait_at_leaving(life: &Lifecycle, time: std::time::Duration) {
    if !time.is_zero() {
        life.before_stopping(async move {
            info!("not ready any more, serving on for {time:?}");
            tokio::time::sleep(time).await;
        });
    }
}

/// Starts the thread of a worker. The result comes when its last connection has ended.
fn start(
    worker: Arc<Worker>,
    doors: Vec<(StdListener, Entrance)>,
    permits: Arc<Semaphore>,
) -> anyhow::Result<oneshot::Receiver<anyhow::Result<()>>> {
    let (done, ended) = oneshot::channel();
    let runtime = host::async_runtime_of_one_thread()?;
    std::thread::Builder::new().name("pando-worker".to_owned()).spawn(move || {
        // If nobody waits any more, the process is ending.
        let _ = done.send(runtime.block_on(work(worker, doors, permits)));
    })?;
    Ok(ended)
}

async fn work(
    worker: Arc<Worker>,
    doors: Vec<(StdListener, Entrance)>,
    permits: Arc<Semaphore>,
) -> anyhow::Result<()> {
    let mut accepting = Vec::new();
    for (socket, entrance) in doors {
        let listener = TcpListener::from_std(socket)?;
        let accept = accept(Arc::clone(&worker), listener, entrance, Arc::clone(&permits));
        accepting.push(worker.tasks.spawn(accept));
    }
    let ticking = Arc::clone(&worker).tick_on();
    let serving = async {
        for accept in accepting {
            accept.await.context("accepting connections ended with a panic")?;
        }
        worker.tasks.close();
        worker.tasks.wait().await;
        Ok(())
    };
    tokio::select! {
        () = ticking => Ok(()),
        outcome = serving => outcome,
    }
}

/// Takes connections until there shall be no more.
async fn accept(
    worker: Arc<Worker>,
    listener: TcpListener,
    entrance: Entrance,
    permits: Arc<Semaphore>,
) {
    let closed = worker.shared.closed.clone();
    let open = async {
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let (stream, peer) = listen::accept(&listener).await;
            let serving = caller::serve(Arc::clone(&worker), entrance.clone(), stream, peer);
            drop(worker.tasks.spawn(async move {
                serving.await;
                drop(permit);
            }));
        }
    };
    tokio::select! {
        biased;
        () = closed.cancelled() => {}
        () = open => {}
    }
}

/// Reads configuration and certificates again when asked. What is wrong changes nothing.
async fn follow_reloads(
    shared: Arc<Shared>,
    reload: Reload,
    certificates: Option<Arc<Certificates>>,
    workers: usize,
) -> anyhow::Result<()> {
    let (mut reloads, stopping) = (shared.life.reloads(), shared.life.stopping.clone());
    while let Some(Ok(())) = stopping.run_until_cancelled(reloads.changed()).await {
        match reload().and_then(|config| current(&config, workers)) {
            Ok(current) => {
                shared.replace(current);
                info!("the configuration was read again");
            }
            Err(error) => {
                let error = format!("{error:#}");
                error!(error, "the configuration is wrong, keeping the old one");
            }
        }
        if let Some(certificates) = &certificates
            && let Err(error) = certificates.reload()
        {
            let error = format!("{:#}", anyhow::Error::from(error));
            error!(error, "failed to read the certificates again, keeping the old ones");
        }
    }
    Ok(())
}

fn current(config: &BalancerConfig, workers: usize) -> anyhow::Result<Current> {
    let settings = Settings::of(config, workers);
    let connector = Connector::new(&settings).context("failed to set up upstream TLS")?;
    Ok(Current { settings, connector })
}
