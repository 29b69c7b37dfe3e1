//! What Pando says to the database for each request: one request after the other, when all
//! connections know their statements.

use std::fmt;

use anyhow::{Context, Result, ensure};
use pando_testkit::{Postgres, Server};

use super::CONNECTIONS;
use super::data::Workload;
use super::proxy::Proxy;
use crate::bench::load::Wire;

const REQUESTS: usize = 500;
/// PostgreSQL plans a statement for its values five times before it keeps a plan.
const WARM_UP_REQUESTS: usize = 12 * CONNECTIONS;

/// Figures per request.
#[derive(Clone, Debug)]
pub(super) struct Wired {
    pub(super) round_trips: f64,
    /// Statements that were prepared, though they had been before.
    pub(super) parsed: f64,
    /// Statements without parameters, such as BEGIN and COMMIT.
    pub(super) simple: f64,
    pub(super) calls: f64,
    /// Statements that were planned again.
    pub(super) planned: f64,
    /// What was said, in the words of the statistics.
    pub(super) statements: Vec<String>,
}

pub(super) fn measure(
    server: &Server,
    (postgres, database): (&Postgres, &str),
    proxy: &Proxy,
    workload: &Workload,
) -> Result<Wired> {
    let mut wire = Wire::open(server.addr())?;
    let mut requests = workload.requests.iter().cycle();
    let mut send = |count: usize| -> Result<()> {
        for request in requests.by_ref().take(count) {
            let status = wire.exchange(request)?;
            ensure!((200..300).contains(&status), "{} was answered {status}", workload.name);
        }
        Ok(())
    };
    watch(postgres, Watch::Plans)?;
    send(WARM_UP_REQUESTS)?;
    postgres.sql(database, "SELECT pg_stat_statements_reset()")?;
    let before = proxy.counted();
    send(REQUESTS)?;
    let after = proxy.counted();
    let planned = postgres.sql(database, PLANNED)?;
    let statements = postgres.sql(database, STATEMENTS)?;
    watch(postgres, Watch::Nothing)?;
    let (calls, plans) = planned.split_once('|').context("no statistics")?;
    let each = |count: f64| count / REQUESTS as f64;
    Ok(Wired {
        round_trips: each((after.round_trips - before.round_trips) as f64),
        parsed: each((after.parsed - before.parsed) as f64),
        simple: each((after.simple - before.simple) as f64),
        calls: each(calls.parse().context("bad statistics")?),
        planned: each(plans.parse().context("bad statistics")?),
        statements: statements.lines().map(str::to_owned).collect(),
    })
}

/// Statements that are planned at all; this question is none of them.
const PLANNED: &str = "SELECT coalesce(sum(calls), 0), coalesce(sum(plans), 0) \
                       FROM pg_stat_statements \
                       WHERE query !~* '^(begin|commit|rollback)' AND query !~ 'pg_stat_statements'";

/// The statements themselves, on a line each.
const STATEMENTS: &str = "SELECT regexp_replace(query, '\\s+', ' ', 'g') FROM pg_stat_statements \
                          WHERE query !~ 'pg_stat_statements' ORDER BY calls DESC, query";

/// What the server keeps statistics of.
pub(super) enum Watch {
    Nothing,
    Plans,
}

/// Planning is only watched while it is counted: that costs.
pub(super) fn watch(postgres: &Postgres, what: Watch) -> Result<()> {
    let (track, planning) = match what {
        Watch::Nothing => ("none", "off"),
        Watch::Plans => ("all", "on"),
    };
    postgres.sql("postgres", &format!("ALTER SYSTEM SET pg_stat_statements.track = '{track}'"))?;
    let planning = format!("ALTER SYSTEM SET pg_stat_statements.track_planning = {planning}");
    postgres.sql("postgres", &planning)?;
    postgres.sql("postgres", "SELECT pg_reload_conf()").map(drop)
}

impl fmt::Display for Wired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} round trips, {:.2} of {:.2} statements planned, {:.2} prepared anew",
            self.round_trips, self.planned, self.calls, self.parsed
        )
    }
}
