//! A thousand subscribers of one collection: what a delivery costs and how long it takes.

use std::io::Read;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use pando_testkit::sse::SseClient;
use pando_testkit::{HttpClient, Request, Server, wait_for};
use serde_json::json;

use super::latency::Latencies;
use super::load::find;
use super::table::Row;

const SUBSCRIBER_COUNT: usize = 1000;
const CONNECT_DEADLINE: Duration = Duration::from_secs(30);
const WRITES_PER_SECOND: u32 = 10;
const SATURATING_WRITERS: usize = 4;
/// How long the deliveries of all writes may take after the last write.
const DRAIN_DEADLINE: Duration = Duration::from_secs(30);
/// A subscriber looks this often whether the run is over.
const READ_TIMEOUT: Duration = Duration::from_millis(200);
const STACK_BYTES: usize = 128 << 10;
const RECORDS: &str = "/api/collections/ticks/records";
/// Where an event carries the time at which its record was sent.
const SENT: &[u8] = b"\"sent\":";

/// What all threads share.
struct Shared {
    begun: Instant,
    delivered: AtomicUsize,
    over: AtomicBool,
}

pub(super) fn measure(server: &Server, root: &str, quick: bool) -> Result<Vec<Row>> {
    let shared = Shared {
        begun: Instant::now(),
        delivered: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    };
    let streams = (0..SUBSCRIBER_COUNT)
        .map(|_| subscribe(server))
        .collect::<Result<Vec<_>>>()
        .context("failed to open the subscriptions")?;
    let memory = super::mebibytes(server.rss_bytes()?);
    let mut rows = vec![Row::value("realtime: memory with 1,000 subscribers", "MiB", memory)];
    let seconds = if quick { 3 } else { 6 };
    thread::scope(|scope| {
        let mut readers = Vec::new();
        for stream in streams {
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            readers.push(builder.spawn_scoped(scope, || read(stream, &shared))?);
        }
        let measured = steady(server, &shared, root, seconds)
            .and_then(|steady| Ok((steady, saturated(server, &shared, root, seconds / 2)?)));
        shared.over.store(true, Ordering::Relaxed);
        let mut delays = Latencies::default();
        for reader in readers {
            delays.merge(reader.join().map_err(|_| anyhow!("a subscriber panicked"))??);
        }
        let (steady, saturated) = measured?;
        rows.push(Row::value("realtime: CPU per delivery, 10 writes/s", "µs", steady));
        rows.push(Row::value("realtime: p50 delay, 10 writes/s", "ms", delays.percentile_ms(50)));
        rows.push(Row::value("realtime: p99 delay, 10 writes/s", "ms", delays.percentile_ms(99)));
        rows.push(Row::value("realtime: CPU per delivery, saturated", "µs", saturated.0));
        rows.push(Row::rate("realtime: deliveries, saturated", "1/s", saturated.1));
        Ok(rows)
    })
}

fn subscribe(server: &Server) -> Result<TcpStream> {
    let client = SseClient::connect(server.addr(), CONNECT_DEADLINE)?;
    client.subscribe(&["ticks/*"], None)?.success()?;
    Ok(client.into_stream())
}

/// Counts events; keeps the delay of those sent in the steady phase (they carry a time).
fn read(mut stream: TcpStream, shared: &Shared) -> Result<Latencies> {
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    let mut delays = Latencies::default();
    let mut buffer = vec![0; 16 << 10];
    let mut filled = 0;
    while !shared.over.load(Ordering::Relaxed) {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Err(anyhow!("the server closed a realtime stream")),
            Ok(count) => filled += count,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => continue,
            Err(error) => return Err(error).context("failed to read a realtime stream"),
        }
        let now = shared.begun.elapsed();
        let mut start = 0;
        while let Some(end) = find(&buffer[start..filled], b"\n\n") {
            if let Some(sent) = sent_at(&buffer[start..start + end]) {
                shared.delivered.fetch_add(1, Ordering::Relaxed);
                if !sent.is_zero() {
                    delays.add(now.saturating_sub(sent));
                }
            }
            start += end + 2;
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
    }
    Ok(delays)
}

/// The time in an event, counted from the begin of the run; zero in the saturated phase.
fn sent_at(event: &[u8]) -> Option<Duration> {
    let digits = &event[find(event, SENT)? + SENT.len()..];
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let micros = std::str::from_utf8(&digits[..length]).ok()?.parse().ok()?;
    Some(Duration::from_micros(micros))
}

/// Writes at a fixed pace; gives CPU microseconds per delivery.
fn steady(server: &Server, shared: &Shared, root: &str, seconds: u32) -> Result<f64> {
    let mut client = server.client();
    let (cpu_before, delivered_before) =
        (server.cpu_time()?, shared.delivered.load(Ordering::Relaxed));
    let begun = Instant::now();
    let count = WRITES_PER_SECOND * seconds;
    for number in 0..count {
        let due = Duration::from_secs(1) / WRITES_PER_SECOND * number;
        thread::sleep(due.saturating_sub(begun.elapsed()));
        let sent = shared.begun.elapsed().as_micros();
        write(&mut client, root, u64::try_from(sent)?)?;
    }
    drain(shared, delivered_before + count as usize * SUBSCRIBER_COUNT)?;
    per_delivery(server, shared, cpu_before, delivered_before)
}

/// Writes as fast as the server answers; gives CPU per delivery and deliveries per second.
fn saturated(server: &Server, shared: &Shared, root: &str, seconds: u32) -> Result<(f64, f64)> {
    let (cpu_before, delivered_before) =
        (server.cpu_time()?, shared.delivered.load(Ordering::Relaxed));
    let begun = Instant::now();
    let duration = Duration::from_secs(seconds.into());
    let written = thread::scope(|scope| {
        let writers: Vec<_> = (0..SATURATING_WRITERS)
            .map(|_| {
                scope.spawn(|| -> Result<usize> {
                    let mut client = server.client();
                    let mut count = 0;
                    // Not further ahead than the buffers of a slow subscriber reach.
                    while begun.elapsed() < duration {
                        write(&mut client, root, 0)?;
                        count += 1;
                    }
                    Ok(count)
                })
            })
            .collect();
        let mut written = 0;
        for writer in writers {
            written += writer.join().map_err(|_| anyhow!("a writer panicked"))??;
        }
        Ok::<usize, anyhow::Error>(written)
    })?;
    drain(shared, delivered_before + written * SUBSCRIBER_COUNT)?;
    let elapsed = begun.elapsed().as_secs_f64();
    let delivered = shared.delivered.load(Ordering::Relaxed) - delivered_before;
    let cpu = per_delivery(server, shared, cpu_before, delivered_before)?;
    Ok((cpu, delivered as f64 / elapsed))
}

fn write(client: &mut HttpClient, root: &str, sent: u64) -> Result<()> {
    let body = json!({ "sent": sent, "text": "a tick" });
    client.send(&Request::post(RECORDS).token(root).json(&body))?.success()?;
    Ok(())
}

fn drain(shared: &Shared, expected: usize) -> Result<()> {
    wait_for("the delivery of all events", DRAIN_DEADLINE, || {
        Ok((shared.delivered.load(Ordering::Relaxed) >= expected).then_some(()))
    })
}

fn per_delivery(
    server: &Server,
    shared: &Shared,
    cpu_before: Duration,
    delivered_before: usize,
) -> Result<f64> {
    let delivered = shared.delivered.load(Ordering::Relaxed) - delivered_before;
    let cpu = server.cpu_time()? - cpu_before;
    Ok(cpu.as_secs_f64() * 1e6 / delivered.max(1) as f64)
}
