//! `cargo xtask compare`: the same generated requests to PocketBase and to Pando.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use pando_testkit::compare::{
    AREAS, BALANCER_DEVIATIONS, DEVIATIONS, Engine, Options, POSTGRES_DEVIATIONS, Report,
};
use pando_testkit::{Product, Program, Wire};

const USAGE: &str =
    "usage: cargo xtask compare [--requests N] [--seed N] [--only AREA] [--verbose] [--self-test]
       [--database sqlite|postgres] [--servers N] [--balancer http1|http2]

Starts the real PocketBase and Pando on copies of one generated data set, sends both the same
seeded requests and prints each difference. Exit code 1 unless all answers agree.

  --requests N   about how many requests to send (3000)
  --seed N       another data set and other requests (1)
  --only AREA    one area of the API
  --verbose      print every difference, not only the first ones of each area
  --database D   where Pando has its records (sqlite)
  --servers N    so many servers on one database; each request goes to any of them (1)
  --balancer W   a load balancer before the servers, and what it is spoken to by: HTTP/1.1, or
                 HTTP/2 over TLS
  --self-test    PocketBase on both sides: shows what the comparison itself gets wrong";
const REQUEST_COUNT: usize = 3000;
/// Without `--verbose`: enough to see a pattern.
const DIFFERENCES_PER_AREA_MAX: usize = 8;

/// Runs the command.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let Some((options, verbose)) = parse(args)? else {
        println!("{USAGE}\n\nareas: {}", area_names());
        return Ok(());
    };
    let started = Instant::now();
    let mut report = pando_testkit::compare::run(&options)?;
    let (agreed, count) = (report.agreed(), report.differences.len());
    if !verbose {
        shorten(&mut report);
    }
    let hidden = count - report.differences.len();
    println!("{report}, {:.1} s", started.elapsed().as_secs_f64());
    if hidden > 0 {
        println!("{hidden} of {count} differences not shown; --verbose shows all");
    }
    for deviation in DEVIATIONS.iter().chain(POSTGRES_DEVIATIONS).chain(BALANCER_DEVIATIONS) {
        println!("deviation {:?}: {}", deviation.name, deviation.reason);
    }
    if !agreed {
        bail!("the answers differ in {count} of {} steps", report.total().steps);
    }
    Ok(())
}

/// The options and whether to print everything; `None` asks for help.
fn parse(args: &[String]) -> Result<Option<(Options, bool)>> {
    let (mut requests, mut seed, mut only) = (REQUEST_COUNT, 1, None);
    let (mut product, mut engine, mut verbose) = (Product::Pando, Engine::Sqlite, false);
    let (mut servers, mut front) = (1, None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "--requests" => requests = value()?.parse().context("bad --requests")?,
            "--seed" => seed = value()?.parse().context("bad --seed")?,
            "--only" => only = Some(value()?.clone()),
            "--verbose" => verbose = true,
            "--servers" => servers = value()?.parse().context("bad --servers")?,
            "--balancer" => {
                front = match value()?.as_str() {
                    "http1" => Some(Wire::Http1),
                    "http2" => Some(Wire::Http2),
                    other => bail!("unknown protocol {other:?}\n{USAGE}"),
                }
            }
            "--self-test" => product = Product::Oracle,
            "--database" => {
                engine = match value()?.as_str() {
                    "sqlite" => Engine::Sqlite,
                    "postgres" => Engine::Postgres,
                    other => bail!("unknown database {other:?}\n{USAGE}"),
                }
            }
            "--help" | "-h" => return Ok(None),
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    if product == Product::Oracle && engine == Engine::Postgres {
        bail!("PocketBase has no database on PostgreSQL\n{USAGE}");
    }
    if (servers != 1 || front.is_some()) && engine == Engine::Sqlite {
        bail!("several servers and a balancer need --database postgres\n{USAGE}");
    }
    let right = Program::find(product)?;
    Ok(Some((Options { requests, seed, only, right, engine, servers, front }, verbose)))
}

fn shorten(report: &mut Report) {
    let mut shown = std::collections::BTreeMap::<&str, usize>::new();
    report.differences.retain(|difference| {
        let count = shown.entry(difference.area).or_default();
        *count += 1;
        *count <= DIFFERENCES_PER_AREA_MAX
    });
}

fn area_names() -> String {
    AREAS.iter().map(|area| area.name).collect::<Vec<_>>().join(", ")
}
