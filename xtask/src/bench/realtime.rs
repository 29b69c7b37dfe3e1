//! A thousand subscribers of one collection: what a delivery costs and how long it takes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use pando_testkit::{HttpClient, Request, Server, wait_for};
use serde_json::json;

use super::subscribers::{Subscribers, subscribe};
use super::table::Row;

const SUBSCRIBER_COUNT: usize = 1000;
const WRITES_PER_SECOND: u32 = 10;
const SATURATING_WRITERS: usize = 4;
/// How long the deliveries of all writes may take after the last write.
const DRAIN_DEADLINE: Duration = Duration::from_secs(30);
const RECORDS: &str = "/api/collections/ticks/records";

pub(super) fn measure(server: &Server, root: &str, quick: bool) -> Result<Vec<Row>> {
    let streams = (0..SUBSCRIBER_COUNT)
        .map(|_| subscribe(server.addr(), "ticks/*"))
        .collect::<Result<Vec<_>>>()
        .context("failed to open the subscriptions")?;
    let memory = super::mebibytes(server.rss_bytes()?);
    let mut rows = vec![Row::value("realtime: memory with 1,000 subscribers", "MiB", memory)];
    let seconds = if quick { 3 } else { 6 };
    let subscribers = Subscribers::start(streams)?;
    let steady = steady(server, &subscribers, root, seconds)?;
    let saturated = saturated(server, &subscribers, root, seconds / 2)?;
    let mut delays = subscribers.finish()?;
    rows.push(Row::value("realtime: CPU per delivery, 10 writes/s", "µs", steady));
    rows.push(Row::value("realtime: p50 delay, 10 writes/s", "ms", delays.percentile_ms(50)));
    rows.push(Row::value("realtime: p99 delay, 10 writes/s", "ms", delays.percentile_ms(99)));
    rows.push(Row::value("realtime: CPU per delivery, saturated", "µs", saturated.0));
    rows.push(Row::rate("realtime: deliveries, saturated", "1/s", saturated.1));
    Ok(rows)
}

/// Writes at a fixed pace; gives CPU microseconds per delivery.
fn steady(server: &Server, subscribers: &Subscribers, root: &str, seconds: u32) -> Result<f64> {
    let mut client = server.client();
    let (cpu_before, delivered_before) = (server.cpu_time()?, subscribers.delivered());
    let begun = Instant::now();
    let count = WRITES_PER_SECOND * seconds;
    for number in 0..count {
        let due = Duration::from_secs(1) / WRITES_PER_SECOND * number;
        thread::sleep(due.saturating_sub(begun.elapsed()));
        write(&mut client, root, subscribers.now())?;
    }
    drain(subscribers, delivered_before + count as usize * SUBSCRIBER_COUNT)?;
    per_delivery(server, subscribers, cpu_before, delivered_before)
}

/// Writes as fast as the server answers; gives CPU per delivery and deliveries per second.
fn saturated(
    server: &Server,
    subscribers: &Subscribers,
    root: &str,
    seconds: u32,
) -> Result<(f64, f64)> {
    let (cpu_before, delivered_before) = (server.cpu_time()?, subscribers.delivered());
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
    drain(subscribers, delivered_before + written * SUBSCRIBER_COUNT)?;
    let elapsed = begun.elapsed().as_secs_f64();
    let delivered = subscribers.delivered() - delivered_before;
    let cpu = per_delivery(server, subscribers, cpu_before, delivered_before)?;
    Ok((cpu, delivered as f64 / elapsed))
}

fn write(client: &mut HttpClient, root: &str, sent: u64) -> Result<()> {
    let body = json!({ "sent": sent, "text": "a tick" });
    client.send(&Request::post(RECORDS).token(root).json(&body))?.success()?;
    Ok(())
}

/// Waits until so many events have come.
pub(super) fn drain(subscribers: &Subscribers, expected: usize) -> Result<()> {
    wait_for("the delivery of all events", DRAIN_DEADLINE, || {
        Ok((subscribers.delivered() >= expected).then_some(()))
    })
}

fn per_delivery(
    server: &Server,
    subscribers: &Subscribers,
    cpu_before: Duration,
    delivered_before: usize,
) -> Result<f64> {
    let delivered = subscribers.delivered() - delivered_before;
    let cpu = server.cpu_time()? - cpu_before;
    Ok(cpu.as_secs_f64() * 1e6 / delivered.max(1) as f64)
}
