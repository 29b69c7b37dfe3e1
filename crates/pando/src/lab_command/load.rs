//! `pando lab load`: a load on the lab that runs, with a line each second and a verdict at the end.

use std::{
    fs::File,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use pando_lab::{
    Folder, Order, ask,
    load::{Load, LoadOptions, Routing, Second},
};
use pando_runtime::Lifecycle;
use serde_json::Value;

use super::stopping;
use crate::{cli::LabLoad, output, output::red};

const TICK: Duration = Duration::from_millis(50);
const SECOND: Duration = Duration::from_secs(1);

pub(super) fn run(folder: &Folder, arguments: &LabLoad, life: &Lifecycle) -> anyhow::Result<()> {
    let status: Value = serde_json::from_str(&ask(folder, &Order::Status)?)?;
    let options = options(&status, arguments)?;
    // It replaces the collections of the load before it.
    let lock = File::create(folder.path().join("load.lock")).context("failed to make a lock")?;
    ensure!(lock.try_lock().is_ok(), "another load runs on this lab");
    output::print(&format!(
        "{} clients and {} subscribers on {} servers, {}\n",
        options.clients,
        options.subscribers,
        options.servers.len(),
        arguments.time.map_or_else(|| "until Ctrl-C".to_owned(), |time| format!("for {time:?}"))
    ))?;
    let load = Load::begin(options)?;
    watch(&load, arguments.time, life)?;
    output::print("stopping: streams hear what is left, then all is judged\n")?;
    let report = load.finish()?;
    output::print(&report.to_string())?;
    if !report.passed() {
        bail!("the promises were not kept, or it could not be seen");
    }
    Ok(())
}

fn options(status: &Value, arguments: &LabLoad) -> anyhow::Result<LoadOptions> {
    let nodes = status["nodes"].as_array().context("the lab told something else")?;
    let entrances = nodes.iter().filter(|node| node["entrance"] == true);
    let addresses = entrances.filter_map(|node| node["address"].as_str()?.parse().ok());
    let servers: Vec<SocketAddr> = addresses.collect();
    let superuser = &status["superuser"];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (email, password) = (word(&superuser["email"]), word(&superuser["password"]));
    let mut options = LoadOptions::new(servers, &email, &password);
    options.clients = usize::from(arguments.clients.get());
    options.subscribers = usize::from(arguments.subscribers);
    options.rate = arguments.rate.map(|rate| f64::from(rate.get()));
    options.mix = arguments.mix.unwrap_or(options.mix);
    options.deadline = arguments.deadline;
    options.seed = arguments.seed;
    if arguments.pinned {
        options.routing = Routing::Pinned;
    }
    options.roaming = !arguments.pinned;
    Ok(options)
}

/// Shows each second until the time is over, somebody stops it, or nothing more fits.
fn watch(load: &Load, time: Option<Duration>, life: &Lifecycle) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut shown = 0_u32;
    while !stopping(life) && time.is_none_or(|time| begun.elapsed() < time) {
        thread::sleep(TICK);
        if load.full() {
            return Ok(output::print("no more can be recorded\n")?);
        }
        if begun.elapsed() >= SECOND * (shown + 1) {
            shown += 1;
            output::print(&line(shown, &load.second()))?;
        }
    }
    Ok(())
}

fn line(number: u32, second: &Second) -> String {
    let rate = second.requests as f64 / second.span.as_secs_f64().max(0.001);
    let mut text = format!(
        "{number:>4} s  {rate:>6.0}/s  p50 {:>8}  p99 {:>8}  {:>5} events",
        millis(second.p50),
        millis(second.p99),
        second.events
    );
    if !second.errors.is_empty() {
        let errors: Vec<String> =
            second.errors.iter().map(|(ending, count)| format!("{ending}: {count}")).collect();
        text += &red(&format!("  errors {}", errors.join(", ")));
    }
    text + "\n"
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
