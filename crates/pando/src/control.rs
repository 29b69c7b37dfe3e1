//! Commands for a server that runs, over a socket in its data directory.
//!
//! One process at a time has a data directory open, so `pando superuser …` asks the server, if
//! there is one, to do it. Only who may write to the directory may connect. The socket stands in
//! the folder that PocketBase uses for temporary files, which it leaves out of backups.
//!
//! Protocol: one line of JSON each way. `["upsert", "me@example.com", "…"]` is answered with
//! `["done", "…"]` or `["failed", "…"]`. Before its answer, `["move", …]` tells how far it is, in
//! lines that begin with `"progress"`. It ends when nobody listens any more.

use std::{
    fs, io,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use pando_runtime::Lifecycle;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{move_command::Moves, superuser};

const FOLDER: &str = ".pb_temp_to_delete";
const NAME: &str = "pando.sock";

/// A command is a few words, an answer some lines; what a move cannot take may be more.
const LINE_BYTES_MAX: u64 = 1 << 20;

const MOVE: &str = "move";
const PROGRESS: &str = "progress";

/// What a move tells while nobody listens; more is left out.
const PROGRESS_MAX: usize = 64;

/// A command takes as long as a few password hashes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket of a server. Its file goes away with it.
pub(crate) struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Needs the lock on `dir`, so that a file that is already there is left over.
    pub(crate) fn bind(dir: &str) -> io::Result<Listener> {
        let path = path_in(dir);
        let folder = Path::new(dir).join(FOLDER);
        fs::create_dir_all(&folder)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(Short::of(&folder)?.socket())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Listener { listener, path })
    }

    /// Answers commands, one after the other, until the process stops.
    pub(crate) async fn serve(self, moves: Moves, life: Lifecycle) -> anyhow::Result<()> {
        loop {
            let accepted = tokio::select! {
                biased;
                () = life.stopping.cancelled() => return Ok(()),
                accepted = self.listener.accept() => accepted,
            };
            let (stream, _) = accepted.context("failed to accept a command")?;
            match timeout(PATIENCE, answer(stream, &moves, &life)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => warn!(error = format!("{error:#}"), "a command was not answered"),
                Err(_) => warn!("a command took too long"),
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A file that stays behind is removed at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

async fn answer(mut stream: UnixStream, moves: &Moves, life: &Lifecycle) -> anyhow::Result<()> {
    let words: Vec<String> = read_line(&mut stream).await?;
    let (verb, words) = words.split_first().context("an empty command")?;
    if verb == MOVE {
        // Takes as long as it takes; other commands need not wait.
        let (moves, words, stopping) = (moves.clone(), words.to_vec(), life.stopping.clone());
        drop(life.track(async move { answer_move(stream, &moves, &words, stopping).await }));
        return Ok(());
    }
    let outcome = superuser::perform(&moves.store, verb, words).await;
    write_line(&mut stream, &reply(outcome)).await
}

/// Tells how far a move is until it is over. If that cannot be told, the move is stopped.
async fn answer_move(
    mut stream: UnixStream,
    moves: &Moves,
    words: &[String],
    stopping: CancellationToken,
) {
    let (told, mut heard) = mpsc::channel(PROGRESS_MAX);
    let mut work = std::pin::pin!(moves.perform(words, told, stopping));
    let outcome = loop {
        tokio::select! {
            biased;
            Some(progress) = heard.recv() => {
                let mut line = vec![PROGRESS.to_owned()];
                line.extend(progress);
                if write_line(&mut stream, &line).await.is_err() {
                    heard.close();
                }
            }
            outcome = &mut work => break outcome,
        }
    };
    while let Ok(progress) = heard.try_recv() {
        let mut line = vec![PROGRESS.to_owned()];
        line.extend(progress);
        // Who has gone does not hear the end either.
        let _ = write_line(&mut stream, &line).await;
    }
    if let Err(error) = write_line(&mut stream, &reply(outcome)).await {
        warn!(error = format!("{error:#}"), "nobody learns how a move ended");
    }
}

fn reply(outcome: anyhow::Result<String>) -> [String; 2] {
    match outcome {
        Ok(text) => ["done".to_owned(), text],
        Err(error) => ["failed".to_owned(), format!("{error:#}")],
    }
}

/// Has the server that has `dir` open perform a command. `None` if no server answers there.
pub(crate) async fn ask(dir: &str, verb: &str, words: &[String]) -> anyhow::Result<Option<String>> {
    let Ok(short) = Short::of(&Path::new(dir).join(FOLDER)) else { return Ok(None) };
    let Ok(mut stream) = UnixStream::connect(short.socket()).await else { return Ok(None) };
    let exchange = async {
        let command: Vec<&str> =
            std::iter::once(verb).chain(words.iter().map(String::as_str)).collect();
        write_line(&mut stream, &command).await?;
        read_line(&mut stream).await
    };
    let reply = timeout(PATIENCE, exchange).await.context("the server does not answer")??;
    outcome_of(reply).map(Some)
}

fn outcome_of(reply: Vec<String>) -> anyhow::Result<String> {
    match <[String; 2]>::try_from(reply) {
        Ok([outcome, text]) if outcome == "done" => Ok(text),
        Ok([_, text]) => bail!(text),
        Err(_) => bail!("the server answered something else"),
    }
}

/// Has the server move something, and hears how far it is. `None` if no server answers there.
pub(crate) async fn ask_move(
    dir: &str,
    words: &[String],
    mut hear: impl FnMut(&[String]),
) -> anyhow::Result<Option<String>> {
    let Ok(short) = Short::of(&Path::new(dir).join(FOLDER)) else { return Ok(None) };
    let Ok(mut stream) = UnixStream::connect(short.socket()).await else { return Ok(None) };
    let command: Vec<&str> =
        std::iter::once(MOVE).chain(words.iter().map(String::as_str)).collect();
    write_line(&mut stream, &command).await?;
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        (&mut lines).take(LINE_BYTES_MAX).read_line(&mut line).await?;
        ensure!(!line.is_empty(), "the server stopped before the move was over");
        let reply: Vec<String> = serde_json::from_str(&line)?;
        match reply.split_first() {
            Some((first, progress)) if first == PROGRESS => hear(progress),
            _ => return outcome_of(reply).map(Some),
        }
    }
}

/// A short name of a folder: the address of a socket has room for 107 bytes, a path has more.
struct Short(fs::File);

impl Short {
    fn of(folder: &Path) -> io::Result<Short> {
        fs::File::open(folder).map(Short)
    }

    /// Where the socket is, for as long as this lives.
    fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{NAME}", self.0.as_raw_fd()))
    }
}

fn path_in(dir: &str) -> PathBuf {
    Path::new(dir).join(FOLDER).join(NAME)
}

async fn read_line(stream: &mut (impl AsyncRead + Unpin)) -> anyhow::Result<Vec<String>> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    Ok(serde_json::from_str(&line)?)
}

async fn write_line(stream: &mut UnixStream, words: &[impl AsRef<str>]) -> anyhow::Result<()> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let mut line = serde_json::to_vec(&words)?;
    line.push(b'\n');
    Ok(stream.write_all(&line).await?)
}
