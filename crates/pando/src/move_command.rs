//! `pando move database`: from SQLite to PostgreSQL and back, by the server that runs or here.
//!
//! A server that has the data directory open does it, since it must hold its writes at the end.
//! Without one this process opens the directory, and the move is over when it says so.

mod perform;
mod show;
mod text;

use anyhow::{Context as _, bail, ensure};
use console::Term;
use pando_runtime::host;
use pando_store::{Store, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Cli, MoveDatabase},
    config::Config,
    control, output,
};

pub(crate) use perform::{Moves, Teller};
pub(crate) use show::Bar;
pub(crate) use text::lasting;

/// What was told and not heard yet.
const PROGRESS_MAX: usize = 64;

pub(crate) fn run(cli: &Cli, arguments: &MoveDatabase) -> anyhow::Result<()> {
    let config = Config::read(&cli.sources())?;
    host::async_runtime()?.block_on(run_async(&config, arguments))
}

async fn run_async(config: &Config, arguments: &MoveDatabase) -> anyhow::Result<()> {
    let Some(url) = &arguments.to else {
        let verb = match arguments {
            MoveDatabase { undo: true, .. } => "undo",
            MoveDatabase { finish: true, .. } => "finish",
            _ => "status",
        };
        return Ok(output::print(&have_done(config, &[verb.to_owned()], Bar::of("rows")).await?)?);
    };
    check_url(url)?;
    let words = |verb: &str| [verb.to_owned(), url.clone()];
    output::print(&have_done(config, &words("plan"), Bar::of("rows")).await?)?;
    if arguments.dry_run {
        return Ok(());
    }
    if !arguments.yes && !confirmed()? {
        return Ok(output::print("Nothing was moved.\n")?);
    }
    Ok(output::print(&have_done(config, &words("run"), Bar::of("rows")).await?)?)
}

/// The rest of the URL is judged by the library that connects.
fn check_url(url: &str) -> anyhow::Result<()> {
    let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    // Its text is not shown: there may be a password in it.
    ensure!(known, "--to must begin with postgres:// or postgresql://");
    Ok(())
}

/// Asks on a terminal. Elsewhere nobody could answer.
pub(crate) fn confirmed() -> anyhow::Result<bool> {
    let terminal = Term::stderr();
    if !terminal.is_term() {
        bail!("nothing was moved\nhint: add --yes to move without being asked");
    }
    terminal.write_str("Move now? [y/N] ").context("failed to ask")?;
    let answer = terminal.read_line().context("failed to read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Has a command done by the server, or does it. Returns what to tell.
pub(crate) async fn have_done(
    config: &Config,
    words: &[String],
    mut bar: Bar,
) -> anyhow::Result<String> {
    let dir = &config.store.dir;
    let outcome = match control::ask_move(dir, words, |progress| bar.show(progress)).await {
        Ok(None) => do_here(config, words, &mut bar).await,
        Ok(Some(text)) => Ok(text),
        Err(error) => Err(error),
    };
    bar.finish();
    outcome
}

async fn do_here(config: &Config, words: &[String], bar: &mut Bar) -> anyhow::Result<String> {
    let store = match Store::open(&config.store_options()).await {
        Ok(store) => store,
        Err(in_use @ StoreError::InUse(_)) => {
            let hint = "the server that has the directory open does not answer";
            return Err(anyhow::Error::from(in_use).context(hint));
        }
        Err(error) => return Err(error.into()),
    };
    let (told, mut heard) = mpsc::channel(PROGRESS_MAX);
    let moves = Moves::of(&store, config.files_dir());
    let outcome = {
        let mut work = std::pin::pin!(moves.perform(words, told, CancellationToken::new()));
        loop {
            tokio::select! {
                biased;
                Some(progress) = heard.recv() => bar.show(&progress),
                outcome = &mut work => break outcome,
            }
        }
    };
    store.close().await;
    outcome
}
