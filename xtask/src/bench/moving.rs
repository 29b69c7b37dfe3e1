//! `cargo xtask bench move`: live moves to PostgreSQL and back, under writes and reads over HTTP.
//!
//! Every client knows what it must find. Writers change records of their own and read them back;
//! readers read records that nobody changes, with the record that they refer to. Any answer but
//! the expected one is a failure, and any write that takes long is seen.
//!
//! *Units*: milliseconds, rows per second.

mod clients;
mod data;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use pando_testkit::postgres::PostgresSetup;
use pando_testkit::{Postgres, Product, Program, Request, RootClient, Server, control, fixture};

use clients::{Clients, Seen};
use data::Dataset;

const USAGE: &str = "usage: cargo xtask bench move [--records N] [--moves N] [--writes N]
       [--readers N] [--no-save]

Moves a running server to PostgreSQL and back again and again, under writes and reads. Checks that
no write failed or was lost and that every read was right, and prints how long writes were held.

  --records N   in five collections (300000)
  --moves N     moves to PostgreSQL, and as many back (10)
  --writes N    in a second (500)
  --readers N   connections that read (64)
  --no-save     only print";

struct Options {
    records: usize,
    moves: usize,
    writes: usize,
    readers: usize,
    save: bool,
}

/// One move, or one way back.
struct Moved {
    back: bool,
    took: Duration,
    /// What the server says of its gate.
    held_ms: f64,
    rows: u64,
    seen: Seen,
}

/// Runs the command.
pub(super) fn run(args: &[String]) -> Result<()> {
    let Some(options) = parse(args)? else {
        println!("{USAGE}");
        return Ok(());
    };
    let program = Program::find(Product::Pando)?;
    let dataset = Dataset::ready(&program, options.records)?;
    let home = fixture::temp_dir()?;
    let dir = home.path().join("data");
    fixture::copy_dir(dataset.dir(), &dir)?;
    let postgres = Postgres::own(PostgresSetup::default().synced())?;
    let mut server = Server::launch(&program, &dir)?;
    let before = counts(&server)?;
    let mut clients = Clients::new(&server, &dataset, options.writes, options.readers);
    let mut moved = Vec::new();
    for round in 1..=options.moves {
        let url = postgres.url(&postgres.new_database()?);
        for words in [&["move", "run", &url][..], &["move", "undo"][..]] {
            let one = clients.during(|| one_move(&server, words))?;
            println!("round {round}: {}", line(&one));
            moved.push(one);
        }
    }
    clients.check(&server)?;
    let after = counts(&server)?;
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let made = if name == data::WRITTEN { clients.made() } else { 0 };
        ensure!(before + made == *after, "{name}: {before} + {made} records became {after}");
    }
    server.stop()?;
    let report = report(&options, &moved);
    println!("{report}");
    if options.save {
        println!("saved as {}", save(&report)?.display());
    }
    Ok(())
}

/// Has the server move. What the clients saw meanwhile is added by who calls.
fn one_move(server: &Server, words: &[&str]) -> Result<Moved> {
    let began = Instant::now();
    let mut rows = 0;
    let said = control::ask(server.dir(), words, |told| {
        if told.step == "copy" {
            rows = rows.max(told.rows_done);
        }
        true
    })?;
    let took = began.elapsed();
    let said = said.context("the server died")?;
    let held = said.split("held for ").nth(1).and_then(|rest| rest.split(' ').next());
    let held_ms = held.context("it does not say how long")?.parse()?;
    let back = words.contains(&"undo");
    Ok(Moved { back, took, held_ms, rows, seen: Seen::default() })
}

fn line(moved: &Moved) -> String {
    let Moved { back, took, held_ms, rows, seen } = moved;
    let what = if *back { "back" } else { "moved" };
    let rate = *rows as f64 / took.as_secs_f64();
    format!(
        "{what} in {:.1} s ({rate:.0} rows/s), held {held_ms:.1} ms, slowest write {:.0} ms \
         (p99 {:.1}), slowest read {:.0} ms (p99 {:.1}); {} writes, {} reads",
        took.as_secs_f64(),
        seen.slowest_write_ms,
        seen.write_p99_ms,
        seen.slowest_read_ms,
        seen.read_p99_ms,
        seen.writes,
        seen.reads
    )
}

/// Records by collection.
fn counts(server: &Server) -> Result<Vec<(String, usize)>> {
    let mut root = RootClient::login(server, data::ROOT_EMAIL, data::PASSWORD)?;
    data::NAMES
        .iter()
        .map(|name| {
            let path = format!("/api/collections/{name}/records?perPage=1");
            let total = root.json(Request::get(path))?["totalItems"].as_u64().context("a total")?;
            Ok(((*name).to_owned(), usize::try_from(total)?))
        })
        .collect()
}

fn report(options: &Options, moved: &[Moved]) -> String {
    let Options { records, writes, readers, .. } = options;
    let mut text = format!(
        "{records} records, {writes} writes/s, {readers} readers; no write failed or was lost, no \
         read was wrong\n\n"
    );
    for back in [false, true] {
        let some: Vec<&Moved> = moved.iter().filter(|one| one.back == back).collect();
        let sorted = |value: fn(&Moved) -> f64| {
            let mut values: Vec<f64> = some.iter().map(|one| value(one)).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let show =
            |values: &[f64]| match (values.first(), values.get(values.len() / 2), values.last()) {
                (Some(least), Some(median), Some(most)) => {
                    format!("{least:.1} / {median:.1} / {most:.1}")
                }
                _ => String::new(),
            };
        text += &format!(
            "{} x {}: took {} s; writes held {} ms; slowest write {} ms; rows/s {} \
             (least / median / most)\n",
            some.len(),
            if back { "back to SQLite" } else { "to PostgreSQL" },
            show(&sorted(|one| one.took.as_secs_f64())),
            show(&sorted(|one| one.held_ms)),
            show(&sorted(|one| one.seen.slowest_write_ms)),
            show(&sorted(|one| one.rows as f64 / one.took.as_secs_f64())),
        );
    }
    text += "\n";
    for one in moved {
        text += &format!("- {}\n", line(one));
    }
    text
}

fn save(report: &str) -> Result<PathBuf> {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/results"));
    let path = dir.canonicalize()?.join(format!("move-{}.md", fixture::today()));
    fs::write(&path, format!("# `cargo xtask bench move`\n\n{report}"))?;
    Ok(path)
}

fn parse(args: &[String]) -> Result<Option<Options>> {
    let mut options = Options { records: 300_000, moves: 10, writes: 500, readers: 64, save: true };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || -> Result<usize> {
            let value = args.next().with_context(|| format!("{arg} needs a value\n{USAGE}"))?;
            value.parse().with_context(|| format!("bad {arg}"))
        };
        match arg.as_str() {
            "--records" => options.records = number()?,
            "--moves" => options.moves = number()?,
            "--writes" => options.writes = number()?,
            "--readers" => options.readers = number()?,
            "--no-save" => options.save = false,
            "--help" | "-h" => return Ok(None),
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    ensure!(options.writes > 0 && options.moves > 0 && options.records >= 100, "too few\n{USAGE}");
    Ok(Some(options))
}
