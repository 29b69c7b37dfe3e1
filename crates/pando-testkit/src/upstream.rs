//! A small HTTP server whose speed and answers a test can change while it runs.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;

const READ_TIMEOUT: Duration = Duration::from_secs(60);
const HEAD_BYTES_MAX: usize = 64 << 10;

/// A running upstream. Requests must have no bodies. It stops with the test.
#[derive(Debug)]
pub struct SmallUpstream {
    addr: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    status: AtomicU16,
    delay_us: AtomicU64,
    /// Held by the request that is worked on, if they queue.
    turn: Option<Mutex<()>>,
    requests: AtomicU64,
    closed: AtomicBool,
}

impl SmallUpstream {
    /// Answers 200 at once, and any number of requests at a time.
    pub fn start() -> Result<Self> {
        Self::launch(None)
    }

    /// The same, but works on one request at a time, as a machine with one processor does: its
    /// delay says how many it can do.
    pub fn start_queueing() -> Result<Self> {
        Self::launch(Some(Mutex::new(())))
    }

    fn launch(turn: Option<Mutex<()>>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let addr = listener.local_addr()?;
        let state = Arc::new(State {
            status: AtomicU16::new(200),
            delay_us: AtomicU64::new(0),
            turn,
            requests: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.closed.load(Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Ok(Self { addr, state })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn set_status(&self, status: u16) {
        self.state.status.store(status, Relaxed);
    }

    pub fn set_delay(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.state.delay_us.store(micros, Relaxed);
    }

    /// Requests so far, checks apart.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Relaxed)
    }
}

impl Drop for SmallUpstream {
    fn drop(&mut self) {
        self.state.closed.store(true, Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.addr);
    }
}

fn serve(mut stream: TcpStream, state: &State) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(READ_TIMEOUT));
    let mut input = Vec::new();
    let mut chunk = [0; 4 << 10];
    while !state.closed.load(Relaxed) {
        let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") else {
            match stream.read(&mut chunk) {
                Ok(count) if count > 0 && input.len() < HEAD_BYTES_MAX => {
                    input.extend_from_slice(&chunk[..count]);
                }
                _ => return,
            }
            continue;
        };
        let check = input.starts_with(b"GET /api/pando/ready ");
        input.drain(..end + 4);
        let status = if check { 200 } else { state.status.load(Relaxed) };
        if !check {
            state.requests.fetch_add(1, Relaxed);
            let delay = state.delay_us.load(Relaxed);
            if delay > 0 {
                let turn = state.turn.as_ref();
                let _turn = turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
                thread::sleep(Duration::from_micros(delay));
            }
        }
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 5\r\n\r\nhello");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
