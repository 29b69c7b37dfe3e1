//! `cargo xtask bench`: what Pando costs. `bench app`: Pando and its peers in turn on copies of the same data.
//!
//! *Units*: latencies in milliseconds, CPU of the server process in microseconds per request
//! (user and system, from `/proc`), memory in MiB.
//! *Bounds*: a full run takes under 15 minutes, `--quick` under 3.

mod balancer;
mod data;
mod database;
mod latency;
mod load;
mod moving;
mod realtime;
mod requests;
mod servers;
mod subscribers;
mod table;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pando_testkit::server::find_binary;
use pando_testkit::{Product, RootClient, Server, fixture};

use data::Dataset;
use load::{Load, Measured};
use table::Row;

const USAGE: &str = "usage: cargo xtask bench database [--help]
       cargo xtask bench move [--help]
       cargo xtask bench servers [--help]
       cargo xtask bench balancer [--help]
       cargo xtask bench app [--quick] [--peers pando,pocketbase] \
[--concurrency 1,16,64] [--only WORD] [--no-save]

Runs every workload against each server on a copy of the same data (10,000 posts, 1,000 users) and
prints a table, which is also saved under bench/results/.

  --quick          one second per workload instead of three, one concurrency (64)
  --peers LIST     which servers, in this order
  --concurrency L  connections for the basic workloads
  --only WORD      only workloads whose name contains the word
  --no-save        only print";
const COLD_STARTS: usize = 5;
/// Memory is read once the server has had this long to settle after its start.
const IDLE_AFTER: Duration = Duration::from_secs(2);

struct Options {
    peers: Vec<Product>,
    concurrency: Vec<usize>,
    quick: bool,
    only: Option<String>,
    save: bool,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|word| name.contains(word.as_str()))
    }

    fn duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 3 })
    }
}

/// Runs the command.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if let [suite, rest @ ..] = args {
        match suite.as_str() {
            "move" => return moving::run(rest),
            "database" => return database::run(rest),
            "servers" => return servers::run(rest),
            "balancer" => return balancer::run(rest),
            _ => {}
        }
    }
    let Some(options) = parse(args)? else {
        println!("{USAGE}");
        return Ok(());
    };
    for peer in &options.peers {
        find_binary(*peer)?;
    }
    let started = Instant::now();
    let dataset = Dataset::ready()?;
    let mut columns = Vec::new();
    for peer in &options.peers {
        println!("measuring {} …", peer.name());
        columns.push(measure(*peer, &dataset, &options)?);
    }
    let report = table::render(&options.peers, &columns, started.elapsed(), options.quick)?;
    println!("{report}");
    if options.save {
        let name = format!("app-{}.md", table::today());
        println!("saved as {}", save(&name, &report)?.display());
    }
    Ok(())
}

fn parse(args: &[String]) -> Result<Option<Options>> {
    let mut options = Options {
        peers: vec![Product::Oracle, Product::Pando],
        concurrency: Vec::new(),
        quick: false,
        only: None,
        save: true,
    };
    let Some((suite, args)) = args.split_first() else { return Ok(None) };
    if suite != "app" {
        bail!("unknown benchmark {suite:?}\n{USAGE}");
    }
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "--quick" => options.quick = true,
            "--no-save" => options.save = false,
            "--only" => options.only = Some(value()?.clone()),
            "--peers" => options.peers = value()?.split(',').map(peer).collect::<Result<_>>()?,
            "--concurrency" => {
                let numbers = value()?.split(',').map(str::parse);
                options.concurrency =
                    numbers.collect::<Result<_, _>>().context("bad --concurrency")?;
            }
            "--help" | "-h" => return Ok(None),
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    if options.concurrency.is_empty() {
        options.concurrency = if options.quick { vec![64] } else { vec![1, 16, 64] };
    }
    Ok(Some(options))
}

fn peer(name: &str) -> Result<Product> {
    match name {
        "pando" => Ok(Product::Pando),
        "pocketbase" => Ok(Product::Oracle),
        other => bail!("unknown peer {other:?}\nhint: pando, pocketbase"),
    }
}

/// All rows of one server.
fn measure(product: Product, dataset: &Dataset, options: &Options) -> Result<Vec<Row>> {
    let dir = fixture::temp_dir()?;
    let path = dir.path().join("data");
    fixture::copy_dir(dataset.dir(), &path)?;
    let mut rows = Vec::new();
    let cold_start = cold_start(product, &path)?;
    rows.push(Row::value("cold start", "ms", cold_start.as_secs_f64() * 1000.0));
    let mut server = Server::start(product, &path)?;
    std::thread::sleep(IDLE_AFTER);
    rows.push(Row::value("idle memory", "MiB", mebibytes(server.rss_bytes()?)));
    let root = RootClient::login(&server, data::ROOT_EMAIL, data::PASSWORD)?;
    let tokens = requests::Tokens { root: root.token().to_owned(), user: user_token(&server)? };
    for workload in requests::basic(dataset, &tokens) {
        let one_at_a_time = [16];
        let concurrency: &[usize] =
            if workload.slow { &one_at_a_time } else { &options.concurrency };
        for connections in concurrency {
            run_workload(&server, &workload, *connections, options, &mut rows)?;
        }
    }
    rows.push(Row::value(
        "memory after the basic workloads",
        "MiB",
        mebibytes(server.rss_bytes()?),
    ));
    for workload in requests::published(dataset, &tokens) {
        run_workload(&server, &workload, workload.connections, options, &mut rows)?;
    }
    if options.wants("realtime") {
        rows.extend(realtime::measure(&server, &tokens.root, options.quick)?);
    }
    rows.push(Row::value("peak memory", "MiB", mebibytes(server.rss_peak_bytes()?)));
    server.stop()?;
    Ok(rows)
}

fn run_workload(
    server: &Server,
    workload: &requests::Workload,
    connections: usize,
    options: &Options,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let name = format!("{}, {connections} conn.", workload.name);
    if !options.wants(&name) {
        return Ok(());
    }
    let (requests, duration) = (&workload.requests, options.duration());
    let load = Load { requests, connections, duration, rate: None, database: None };
    let measured: Measured = load.run(server).with_context(|| name.clone())?;
    println!("  {name}: {measured}");
    rows.push(Row::requests(name, measured));
    Ok(())
}

/// The median of a few starts, from spawning the process to its first healthy answer.
fn cold_start(product: Product, path: &std::path::Path) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..COLD_STARTS {
        let mut server = Server::start(product, path)?;
        times.push(server.start_time());
        server.stop()?;
    }
    times.sort_unstable();
    Ok(times[COLD_STARTS / 2])
}

fn user_token(server: &Server) -> Result<String> {
    let body = serde_json::json!({ "identity": data::USER_EMAIL, "password": data::PASSWORD });
    let path = "/api/collections/users/auth-with-password";
    let answer = server.client().send(&pando_testkit::Request::post(path).json(&body))?;
    let answer = answer.success()?.json()?;
    Ok(answer["token"].as_str().context("login without token")?.to_owned())
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Keeps a report under that name; gives its place.
fn save(name: &str, report: &str) -> Result<PathBuf> {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/results"));
    fs::create_dir_all(&dir).context("failed to make bench/results")?;
    let path = dir.canonicalize()?.join(name);
    fs::write(&path, report).with_context(|| format!("failed to write {}", path.display()))?;
    Ok(path)
}
