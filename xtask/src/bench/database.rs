//! `cargo xtask bench database`: what Pando costs PostgreSQL, beside the same statements by hand.
//!
//! *Units*: CPU of all processes of the database server in microseconds per operation (user and
//! system, from `/proc`, ended processes included); round trips per operation, counted on the
//! wire.
//! *Bounds*: a full run takes under 5 minutes, `--quick` under 2.

mod by_hand;
pub(super) mod data;
mod proxy;
mod table;
mod wire;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pando_testkit::server::{Product, Program};
use pando_testkit::{Postgres, PostgresSetup, Server, fixture};

use super::load::{Load, Measured};
use by_hand::Spent;
use data::{Script, Workload};
use proxy::Proxy;
use table::{Cost, Row};

const USAGE: &str = "usage: cargo xtask bench database [--quick] [--only WORD] [--no-save]

Runs Pando on a PostgreSQL server of its own, and pgbench (-M prepared) with the same statements
written by hand on the same tables. Prints the database's CPU per operation for both, Pando's round
trips and plans per operation, and saves the table under bench/results/.

  --quick      two seconds per measurement instead of four
  --only WORD  only workloads whose name contains the word
  --no-save    only print";
/// How often Pando and pgbench take turns.
const ROUNDS: usize = 5;
/// Connections to the database, Pando's and pgbench's.
const CONNECTIONS: usize = 20;
/// Connections to Pando.
const CLIENTS: usize = 64;
/// The least that wakes up by itself, the same for both sides; commits are synced.
const SETTINGS: [&str; 3] =
    ["autovacuum=off", "shared_buffers=256MB", "shared_preload_libraries=pg_stat_statements"];

struct Options {
    quick: bool,
    only: Option<String>,
    save: bool,
}

impl Options {
    fn duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 2 } else { 4 })
    }
}

/// Runs the command.
pub(super) fn run(args: &[String]) -> Result<()> {
    let Some(options) = parse(args)? else {
        println!("{USAGE}");
        return Ok(());
    };
    let started = Instant::now();
    let mut bench = Bench::start()?;
    let wanted = |workload: &Workload| {
        options.only.as_ref().is_none_or(|word| workload.name.contains(word.as_str()))
    };
    let workloads: Vec<Workload> = data::workloads().into_iter().filter(wanted).collect();
    let mut costs = Vec::new();
    for workload in &workloads {
        println!("measuring {} …", workload.name);
        costs.push(bench.measure(workload, options.duration())?);
    }
    // One server at a time: two would tell each other what they write.
    let counted = bench.around_the_proxy()?;
    let mut rows = Vec::new();
    for (workload, cost) in workloads.iter().zip(costs) {
        let database = (&bench.postgres, bench.database.as_str());
        let wired = wire::measure(&counted, database, &bench.proxy, workload)?;
        println!("{}: {wired}", workload.name);
        rows.push(Row { cost, wired });
    }
    let report = table::render(&rows, started.elapsed(), options.quick)?;
    println!("{report}");
    if options.save {
        let name = format!("database-{}.md", fixture::today());
        println!("saved as {}", super::save(&name, &report)?.display());
    }
    Ok(())
}

fn parse(args: &[String]) -> Result<Option<Options>> {
    let mut options = Options { quick: false, only: None, save: true };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => options.quick = true,
            "--no-save" => options.save = false,
            "--only" => options.only = Some(args.next().context("--only needs a word")?.clone()),
            "--help" | "-h" => return Ok(None),
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    Ok(Some(options))
}

/// A database with records and what serves from it.
struct Bench {
    postgres: Postgres,
    database: String,
    /// Straight to the database.
    server: Server,
    proxy: Proxy,
    dirs: [tempfile::TempDir; 2],
}

impl Bench {
    fn start() -> Result<Bench> {
        let postgres = Postgres::own(settings())?;
        let database = postgres.new_database()?;
        postgres.sql(&database, "CREATE EXTENSION pg_stat_statements")?;
        wire::watch(&postgres, wire::Watch::Nothing)?;
        let proxy = Proxy::start(&postgres.socket())?;
        let dirs = [fixture::temp_dir()?, fixture::temp_dir()?];
        let path = dirs[0].path().join("data");
        println!("making the data …");
        let straight = pando()?.on_database(&postgres.url(&database));
        straight.upsert_superuser(&path, data::ROOT_EMAIL, data::PASSWORD)?;
        let server = Server::launch(&straight, &path)?;
        data::make(&server)?;
        postgres.sql(&database, "VACUUM ANALYZE")?;
        Ok(Bench { postgres, database, server, proxy, dirs })
    }

    /// Stops the server and starts one that speaks to the database through the proxy, which counts.
    fn around_the_proxy(&mut self) -> Result<Server> {
        self.server.stop()?;
        let around = self.postgres.url_by_way_of(self.proxy.dir(), &self.database);
        Server::launch(&pando()?.on_database(&around), &self.dirs[1].path().join("data"))
    }

    fn measure(&self, workload: &Workload, duration: Duration) -> Result<Cost> {
        let name = workload.name;
        let mut rounds: Vec<(Measured, Vec<f64>)> = Vec::new();
        for _ in 0..ROUNDS {
            self.checkpoint()?;
            let pando = self.load(workload, duration).with_context(|| name.to_owned())?;
            println!("  {pando}, database {:.1} µs", pando.database_cpu_us_per_request);
            let mut by_hand = Vec::new();
            for script in workload.by_hand {
                self.checkpoint()?;
                let rate = Some(pando.requests_per_second);
                by_hand.push(self.by_hand(script, duration, rate)?.cpu_us);
            }
            rounds.push((pando, by_hand));
        }
        let mut by_hand = Vec::new();
        for (index, script) in workload.by_hand.iter().enumerate() {
            let at_full_speed = self.by_hand(script, duration, None)?;
            let ratio = |(pando, by_hand): &(Measured, Vec<f64>)| {
                pando.database_cpu_us_per_request / by_hand[index]
            };
            by_hand.push(ByHand {
                name: script.name,
                cpu_us: median(rounds.iter().map(|(_, by_hand)| by_hand[index])),
                ratio: median(rounds.iter().map(ratio)),
                at_full_speed,
            });
        }
        let pando_cpu_us =
            median(rounds.iter().map(|(pando, _)| pando.database_cpu_us_per_request));
        Ok(Cost { name, by_hand, pando_cpu_us, pando: rounds[ROUNDS - 1].0 })
    }

    fn by_hand(&self, script: &Script, duration: Duration, rate: Option<f64>) -> Result<Spent> {
        by_hand::measure(&self.postgres, &self.database, script, duration, rate)
    }

    /// So that nobody pays for what another wrote.
    fn checkpoint(&self) -> Result<()> {
        self.postgres.sql(&self.database, "CHECKPOINT").map(drop)
    }

    fn load(&self, workload: &Workload, duration: Duration) -> Result<Measured> {
        let load = Load {
            requests: &workload.requests,
            connections: CLIENTS,
            duration,
            rate: None,
            database: Some(&self.postgres),
        };
        load.run(&self.server)
    }
}

/// A server that syncs its commits and wakes up little by itself.
pub(super) fn settings() -> PostgresSetup {
    SETTINGS.iter().fold(PostgresSetup::default().synced(), |setup, line| setup.setting(*line))
}

fn pando() -> Result<Program> {
    let program = Program::find(Product::Pando)?;
    Ok(program.env("PANDO_DATABASE__CONNECTIONS", CONNECTIONS.to_string()))
}

/// What one operation costs the database when it is written by hand.
#[derive(Clone, Copy, Debug)]
struct ByHand {
    name: &'static str,
    /// At the rate at which Pando ran: a process that has to be woken for each operation spends
    /// more on it than one that never sleeps.
    cpu_us: f64,
    /// What Pando costs, of that. The median of the rounds, each of which compares neighbours: this
    /// machine is noisy.
    ratio: f64,
    at_full_speed: Spent,
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
