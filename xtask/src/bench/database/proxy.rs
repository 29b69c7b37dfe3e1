//! Stands between Pando and PostgreSQL and counts.
//!
//! A round trip begins where the client speaks after the server has spoken: what is sent in one go,
//! however many messages that are, is one.
//!
//! *Source*: PostgreSQL's documentation, "Frontend/Backend Protocol", message formats.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};
use tempfile::TempDir;

const BUFFER_BYTES: usize = 64 << 10;

/// The codes of SSLRequest and GSSENCRequest.
const ENCRYPTION_REQUESTS: [u32; 2] = [80_877_103, 80_877_104];

/// A socket of the same name as the server's, in another directory. Its threads end with the
/// process, or when both sides have closed.
pub(super) struct Proxy {
    dir: TempDir,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    round_trips: AtomicUsize,
    parsed: AtomicUsize,
    simple: AtomicUsize,
}

/// What went through so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) round_trips: usize,
    /// `Parse`: statements that were told to the server.
    pub(super) parsed: usize,
    /// `Query`: statements that it was told as they are, such as BEGIN.
    pub(super) simple: usize,
}

impl Proxy {
    /// Listens for clients of the server at `socket`.
    pub(super) fn start(socket: &Path) -> Result<Proxy> {
        let dir = TempDir::new().context("failed to make a directory")?;
        let name = socket.file_name().context("a socket without a name")?;
        let listener = UnixListener::bind(dir.path().join(name)).context("failed to listen")?;
        let (counts, target) = (Arc::new(Counts::default()), socket.to_owned());
        let all = Arc::clone(&counts);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = UnixStream::connect(&target) {
                    pass(client, server, &all);
                }
            }
        });
        Ok(Proxy { dir, counts })
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn counted(&self) -> Counted {
        Counted {
            round_trips: self.counts.round_trips.load(Ordering::Relaxed),
            parsed: self.counts.parsed.load(Ordering::Relaxed),
            simple: self.counts.simple.load(Ordering::Relaxed),
        }
    }
}

/// Two threads that pass on what one side says to the other.
fn pass(client: UnixStream, server: UnixStream, counts: &Arc<Counts>) {
    let (Ok(to_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { return };
    let server_spoke = Arc::new(AtomicBool::new(true));
    let (spoke, counts) = (Arc::clone(&server_spoke), Arc::clone(counts));
    let mut messages = Messages::default();
    thread::spawn(move || {
        copy(client, to_server, |bytes| {
            if spoke.swap(false, Ordering::SeqCst) {
                counts.round_trips.fetch_add(1, Ordering::Relaxed);
            }
            messages.read(bytes, |kind| match kind {
                b'P' => drop(counts.parsed.fetch_add(1, Ordering::Relaxed)),
                b'Q' => drop(counts.simple.fetch_add(1, Ordering::Relaxed)),
                _ => {}
            });
        });
    });
    thread::spawn(move || {
        copy(server, to_client, |_| server_spoke.store(true, Ordering::SeqCst));
    });
}

fn copy(mut from: UnixStream, mut to: UnixStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Ok(count) = from.read(&mut buffer) {
        seen(&buffer[..count]);
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // The other thread learns of it, too.
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}

/// Finds the messages in what a client says, piece by piece.
#[derive(Default)]
struct Messages {
    /// The head of a message that is not complete: its type and length.
    head: Vec<u8>,
    /// Bytes of a message that are still to come.
    body_bytes: usize,
    /// Until the connection is started, messages have no type.
    started: bool,
}

impl Messages {
    fn read(&mut self, mut bytes: &[u8], mut found: impl FnMut(u8)) {
        while !bytes.is_empty() {
            let skipped = self.body_bytes.min(bytes.len());
            self.body_bytes -= skipped;
            bytes = &bytes[skipped..];
            if bytes.is_empty() {
                return;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            let number =
                |at: usize| self.head.get(at..at + 4).and_then(|four| four.try_into().ok());
            let (length, read) = if self.started {
                let Some(length) = number(1) else { continue };
                found(self.head[0]);
                (length, 4)
            } else {
                let (Some(length), Some(code)) = (number(0), number(4)) else { continue };
                // Who asks for TLS first starts anew after the answer.
                self.started = !ENCRYPTION_REQUESTS.contains(&u32::from_be_bytes(code));
                (length, 8)
            };
            // The length counts itself, but not the type.
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(read);
            self.body_bytes = length.saturating_sub(read);
            self.head.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_in_any_pieces() {
        // SSLRequest, startup, Parse with a body of three bytes, Sync, Query with a body of two.
        let said = b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\0\x03\0\0P\0\0\0\x07abcS\0\0\0\x04Q\0\0\0\x06x\0";
        for size in 1..=said.len() {
            let (mut messages, mut kinds) = (Messages::default(), Vec::new());
            for piece in said.chunks(size) {
                messages.read(piece, |kind| kinds.push(kind));
            }
            assert_eq!(kinds, b"PSQ");
        }
    }
}
