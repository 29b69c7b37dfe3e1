//! Many subscribers in a few threads: they only count events and how long those took.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use pando_testkit::sse::SseClient;
use rustix::event::{Timespec, epoll};

use super::latency::Latencies;
use super::load::find;

const CONNECT_DEADLINE: Duration = Duration::from_secs(30);
/// They share the machine with the servers that they watch.
const THREADS: usize = 2;
const EVENTS_AT_ONCE: usize = 512;
/// A thread looks this often whether the run is over.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// Where an event carries the time at which its record was sent.
const SENT: &[u8] = b"\"sent\":";

/// What all threads share.
struct Shared {
    begun: Instant,
    delivered: AtomicUsize,
    over: AtomicBool,
}

/// Open streams, and the threads that read them.
pub(super) struct Subscribers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<Latencies>>>,
}

/// One stream and what of it has come.
struct Stream {
    socket: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// Opens a stream at `addr` that watches one topic.
pub(super) fn subscribe(addr: SocketAddr, topic: &str) -> Result<TcpStream> {
    let client = SseClient::connect(addr, CONNECT_DEADLINE)?;
    client.subscribe(&[topic], None)?.success()?;
    Ok(client.into_stream())
}

impl Subscribers {
    /// Reads `streams` until [`Subscribers::finish`].
    pub(super) fn start(streams: Vec<TcpStream>) -> Result<Subscribers> {
        let (begun, delivered, over) =
            (Instant::now(), AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { begun, delivered, over });
        let mut parts: Vec<Vec<TcpStream>> = (0..THREADS).map(|_| Vec::new()).collect();
        for (number, stream) in streams.into_iter().enumerate() {
            stream.set_nonblocking(true)?;
            parts[number % THREADS].push(stream);
        }
        let start = |part: Vec<TcpStream>| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || read_all(part, &shared))
        };
        let threads = parts.into_iter().map(start).collect();
        Ok(Subscribers { shared, threads })
    }

    /// Since the start, in microseconds: what a record carries as `sent`.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.shared.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Events that have come.
    pub(super) fn delivered(&self) -> usize {
        self.shared.delivered.load(Ordering::Relaxed)
    }

    /// Ends the streams; gives the delays of events that carried a time.
    pub(super) fn finish(self) -> Result<Latencies> {
        self.shared.over.store(true, Ordering::Relaxed);
        let mut delays = Latencies::default();
        for thread in self.threads {
            delays.merge(thread.join().map_err(|_| anyhow!("a subscriber panicked"))??);
        }
        Ok(delays)
    }
}

fn read_all(sockets: Vec<TcpStream>, shared: &Shared) -> Result<Latencies> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut streams = Vec::with_capacity(sockets.len());
    for (number, socket) in sockets.into_iter().enumerate() {
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(&poll, socket.as_fd(), data, epoll::EventFlags::IN)?;
        streams.push(Stream { socket, buffer: vec![0; 4 << 10], filled: 0 });
    }
    let mut delays = Latencies::default();
    let mut ready = Vec::with_capacity(EVENTS_AT_ONCE);
    while !shared.over.load(Ordering::Relaxed) {
        ready.clear();
        epoll::wait(&poll, rustix::buffer::spare_capacity(&mut ready), Some(&LOOK_EVERY))?;
        for event in &ready {
            let number = usize::try_from(event.data.u64()).context("a number of a stream")?;
            streams[number].read(shared, &mut delays)?;
        }
    }
    Ok(delays)
}

impl Stream {
    fn read(&mut self, shared: &Shared, delays: &mut Latencies) -> Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.socket.read(&mut self.buffer[self.filled..]) {
            Ok(0) => return Err(anyhow!("the server closed a realtime stream")),
            Ok(count) => self.filled += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error).context("failed to read a realtime stream"),
        }
        let now = shared.begun.elapsed();
        let mut start = 0;
        while let Some(end) = find(&self.buffer[start..self.filled], b"\n\n") {
            if let Some(sent) = sent_at(&self.buffer[start..start + end]) {
                shared.delivered.fetch_add(1, Ordering::Relaxed);
                if !sent.is_zero() {
                    delays.add(now.saturating_sub(sent));
                }
            }
            start += end + 2;
        }
        self.buffer.copy_within(start..self.filled, 0);
        self.filled -= start;
        Ok(())
    }
}

/// The time in an event, counted from the start; zero where delays are not measured.
fn sent_at(event: &[u8]) -> Option<Duration> {
    let digits = &event[find(event, SENT)? + SENT.len()..];
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let micros = std::str::from_utf8(&digits[..length]).ok()?.parse().ok()?;
    Some(Duration::from_micros(micros))
}
