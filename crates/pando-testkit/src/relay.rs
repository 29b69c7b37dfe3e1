//! A wire that a test can slow down or cut: bytes go through it both ways, or do not.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// How often a cut wire looks whether it has been mended.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// A wire to an address, in both directions.
#[derive(Debug)]
pub struct Relay {
    addr: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    cut: AtomicBool,
    delay_us: AtomicU64,
    closed: AtomicBool,
}

impl Relay {
    /// A wire to `to`.
    pub fn start(to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let addr = listener.local_addr()?;
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if shared.closed.load(Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                thread::spawn(move || {
                    let Ok(far) = TcpStream::connect(to) else { return };
                    join(near, far, &state);
                });
            }
        });
        Ok(Self { addr, state })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Holds all bytes back, or lets them go on.
    pub fn cut(&self, cut: bool) {
        self.state.cut.store(cut, Relaxed);
    }

    /// Holds each piece back for so long, one after the other.
    pub fn set_delay(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.state.delay_us.store(micros, Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.closed.store(true, Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.addr);
    }
}

fn join(near: TcpStream, far: TcpStream, state: &Arc<State>) {
    let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else { return };
    let shared = Arc::clone(state);
    let back = thread::spawn(move || copy(far_too, near_too, &shared));
    copy(near, far, state);
    let _ = back.join();
}

fn copy(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let _ = to.set_nodelay(true);
    let mut chunk = [0; 16 << 10];
    loop {
        let count = from.read(&mut chunk).unwrap_or(0);
        while state.cut.load(Relaxed) && !state.closed.load(Relaxed) {
            thread::sleep(LOOK_INTERVAL);
        }
        let delay = state.delay_us.load(Relaxed);
        if delay > 0 {
            thread::sleep(Duration::from_micros(delay));
        }
        if count == 0 || to.write_all(&chunk[..count]).is_err() {
            // The other way may still have something to say.
            let _ = to.shutdown(std::net::Shutdown::Write);
            return;
        }
    }
}
