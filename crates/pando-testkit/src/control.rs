//! Speaks to a running Pando as `pando move` does, over the socket in its data directory.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// Where the server listens in its data directory.
const SOCKET: &str = ".pb_temp_to_delete/pando.sock";

/// How long nothing may come.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A moment of a move, as the server tells it.
#[derive(Clone, Debug)]
pub struct Told {
    pub step: String,
    pub collection: String,
    pub rows_done: u64,
}

/// Has the server at `dir` do something and hands out its progress, until `hear` returns false.
/// Returns what it says at the end; `None` if it was not awaited or the server has died.
pub fn ask(
    dir: &Path,
    words: &[&str],
    mut hear: impl FnMut(&Told) -> bool,
) -> Result<Option<String>> {
    let stream = UnixStream::connect(dir.join(SOCKET)).context("no server listens")?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    let mut line = serde_json::to_vec(words)?;
    line.push(b'\n');
    (&stream).write_all(&line)?;
    let mut lines = BufReader::new(stream).lines();
    loop {
        // A server that is killed may leave a reset connection behind.
        let Some(Ok(line)) = lines.next() else { return Ok(None) };
        let words: Vec<String> = serde_json::from_str(&line)?;
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["progress", step, collection, rows, ..] => {
                let told = Told {
                    step: (*step).to_owned(),
                    collection: (*collection).to_owned(),
                    rows_done: rows.parse()?,
                };
                if !hear(&told) {
                    return Ok(None);
                }
            }
            ["done", text] => return Ok(Some((*text).to_owned())),
            ["failed", text] => bail!("the server refused: {text}"),
            other => {
                ensure!(false, "the server said {other:?}");
            }
        }
    }
}
