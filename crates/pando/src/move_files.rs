//! `pando move files`: from the folder to a bucket and back, by the server that runs or here.

mod mover;
mod plan;
mod target;
mod text;

use anyhow::Context as _;
use pando_blob::FolderBlob;
use pando_runtime::host;
use tokio::sync::OwnedMutexGuard;
use tracing::{info, warn};

use crate::{
    cli::{Cli, MoveFiles},
    config::Config,
    move_command::{Bar, Moves, Teller, confirmed, have_done},
    output,
};

use mover::Mover;
use target::Target;

/// What these commands begin with on their way to the server.
pub(crate) const WORD: &str = "files";

/// The variable that holds the secret of a bucket.
const SECRET_VARIABLE: &str = "PANDO_S3_SECRET";

pub(crate) fn run(cli: &Cli, arguments: &MoveFiles) -> anyhow::Result<()> {
    let sources = cli.sources();
    let config = Config::read(&sources)?;
    let secret = sources.variable(SECRET_VARIABLE).unwrap_or_default();
    host::async_runtime()?.block_on(run_async(&config, arguments, secret))
}

async fn run_async(config: &Config, arguments: &MoveFiles, secret: &str) -> anyhow::Result<()> {
    let Some(target) = Target::of(arguments, secret)? else {
        let verb = match arguments {
            MoveFiles { undo: true, .. } => "undo",
            MoveFiles { finish: true, .. } => "finish",
            _ => "status",
        };
        return tell(config, &[WORD.to_owned(), verb.to_owned()]).await;
    };
    let words = |verb: &str| {
        let start = [WORD.to_owned(), verb.to_owned()];
        start.into_iter().chain(target.words()).collect::<Vec<_>>()
    };
    tell(config, &words("plan")).await?;
    if arguments.dry_run {
        return Ok(());
    }
    if !arguments.yes && !confirmed()? {
        return Ok(output::print("Nothing was moved.\n")?);
    }
    tell(config, &words("run")).await
}

async fn tell(config: &Config, words: &[String]) -> anyhow::Result<()> {
    let said = have_done(config, words, Bar::of("files")).await?;
    Ok(output::print(&said)?)
}

/// Says where the files are.
pub(crate) fn status(moves: &Moves) -> String {
    text::status(&moves.store.settings(), &moves.files_dir)
}

/// Performs a command and returns what to tell.
pub(crate) async fn perform(
    moves: &Moves,
    words: &[&str],
    teller: Teller,
    _at_work: OwnedMutexGuard<()>,
) -> anyhow::Result<String> {
    let folder = FolderBlob::open(&moves.files_dir).context("failed to open the files")?;
    let mut mover = Mover { store: &moves.store, dir: &moves.files_dir, folder, teller };
    let (verb, words) = words.split_first().context("an empty command")?;
    match (*verb, words) {
        ("plan", words) => {
            let to = Target::parse(words)?.complete(&moves.store.settings())?;
            let plan = mover.plan(&to).await?;
            plan.judge().map(|()| text::plan(&plan))
        }
        ("run", words) => {
            let to = Target::parse(words)?.complete(&moves.store.settings())?;
            logged(mover.run(&to).await)
        }
        ("undo", []) => logged(mover.undo().await),
        ("finish", []) => mover.finish().await,
        _ => anyhow::bail!("unknown command {verb:?}"),
    }
}

fn logged(outcome: anyhow::Result<String>) -> anyhow::Result<String> {
    match &outcome {
        Ok(_) => info!("the files have moved"),
        Err(error) => {
            warn!(error = format!("{error:#}"), "the move of files ended before it was over");
        }
    }
    outcome
}
