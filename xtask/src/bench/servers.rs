//! `cargo xtask bench servers`: what several servers on one database cost, and what they cost it.
//!
//! *Units*: CPU in microseconds per request or delivery (user and system, from `/proc`), all servers
//! together; delays in milliseconds; memory in KiB per subscriber.
//! *Bounds*: under 4 minutes.

use std::fmt::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pando_testkit::{Postgres, Product, Program, Request, RootClient, Server, fixture};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use super::database::{data, settings};
use super::load::Load;
use super::realtime::drain;
use super::subscribers::{Subscribers, subscribe};
use super::table;

const USAGE: &str = "usage: cargo xtask bench servers [--quick] [--subscribers N] [--no-save]

Runs the same load over 1, 2, 4 and 8 servers on one PostgreSQL and prints what a request costs them
and the database. Then subscribers over 3 servers, while records are written: what a delivery costs
and how long it takes, beside PocketBase with 1,000 subscribers.

  --quick          one second per workload instead of three
  --subscribers N  over 3 servers (10000)
  --no-save        only print";
const COUNTS: [usize; 4] = [1, 2, 4, 8];
const CONNECTIONS: usize = 32;
/// Requests per second at each server: the load grows with the servers, so that each of them is as
/// busy, and this machine's cores are not.
const RATE: f64 = 150.0;
/// Of each server to the database: all together fit into its 100.
const DATABASE_CONNECTIONS: &str = "8";
const REALTIME_SERVERS: usize = 3;
const PEER_SUBSCRIBERS: usize = 1_000;
/// Records that are written again and again; each has its own subscribers.
const TOPICS: usize = 100;
const WRITES_PER_SECOND: u32 = 100;

struct Options {
    quick: bool,
    subscribers: usize,
    save: bool,
}

/// Runs the command.
pub(super) fn run(args: &[String]) -> Result<()> {
    let Some(options) = parse(args)? else {
        println!("{USAGE}");
        return Ok(());
    };
    // Streams at both ends.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let started = Instant::now();
    let mut text = String::new();
    scaling(&options, &mut text)?;
    realtime(&options, &mut text)?;
    let report = table::title("servers", started.elapsed(), options.quick)? + &text;
    println!("{report}");
    if options.save {
        let name = format!("servers-{}.md", fixture::today());
        println!("saved as {}", super::save(&name, &report)?.display());
    }
    Ok(())
}

fn parse(args: &[String]) -> Result<Option<Options>> {
    let mut options = Options { quick: false, subscribers: 10_000, save: true };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => options.quick = true,
            "--no-save" => options.save = false,
            "--subscribers" => {
                let number = args.next().context("--subscribers needs a number")?;
                options.subscribers = number.parse().context("bad --subscribers")?;
            }
            "--help" | "-h" => return Ok(None),
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    Ok(Some(options))
}

/// The same load over more and more servers.
fn scaling(options: &Options, text: &mut String) -> Result<()> {
    let postgres = Postgres::own(settings())?;
    writeln!(
        text,
        "{RATE} requests/s at each of N servers, {CONNECTIONS} connections in all, keep-alive, one \
         PostgreSQL that syncs its commits, all on one machine. With more than one server each write leaves an entry in \
         the journal.\n\n\
         | operation | servers | CPU of the servers µs | CPU of the database µs | p99 ms |\n\
         | --- | ---: | ---: | ---: | ---: |"
    )?;
    let seconds = if options.quick { 2 } else { 5 };
    let mut lines: Vec<(&str, usize, String)> = Vec::new();
    for count in COUNTS {
        println!("{count} servers …");
        let dir = fixture::temp_dir()?;
        let servers = start(&postgres, &dir.path().join("data"), count)?;
        data::make(&servers[0])?;
        for workload in data::workloads() {
            let load = Load {
                requests: &workload.requests,
                connections: CONNECTIONS,
                duration: Duration::from_secs(seconds),
                rate: Some(RATE * count as f64),
                database: Some(&postgres),
            };
            let measured = load.run_over(&servers)?;
            println!("  {}: {measured}", workload.name);
            if measured.errors > 0 {
                bail!("{} answers were no success", measured.errors);
            }
            let line = format!(
                "| {} | {count} | {:.1} | {:.1} | {:.1} |",
                workload.name,
                measured.cpu_us_per_request,
                measured.database_cpu_us_per_request,
                measured.p99_ms
            );
            lines.push((workload.name, count, line));
        }
    }
    for workload in data::workloads() {
        for (_, _, line) in lines.iter().filter(|(name, ..)| *name == workload.name) {
            writeln!(text, "{line}")?;
        }
    }
    Ok(())
}

/// Servers on a new database.
fn start(postgres: &Postgres, data: &std::path::Path, count: usize) -> Result<Vec<Server>> {
    let program = Program::find(Product::Pando)?;
    let program = program.on_database(&postgres.url(&postgres.new_database()?));
    let program = program.env("PANDO_DATABASE__CONNECTIONS", DATABASE_CONNECTIONS);
    program.upsert_superuser(data, data::ROOT_EMAIL, data::PASSWORD)?;
    program.launch_several(data, count)
}

/// What realtime showed.
struct Delivered {
    cpu_us: f64,
    p50_ms: f64,
    p99_ms: f64,
    kib_per_subscriber: f64,
    deliveries: usize,
}

fn realtime(options: &Options, text: &mut String) -> Result<()> {
    writeln!(
        text,
        "\nEach subscriber watches one of {TOPICS} records, of which one after the other is \
         written, {WRITES_PER_SECOND} times a second.\n\n\
         | | subscribers | CPU per delivery µs | deliveries per CPU second | p50 ms | p99 ms | \
         KiB per subscriber |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    )?;
    let seconds = if options.quick { 3 } else { 10 };
    let postgres = Postgres::own(settings())?;
    let runs = [
        ("Pando, 3 servers on PostgreSQL", options.subscribers),
        ("Pando, 3 servers on PostgreSQL", PEER_SUBSCRIBERS),
        ("Pando, 1 server on SQLite", PEER_SUBSCRIBERS),
        ("PocketBase, 1 server", PEER_SUBSCRIBERS),
    ];
    for (number, (name, subscribers)) in runs.into_iter().enumerate() {
        println!("{name}, {subscribers} subscribers …");
        let dir = fixture::temp_dir()?;
        let data = dir.path().join("data");
        let servers = match number {
            0 | 1 => start(&postgres, &data, REALTIME_SERVERS)?,
            _ => {
                let product = if number == 2 { Product::Pando } else { Product::Oracle };
                let program = Program::find(product)?;
                program.upsert_superuser(&data, data::ROOT_EMAIL, data::PASSWORD)?;
                vec![Server::launch(&program, &data)?]
            }
        };
        let Delivered { cpu_us, p50_ms, p99_ms, kib_per_subscriber, deliveries } =
            deliver(&servers, subscribers, seconds)?;
        println!("  {cpu_us:.1} µs per delivery, {deliveries} deliveries");
        let per_second = 1e6 / cpu_us;
        writeln!(
            text,
            "| {name} | {subscribers} | {cpu_us:.1} | {per_second:.0} | {p50_ms:.1} | {p99_ms:.1} \
             | {kib_per_subscriber:.1} |"
        )?;
    }
    Ok(())
}

fn deliver(servers: &[Server], subscribers: usize, seconds: u32) -> Result<Delivered> {
    let mut root = RootClient::login(&servers[0], data::ROOT_EMAIL, data::PASSWORD)?;
    let ticks = json!({
        "name": "ticks", "type": "base",
        "fields": [{ "type": "number", "name": "sent" }, { "type": "text", "name": "text" }],
        "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
    });
    root.json(Request::post("/api/collections").json(&ticks))?;
    let id = |number: usize| format!("tick{:011}", number % TOPICS);
    for number in 0..TOPICS {
        let tick = json!({ "id": id(number), "sent": 0, "text": "a tick" });
        root.json(Request::post("/api/collections/ticks/records").json(&tick))?;
    }
    let rss = || servers.iter().map(Server::rss_bytes).sum::<Result<u64>>();
    let cpu = || servers.iter().map(Server::cpu_time).sum::<Result<Duration>>();
    let empty = rss()?;
    let open = |number: usize| -> Result<TcpStream> {
        let server = &servers[number % servers.len()];
        // Not by the same number, so that each record is watched at each server.
        subscribe(server.addr(), &format!("ticks/{}", id(number / servers.len())))
    };
    let streams = (0..subscribers).map(open).collect::<Result<Vec<_>>>();
    let subscribed = Subscribers::start(streams.context("failed to open the subscriptions")?)?;
    let kib_per_subscriber = (rss()?.saturating_sub(empty)) as f64 / 1024.0 / subscribers as f64;
    let watching = |record: usize| {
        (0..subscribers).filter(|number| number / servers.len() % TOPICS == record).count()
    };
    let watching: Vec<usize> = (0..TOPICS).map(watching).collect();
    let (cpu_before, begun) = (cpu()?, Instant::now());
    let mut clients: Vec<_> = servers.iter().map(Server::client).collect();
    let mut expected = 0;
    for number in 0..(WRITES_PER_SECOND * seconds) as usize {
        let due = Duration::from_secs(1) / WRITES_PER_SECOND * u32::try_from(number)?;
        thread::sleep(due.saturating_sub(begun.elapsed()));
        let path = format!("/api/collections/ticks/records/{}", id(number));
        let change = Request::patch(path).json(&json!({ "sent": subscribed.now() }));
        clients[number % servers.len()].send(&change)?.success()?;
        expected += watching[number % TOPICS];
    }
    drain(&subscribed, expected)?;
    let spent = cpu()? - cpu_before;
    let deliveries = subscribed.delivered();
    let mut delays = subscribed.finish()?;
    Ok(Delivered {
        cpu_us: spent.as_secs_f64() * 1e6 / deliveries.max(1) as f64,
        p50_ms: delays.percentile_ms(50),
        p99_ms: delays.percentile_ms(99),
        kib_per_subscriber,
        deliveries,
    })
}
