//! `cargo xtask bench balancer`: what the balancer costs and how evenly it shares, beside Debian's
//! nginx and HAProxy in the same run.
//!
//! *Units*: CPU of the proxy's processes in microseconds per request (user and system, from
//! `/proc`); latencies in milliseconds; memory in KiB per connection.
//! *Bounds*: under 4 minutes, `--quick` under 2.

mod cost;
mod idle;
mod share;
mod tools;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pando_testkit::server::find_binary;
use pando_testkit::{Product, ProxyProduct, fixture};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::table;
use crate::setup;

const USAGE: &str = "usage: cargo xtask bench balancer [--quick] [--only PART] [--no-save]

Pando's balancer, nginx and HAProxy in turn, one worker each, with the same task in front of the
same nginx: CPU per request, added latency, memory of idle connections. Then how evenly each shares
requests among equal upstreams, and what one slow upstream does to latency.

  --quick      fewer and shorter rounds
  --only PART  cost, idle or share
  --no-save    only print";

/// What all parts need.
struct Bench {
    pando: PathBuf,
    quick: bool,
}

/// Runs the command.
pub(super) fn run(args: &[String]) -> Result<()> {
    let (mut quick, mut only, mut save) = (false, None, true);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => quick = true,
            "--no-save" => save = false,
            "--only" => only = Some(args.next().context("--only needs a part")?.as_str()),
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    if let Some(part) = only.filter(|part| !["cost", "idle", "share"].contains(part)) {
        bail!("unknown part {part:?}\n{USAGE}");
    }
    setup::peers(&["nginx", "haproxy", "wrk", "nghttp2-client", "openssl"])?;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let started = Instant::now();
    let bench = Bench { pando: find_binary(Product::Pando)?, quick };
    let wants = |part: &str| only.is_none_or(|only| only == part);
    let mut text = versions(&bench)?;
    if wants("cost") {
        text += &cost::run(&bench)?;
    }
    if wants("idle") {
        text += &idle::run(&bench)?;
    }
    if wants("share") {
        text += &share::run(&bench)?;
    }
    let report = table::title("balancer", started.elapsed(), quick)? + &text;
    println!("{report}");
    if save && only.is_none() {
        let name = format!("balancer-{}.md", fixture::today());
        println!("saved as {}", super::save(&name, &report)?.display());
    }
    Ok(())
}

fn versions(bench: &Bench) -> Result<String> {
    let mut text = String::new();
    for product in ProxyProduct::ALL {
        writeln!(text, "- {}: {}", product.name(), product.version(&bench.pando)?)?;
    }
    Ok(text)
}

/// A heading of a table with a column for each proxy.
fn head(text: &mut String, title: &str, remark: &str, first: &str) -> Result<()> {
    writeln!(text, "\n## {title}\n\n{remark}\n\n| {first} | pando | nginx | haproxy |")?;
    writeln!(text, "| --- | ---: | ---: | ---: |")?;
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Bench {
    fn rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    fn time(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 2 })
    }
}
