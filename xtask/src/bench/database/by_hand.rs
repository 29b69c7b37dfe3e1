//! Runs a statement with pgbench and measures the database.

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pando_testkit::Postgres;

use super::CONNECTIONS;
use super::data::Script;

/// Before the measurement: pages are read, plans are made.
const WARM_UP: Duration = Duration::from_secs(1);
/// How often a connection plans a statement before it keeps a plan.
const PLANNED_ANEW: usize = 6;

/// What pgbench showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    /// Of the database, for each operation.
    pub(super) cpu_us: f64,
    pub(super) operations_per_second: f64,
}

/// Runs a script, at a rate or as fast as it goes.
pub(super) fn measure(
    postgres: &Postgres,
    database: &str,
    script: &Script,
    duration: Duration,
    rate: Option<f64>,
) -> Result<Spent> {
    let mut file = tempfile::NamedTempFile::new().context("failed to write a script")?;
    file.write_all(script.text.as_bytes())?;
    let run = |limit: String, rate: Option<f64>| -> Result<f64> {
        let mut pgbench: Command = postgres.client("pgbench");
        pgbench.args(["--protocol=prepared", "--no-vacuum", "--jobs=1"]);
        pgbench.arg(format!("--client={CONNECTIONS}"));
        pgbench.arg(limit).arg("--file").arg(file.path());
        if let Some(rate) = rate {
            pgbench.arg(format!("--rate={rate:.0}"));
        }
        let output = pgbench.arg(database).output();
        let output = output.context("failed to run pgbench\nhint: apt-get install postgresql")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench failed: {errors}");
        transactions(&String::from_utf8_lossy(&output.stdout))
    };
    let spent = |limit: String, rate: Option<f64>| -> Result<(f64, f64)> {
        let before = postgres.cpu_time()?;
        let count = run(limit, rate)?;
        Ok((count, (postgres.cpu_time()? - before).as_secs_f64() * 1e6))
    };
    let time = |duration: Duration| format!("--time={}", duration.as_secs());
    run(time(WARM_UP), None)?;
    // What connections and plans cost is not the operation's: Pando has them before.
    let few = format!("--transactions={PLANNED_ANEW}");
    let (few_count, few_us) = spent(few, None)?;
    let (count, us) = spent(time(duration), rate)?;
    Ok(Spent {
        cpu_us: (us - few_us).max(0.0) / (count - few_count).max(1.0),
        operations_per_second: count / duration.as_secs_f64(),
    })
}

/// How many transactions pgbench says it has run.
fn transactions(printed: &str) -> Result<f64> {
    const BEFORE: &str = "number of transactions actually processed: ";
    let rest = printed.split_once(BEFORE).context("pgbench tells no number")?.1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let count: f64 = digits.parse().context("bad number of transactions")?;
    ensure!(count > 0.0, "pgbench has done nothing");
    Ok(count)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_number_of_transactions_is_found() {
        let printed = "scaling factor: 1\nnumber of transactions actually processed: 1234\nlatency";
        assert_eq!(super::transactions(printed).unwrap(), 1234.0);
        assert!(super::transactions("nothing").is_err());
    }
}
