//! `cargo xtask crash`: kills the server under writes and looks for what got lost.

use anyhow::{Context, Result, bail};
use pando_testkit::{Postgres, Product, Program, crash};

const USAGE: &str = "usage: cargo xtask crash [--rounds N] [--seed N] [--oracle]
       [--database postgres]

Kills Pando (SIGKILL) under concurrent writes, restarts it and checks that every acknowledged
write is there, that batches are whole and that the database passes its integrity check.

  --rounds N   how often (30)
  --seed N     another history (1)
  --oracle     the same with the real PocketBase
  --database   the same with Pando's records in PostgreSQL (which is not killed)";
const ROUND_COUNT: usize = 30;

/// Runs the command.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut rounds, mut seed, mut product) = (ROUND_COUNT, 1, Product::Pando);
    let mut postgres = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "--rounds" => rounds = value()?.parse().context("bad --rounds")?,
            "--seed" => seed = value()?.parse().context("bad --seed")?,
            "--oracle" => product = Product::Oracle,
            "--database" => match value()?.as_str() {
                "postgres" => postgres = Some(Postgres::start()?),
                other => bail!("unknown database {other:?}\n{USAGE}"),
            },
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    let mut program = Program::find(product)?;
    if let Some(server) = &postgres {
        program = program.on_database(&server.url(&server.new_database()?));
    }
    let report = crash::run(&program, rounds, seed)?;
    println!(
        "{} kills of {} under {} acknowledged writes: none lost, every integrity check ok",
        report.rounds,
        product.name(),
        report.acknowledged
    );
    println!(
        "unanswered writes: {} done, {} without a trace; slowest restart {:.0?}; {:.1?} in all",
        report.unanswered_done, report.unanswered_undone, report.restart_time_max, report.elapsed
    );
    Ok(())
}
