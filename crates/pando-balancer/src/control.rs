//! The control loop: what the balancer believes about its upstreams, four times a second.
//!
//! It takes no input but what it reads, so a wake-up too many does no harm and one too few is made
//! up for by the next round.

use std::sync::Arc;
use std::time::Duration;

use pando_topology::{Health, Outlier, Pressure, Shedding, ejections_max};
use tracing::{info, warn};

use crate::members::Registry;
use crate::pressure;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::upstream::Upstream;

const PERIOD: Duration = Duration::from_millis(250);
/// How often limits follow latencies, clients are forgotten and memory is looked at.
const SLOW_EACH: u32 = 4;

/// Runs until the process stops.
pub(crate) async fn run(shared: Arc<Shared>) -> anyhow::Result<()> {
    let stopping = shared.life.stopping.clone();
    let registry = Registry(Arc::clone(&shared));
    let mut round: u32 = 0;
    while !stopping.is_cancelled() {
        let current = shared.current();
        let settings = &current.settings;
        let now = shared.elapsed();
        eject(&shared, settings, now);
        if round.is_multiple_of(SLOW_EACH) {
            registry.expire();
            adapt(&shared, settings);
            shared.clients.sweep(now);
            shed(&shared, settings);
        }
        shared.pool.muster(now, settings);
        mark_down(&shared);
        // What happens during the drain is decided as before, so the loop goes on until the end.
        tokio::select! {
            biased;
            () = stopping.cancelled() => {}
            () = shared.pool.changed.notified() => {}
            () = tokio::time::sleep(PERIOD) => round = round.wrapping_add(1),
        }
    }
    Ok(())
}

/// Takes out upstreams that fail their requests, as far as the pool can do without them.
fn eject(shared: &Shared, settings: &Settings, now: Duration) {
    let all = shared.pool.all();
    let fit = |upstream: &Arc<Upstream>| {
        let control = upstream.control();
        control.checked.health() == Health::Up && !control.leaving && !control.outlier.ejected(now)
    };
    let out = |upstream: &Arc<Upstream>| upstream.control().outlier.ejected(now);
    let mut out_count = all.iter().filter(|upstream| out(upstream)).count();
    let mut fit_count = all.iter().filter(|upstream| fit(upstream)).count();
    for upstream in &all {
        let failures = upstream.consecutive_failures();
        let mut control = upstream.control();
        let was_out = control.outlier.until(now).is_some();
        let deserves = control.outlier.observe(upstream.sums(), failures, now, &settings.outlier);
        if !deserves || was_out {
            continue;
        }
        // The last two stay, however bad they are.
        if out_count >= ejections_max(all.len()) || fit_count <= 2 {
            continue;
        }
        control.outlier.eject(now, &settings.outlier);
        control.serving_since = control.outlier.until(now);
        upstream.forgive();
        out_count += 1;
        fit_count = fit_count.saturating_sub(1);
        shared.figures.ejections.increment();
        warn!(upstream = %upstream.address, times = control.outlier.ejections(), failures,
            "an upstream fails its requests and is left out for a while");
    }
}

/// Lets the limits of upstreams follow their latencies.
fn adapt(shared: &Shared, settings: &Settings) {
    for upstream in shared.pool.all() {
        let mut control = upstream.control();
        let window = upstream.window(&mut control);
        if settings.adaptive_concurrency {
            control.concurrency.observe(window, settings.concurrency);
            upstream.set_limit(control.concurrency.limit());
        } else {
            upstream.set_limit(u32::MAX);
        }
    }
}

/// Tells requests that wait for an upstream which is down that they need not, if others serve.
fn mark_down(shared: &Shared) {
    let serving = shared.pool.serving();
    for upstream in shared.pool.all() {
        let serves = serving.entries.iter().any(|(other, _)| other.id == upstream.id);
        let ill = matches!(upstream.control().checked.health(), Health::Failing | Health::Gone);
        let down = ill && !serves && !serving.entries.is_empty();
        if down != upstream.down() {
            upstream.set_down(down);
            shared.stir();
        }
    }
}

/// Looks how much memory and how many files are left.
fn shed(shared: &Shared, settings: &Settings) {
    let pressure: Pressure = pressure::measure(settings.memory_bytes_max);
    let shedding = Shedding::of(pressure);
    if shedding == shared.shedding() {
        return;
    }
    let (memory, files) = (pressure.memory * 100.0, pressure.files * 100.0);
    match shedding == Shedding::NONE {
        true => info!(memory, files, "there is enough memory again, nothing is refused"),
        false => warn!(memory, files, "memory or files run out, the least urgent are refused"),
    }
    shared.set_shedding(shedding);
}

/// For the status page: when an ejection ends.
pub(crate) fn ejected_for(outlier: &Outlier, now: Duration) -> Option<Duration> {
    outlier.until(now).map(|until| until.saturating_sub(now))
}
