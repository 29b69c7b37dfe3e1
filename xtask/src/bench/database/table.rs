//! The result as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::wire::Wired;
use super::{ByHand, CLIENTS, CONNECTIONS};
use crate::bench::load::Measured;
use crate::bench::table;

/// One workload.
pub(super) struct Row {
    pub(super) cost: Cost,
    pub(super) wired: Wired,
}

/// What it costs the database.
pub(super) struct Cost {
    pub(super) name: &'static str,
    pub(super) by_hand: Vec<ByHand>,
    /// Of the database, for each of Pando's requests.
    pub(super) pando_cpu_us: f64,
    pub(super) pando: Measured,
}

pub(super) fn render(rows: &[Row], elapsed: Duration, quick: bool) -> Result<String> {
    let mut text = table::title("database", elapsed, quick)?;
    writeln!(
        text,
        "10,000 records on a PostgreSQL server of its own that syncs its commits; Pando with \
         {CONNECTIONS} connections to it and {CLIENTS} clients, pgbench with {CONNECTIONS}, all on \
         one machine. CPU is that of all processes of the database, in µs per operation; the ratio \
         is Pando's to that by hand at the same rate, in turn; medians of several rounds.\n"
    )?;
    writeln!(
        text,
        "| operation | by hand | CPU for Pando | CPU by hand | ratio | CPU by hand at full speed | Pando's requests/s | full speed by hand |"
    )?;
    writeln!(text, "| --- | --- |{}", " ---: |".repeat(6))?;
    for row in rows {
        let cost = &row.cost;
        for by_hand in &cost.by_hand {
            let cpu_us = cost.pando_cpu_us;
            writeln!(
                text,
                "| {} | {} | {cpu_us:.1} | {:.1} | {:.2} | {:.1} | {:.0} | {:.0} |",
                cost.name,
                by_hand.name,
                by_hand.cpu_us,
                by_hand.ratio,
                by_hand.at_full_speed.cpu_us,
                cost.pando.requests_per_second,
                by_hand.at_full_speed.operations_per_second,
            )?;
        }
    }
    writeln!(
        text,
        "\n| operation | round trips | statements | planned | prepared anew | without parameters | Pando's own CPU µs | p50 ms | p99 ms | errors |"
    )?;
    writeln!(text, "| --- |{}", " ---: |".repeat(9))?;
    for Row { cost: Cost { name, pando, .. }, wired } in rows {
        writeln!(
            text,
            "| {name} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {:.2} | {:.2} | {} |",
            wired.round_trips,
            wired.calls,
            wired.planned,
            wired.parsed,
            wired.simple,
            pando.cpu_us_per_request,
            pando.p50_ms,
            pando.p99_ms,
            pando.errors,
        )?;
    }
    writeln!(text, "\nWhat Pando says to the database:\n")?;
    for row in rows {
        for statement in &row.wired.statements {
            writeln!(text, "- {}: `{statement}`", row.cost.name)?;
        }
    }
    Ok(text)
}
