//! `pando serve`: from the configuration to the drain.

use anyhow::{Context as _, ensure};
use pando_runtime::{Lifecycle, host, log, watch_signals};
use pando_store::Store;
use time::OffsetDateTime;
use tracing::{info, warn};

use crate::{
    banner,
    cli::Cli,
    config::Config,
    control,
    move_command::Moves,
    output,
    progress::while_waiting,
    role::{self, Context, Role},
    superuser,
};

pub(crate) fn run(cli: &Cli) -> anyhow::Result<()> {
    let config = Config::read(&cli.sources())?;
    log::start(&config.log)?;
    host::raise_open_files_limit();
    host::async_runtime()?.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let life = Lifecycle::default();
    watch_signals(&life).context("failed to watch signals")?;
    let options = config.store_options();
    let opening = Box::pin(Store::open(&options));
    let store = while_waiting(opening, || "opening the data directory".to_owned()).await?;
    let outcome = serve_store(&config, &life, &store).await;
    pando_web::log_noted(&store);
    // The roles may have failed, but what was written is tidied up all the same.
    store.close().await;
    outcome?;
    ensure!(!life.failed(), "stopped because a task failed");
    info!("stopped");
    Ok(())
}

async fn serve_store(config: &Config, life: &Lifecycle, store: &Store) -> anyhow::Result<()> {
    let context = Context { config: config.clone(), life: life.clone() };
    // Before anybody is answered: who has seen the server answer may give it commands.
    let control = control::Listener::bind(&config.store.dir);
    let base_url = role::start(Role::Web(store.clone()), context).await?;
    let moves = Moves::of(store, config.files_dir());
    match control {
        Ok(control) => life.spawn("control", control.serve(moves.clone(), life.clone())),
        Err(error) => {
            let error = format!("{error:#}");
            warn!(error, "`pando superuser` and `pando move` will not work while this server runs");
        }
    }
    life.spawn("moves", moves.tidy_up(life.stopping.clone()));
    output::print(&banner::started(&base_url, OffsetDateTime::now_utc()))?;
    if !superuser::any(store).await? {
        output::print(&first_superuser_hint(config))?;
    }
    drain(config, life).await;
    Ok(())
}

/// Waits for the stop, and then for what runs.
pub(crate) async fn drain(config: &Config, life: &Lifecycle) {
    life.stopping.cancelled().await;
    let waiting = || format!("waiting for {} tasks to finish", life.tasks_count());
    if !while_waiting(life.drained(config.drain.timeout.duration()), waiting).await {
        warn!("some requests took longer than drain.timeout and were cut off");
    }
}

/// How to make the first superuser.
fn first_superuser_hint(config: &Config) -> String {
    let dir = Some(config.store.dir.as_str()).filter(|dir| *dir != Config::default().store.dir);
    let program = std::env::args().next().unwrap_or_else(|| "pando".to_owned());
    banner::first_superuser(&program, dir)
}
