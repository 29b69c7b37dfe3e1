//! The load generator: one thread per connection, requests made beforehand, answers barely parsed.

use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use pando_testkit::{Postgres, Server};

use super::latency::Latencies;

const WARM_UP: Duration = Duration::from_millis(300);
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);
const BUFFER_BYTES: usize = 64 << 10;
const STACK_BYTES: usize = 256 << 10;

/// A closed loop: each connection sends its next request when it has the last answer.
pub(super) struct Load<'a> {
    /// Whole requests; each connection walks through them from another start.
    pub(super) requests: &'a [Vec<u8>],
    pub(super) connections: usize,
    pub(super) duration: Duration,
    /// Requests per second of all connections together; as many as are answered if there is none.
    pub(super) rate: Option<f64>,
    /// The database behind the server, to measure what that spends.
    pub(super) database: Option<&'a Postgres>,
}

/// What one load showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) requests_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) cpu_us_per_request: f64,
    /// Of the database behind the server, if that is measured.
    pub(super) database_cpu_us_per_request: f64,
    pub(super) rss_mib: f64,
    /// Answers other than 2xx.
    pub(super) errors: usize,
}

impl Load<'_> {
    pub(super) fn run(&self, server: &Server) -> Result<Measured> {
        self.run_over(std::slice::from_ref(server))
    }

    /// The same with connections to several servers in turn; what they spend is added up.
    pub(super) fn run_over(&self, servers: &[Server]) -> Result<Measured> {
        ensure!(!self.requests.is_empty(), "a workload without requests");
        let ready = Barrier::new(self.connections + 1);
        let ready = &ready;
        let cpu_time = || servers.iter().map(Server::cpu_time).sum::<Result<Duration>>();
        let rss_bytes = || servers.iter().map(Server::rss_bytes).sum::<Result<u64>>();
        thread::scope(|scope| {
            let mut workers = Vec::new();
            for number in 0..self.connections {
                let builder = thread::Builder::new().stack_size(STACK_BYTES);
                let addr = servers[number % servers.len()].addr();
                let worker = move || self.work(addr, number, ready);
                workers.push(builder.spawn_scoped(scope, worker)?);
            }
            ready.wait();
            let database = || self.database.map_or(Ok(Duration::ZERO), Postgres::cpu_time);
            let (cpu_before, database_before) = (cpu_time()?, database()?);
            let started = Instant::now();
            let mut latencies = Latencies::default();
            let mut errors = 0;
            for worker in workers {
                let (own, own_errors) =
                    worker.join().map_err(|_| anyhow!("a worker panicked"))??;
                latencies.merge(own);
                errors += own_errors;
            }
            let (cpu, elapsed) = (cpu_time()? - cpu_before, started.elapsed());
            let database_cpu = database()? - database_before;
            let count = latencies.count().max(1) as f64;
            Ok(Measured {
                requests_per_second: latencies.count() as f64 / elapsed.as_secs_f64(),
                p50_ms: latencies.percentile_ms(50),
                p99_ms: latencies.percentile_ms(99),
                cpu_us_per_request: cpu.as_secs_f64() * 1e6 / count,
                database_cpu_us_per_request: database_cpu.as_secs_f64() * 1e6 / count,
                rss_mib: super::mebibytes(rss_bytes()?),
                errors,
            })
        })
    }

    fn work(&self, addr: SocketAddr, number: usize, ready: &Barrier) -> Result<(Latencies, usize)> {
        let opened = Wire::open(addr);
        // Steps of a prime spread the starts, so that two connections rarely write one record.
        let mut at = number * 7919;
        let warmed = opened.and_then(|mut wire| {
            let started = Instant::now();
            while started.elapsed() < WARM_UP {
                wire.exchange(&self.requests[at % self.requests.len()])?;
                at += 1;
            }
            Ok(wire)
        });
        // Everyone has to arrive, also who failed, or the others would wait for ever.
        ready.wait();
        let mut wire = warmed?;
        let (mut latencies, mut errors) = (Latencies::default(), 0);
        let begun = Instant::now();
        // Each connection sends at its own times, spread evenly.
        let interval =
            self.rate.map(|rate| Duration::from_secs_f64(self.connections as f64 / rate));
        let mut due = interval.unwrap_or_default() * u32::try_from(number)?
            / u32::try_from(self.connections)?;
        let mut sent = begun;
        while sent.duration_since(begun) < self.duration {
            if let Some(interval) = interval {
                thread::sleep(due.saturating_sub(begun.elapsed()));
                due += interval;
                sent = Instant::now();
            }
            let status = wire.exchange(&self.requests[at % self.requests.len()])?;
            let now = Instant::now();
            latencies.add(now.duration_since(sent));
            errors += usize::from(!(200..300).contains(&status));
            sent = now;
            at += 1;
        }
        Ok((latencies, errors))
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms, {:.1} µs CPU, {:.0} MiB",
            self.requests_per_second,
            self.p50_ms,
            self.p99_ms,
            self.cpu_us_per_request,
            self.rss_mib
        )?;
        if self.errors > 0 {
            write!(f, ", {} ERRORS", self.errors)?;
        }
        Ok(())
    }
}

/// A connection that only finds where an answer ends.
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Wire {
    pub(super) fn open(addr: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(addr).context("failed to connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_DEADLINE))?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES], filled: 0 })
    }

    /// Sends one request and reads its answer; gives the status.
    pub(super) fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).context("failed to send")?;
        self.filled = 0;
        let head_end = loop {
            self.fill()?;
            if let Some(end) = find(&self.buffer[..self.filled], b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = &self.buffer[..head_end];
        let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        let status: u16 = status.context("short answer")?.parse().context("bad status")?;
        match content_length(head) {
            Some(length) => {
                while self.filled < head_end + length {
                    self.fill()?;
                }
            }
            None if status == 204 => {}
            // Chunked: the last chunk is the only place where these bytes end a read.
            None => {
                while !self.buffer[..self.filled].ends_with(b"0\r\n\r\n") {
                    self.fill()?;
                }
            }
        }
        Ok(status)
    }

    fn fill(&mut self) -> Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let count = self.stream.read(&mut self.buffer[self.filled..]).context("failed to read")?;
        if count == 0 {
            bail!("the server closed the connection");
        }
        self.filled += count;
        Ok(())
    }
}

pub(super) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        let value = std::str::from_utf8(value).ok()?;
        name.eq_ignore_ascii_case(NAME).then(|| value.trim().parse().ok())?
    })
}
