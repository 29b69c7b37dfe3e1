//! The result as a Markdown table: one row per workload, one group of columns per server.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::Result;
use pando_testkit::{Product, fixture};

use super::load::Measured;

/// One line of the result.
#[derive(Clone, Debug)]
pub(super) struct Row {
    name: String,
    figure: Figure,
}

#[derive(Clone, Copy, Debug)]
enum Figure {
    Requests(Measured),
    /// Less is better.
    Cost(&'static str, f64),
    /// More is better.
    Rate(&'static str, f64),
}

impl Row {
    pub(super) fn requests(name: String, measured: Measured) -> Self {
        Self { name, figure: Figure::Requests(measured) }
    }

    pub(super) fn value(name: &str, unit: &'static str, value: f64) -> Self {
        Self { name: name.to_owned(), figure: Figure::Cost(unit, value) }
    }

    pub(super) fn rate(name: &str, unit: &'static str, value: f64) -> Self {
        Self { name: name.to_owned(), figure: Figure::Rate(unit, value) }
    }
}

/// The whole report.
pub(super) fn render(
    peers: &[Product],
    columns: &[Vec<Row>],
    elapsed: Duration,
    quick: bool,
) -> Result<String> {
    let mut text = head(elapsed, quick)?;
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    write!(text, "| workload |")?;
    for name in &names {
        write!(text, " {name}: requests/s | p50 ms | p99 ms | CPU µs | RSS MiB |")?;
    }
    writeln!(text, " CPU ratio | rate ratio |")?;
    writeln!(text, "| --- |{} ---: | ---: |", " ---: |".repeat(names.len() * 5))?;
    for (index, row) in columns.first().into_iter().flatten().enumerate() {
        let Figure::Requests(_) = row.figure else { continue };
        write!(text, "| {} |", row.name)?;
        let cells: Vec<Figure> =
            columns.iter().filter_map(|rows| rows.get(index)).map(|row| row.figure).collect();
        for cell in &cells {
            write_requests(&mut text, cell)?;
        }
        writeln!(text, " {} |", ratios(&cells))?;
    }
    writeln!(text, "\n| figure | unit | {} | ratio |", names.join(" | "))?;
    writeln!(text, "| --- | --- |{} ---: |", " ---: |".repeat(names.len()))?;
    for (index, row) in columns.first().into_iter().flatten().enumerate() {
        let (Figure::Cost(unit, _) | Figure::Rate(unit, _)) = row.figure else { continue };
        write!(text, "| {} | {unit} |", row.name)?;
        let values: Vec<f64> = columns
            .iter()
            .filter_map(|rows| rows.get(index))
            .map(|row| value(row.figure))
            .collect();
        for value in &values {
            write!(text, " {value:.1} |")?;
        }
        let ratio = match (row.figure, values.as_slice()) {
            (Figure::Rate(..), [first, .., last]) => last / first,
            (_, [first, .., last]) => first / last,
            _ => 1.0,
        };
        writeln!(text, " {ratio:.1} |")?;
    }
    Ok(text)
}

fn value(figure: Figure) -> f64 {
    match figure {
        Figure::Cost(_, value) | Figure::Rate(_, value) => value,
        Figure::Requests(measured) => measured.requests_per_second,
    }
}

fn write_requests(text: &mut String, figure: &Figure) -> Result<()> {
    let Figure::Requests(measured) = figure else { return Ok(()) };
    let mark =
        if measured.errors > 0 { format!(" ({} errors)", measured.errors) } else { String::new() };
    write!(
        text,
        " {:.0}{mark} | {:.2} | {:.2} | {:.1} | {:.0} |",
        measured.requests_per_second,
        measured.p50_ms,
        measured.p99_ms,
        measured.cpu_us_per_request,
        measured.rss_mib
    )?;
    Ok(())
}

/// How many times less CPU and more requests per second the last server needs than the first.
fn ratios(cells: &[Figure]) -> String {
    match cells {
        [Figure::Requests(first), .., Figure::Requests(last)] => format!(
            "{:.1} | {:.1}",
            first.cpu_us_per_request / last.cpu_us_per_request,
            last.requests_per_second / first.requests_per_second
        ),
        _ => "| ".to_owned(),
    }
}

fn head(elapsed: Duration, quick: bool) -> Result<String> {
    let title = title("app", elapsed, quick)?;
    Ok(format!(
        "{title}10,000 posts, 1,000 users; load generator on the same machine. CPU is that of \
         the server process. Ratios: first server to last; above 1 the last one is better. \
         PocketBase commits with synchronous=NORMAL, Pando with FULL.\n\n"
    ))
}

/// What was run, when and where.
pub(super) fn title(suite: &str, elapsed: Duration, quick: bool) -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism()?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let kind = if quick { "quick run" } else { "full run" };
    Ok(format!(
        "# `cargo xtask bench {suite}`, {}\n\n{kind} of {:.0} s, {cores} × {model}, load average at \
         the end {load}.\n",
        today(),
        elapsed.as_secs_f64()
    ))
}

/// The date of today as `2006-01-02`.
pub(super) fn today() -> String {
    fixture::today()
}
