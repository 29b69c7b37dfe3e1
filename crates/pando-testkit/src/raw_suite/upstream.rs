//! The upstream of the suite: writes down what it gets, and answers what it was told to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use super::seen::Seen;

/// A proxy that sends nothing for so long has nothing to send.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Past that the proxy is broken.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// A running upstream. Ends with the process.
pub struct Upstream {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    /// Bytes that came and are no whole request, of connections that have ended.
    scraps: Vec<Vec<u8>>,
    /// What requests to `/answer` get, and whether the connection ends then.
    script: (Vec<u8>, bool),
}

impl Upstream {
    pub fn start() -> Result<Upstream> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let addr = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Ok(Upstream { addr, state })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What has come since the last call.
    pub(crate) fn take(&self) -> (Vec<Seen>, Vec<Vec<u8>>) {
        let mut state = lock(&self.state);
        (std::mem::take(&mut state.seen), std::mem::take(&mut state.scraps))
    }

    /// Requests to `/answer` get these bytes from now on.
    pub(crate) fn script(&self, answer: &[u8], closes: bool) {
        lock(&self.state).script = (answer.to_vec(), closes);
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads requests until the connection ends.
fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let _ = stream.set_read_timeout(Some(READ_TIMEOUT));
    let _ = stream.set_nodelay(true);
    let mut input = Vec::new();
    loop {
        while let Some((request, length)) = whole_request(&input) {
            input.drain(..length);
            if !answer(&mut stream, request, state) {
                return;
            }
        }
        let mut chunk = [0; 16 << 10];
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 && input.len() < REQUEST_BYTES_MAX => {
                input.extend_from_slice(&chunk[..count]);
            }
            _ => break,
        }
    }
    if !input.is_empty() {
        lock(state).scraps.push(input);
    }
}

/// Answers; false if the connection shall end.
fn answer(stream: &mut TcpStream, request: Seen, state: &Mutex<State>) -> bool {
    let line = request.request_line();
    let (bytes, closes) = {
        let mut state = lock(state);
        let scripted = line.contains("/answer");
        let upgrades = line.contains("/upgrade");
        state.seen.push(request);
        match (scripted, upgrades) {
            (true, _) => state.script.clone(),
            (_, true) => (UPGRADED.to_vec(), false),
            _ if line.starts_with("HEAD ") => (plain("", 5), false),
            _ if line.contains("/after") => (plain("after", 5), false),
            _ => (plain("right", 5), false),
        }
    };
    stream.write_all(&bytes).is_ok() && !closes
}

const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
Upgrade: websocket\r\n\r\nhello";

fn plain(body: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nX-Upstream: yes\r\n\r\n{body}").into()
}

/// The first request of `input` and its length, if all of it has come.
fn whole_request(input: &[u8]) -> Option<(Seen, usize)> {
    let end =
        find(input, b"\r\n\r\n").map(|at| (at, 4)).or(find(input, b"\n\n").map(|at| (at, 2)))?;
    let mut seen = Seen { head: input[..end.0].to_vec(), body: Vec::new() };
    let start = end.0 + end.1;
    let chunked = seen.values("transfer-encoding").iter().any(|it| it.contains("chunked"));
    let length = match chunked {
        true => {
            let (body, length) = whole_chunks(&input[start..])?;
            seen.body = body;
            length
        }
        false => {
            let length = seen.values("content-length").first().and_then(|it| it.parse().ok());
            let length: usize = length.unwrap_or(0);
            seen.body = input.get(start..start + length)?.to_vec();
            length
        }
    };
    Some((seen, start + length))
}

/// A body in chunks as any lenient program reads it.
fn whole_chunks(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line_end = at + find(&input[at..], b"\r\n")?;
        let line = String::from_utf8_lossy(&input[at..line_end]).into_owned();
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        at = line_end + 2;
        if size == 0 {
            break;
        }
        body.extend_from_slice(input.get(at..at + size)?);
        at += size + 2;
    }
    // Trailers, to the empty line.
    loop {
        let line_end = at + find(&input[at..], b"\r\n")?;
        let empty = line_end == at;
        at = line_end + 2;
        if empty {
            return Some((body, at));
        }
    }
}

fn find(input: &[u8], what: &[u8]) -> Option<usize> {
    input.windows(what.len()).position(|window| window == what)
}
