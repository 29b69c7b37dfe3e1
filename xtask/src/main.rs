//! The chores of this repository as one command: `cargo xtask …`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod balancer_suite;
mod bench;
mod ci;
mod command;
mod compare;
mod crash;
mod setup;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::bail;

const HELP: &str = "\
cargo xtask <command>

  test [ARGS]    installs what the tests need and runs them all; ARGS go to nextest
  ci             fmt, clippy, tidy, test, doc: what must pass before a change lands
  tidy           checks the rules that no compiler knows (ARCHITECTURE.md, CONTRIBUTING.md)
  setup          only installs what the tests need
  compare        the same requests to PocketBase and Pando; --help tells more
  bench app      Pando's cost and speed beside its peers'; --help tells more
  bench move     live moves to PostgreSQL and back under load; --help tells more
  bench database what Pando costs PostgreSQL, beside statements by hand; --help tells more
  bench servers  several servers on one database, and ten thousand subscribers; --help tells more
  bench balancer the balancer beside nginx and HAProxy; --help tells more
  balancer-suite malformed input through the balancer, nginx and HAProxy; --help tells more
  crash          kills Pando under writes and looks for losses; --help tells more
  help           prints this
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> anyhow::Result<()> {
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", args),
    };
    match command {
        "test" => test::run(rest),
        "ci" => ci::run(),
        "tidy" => tidy::run(),
        "setup" => setup::run().map(|_| ()),
        "compare" => prepared(rest, "release", compare::run),
        "bench" => prepared(rest, "dist", bench::run),
        "balancer-suite" => prepared(rest, "release", balancer_suite::run),
        "crash" => prepared(rest, "release", crash::run),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        unknown => bail!("unknown command {unknown:?}\n\n{HELP}"),
    }
}

/// Runs a command that needs PocketBase and a fresh Pando, built with that profile, or the one that
/// `PANDO_BIN` names.
fn prepared(
    args: &[String],
    profile: &str,
    command: fn(&[String]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let only_asks = args.iter().any(|arg| arg == "--help" || arg == "-h");
    if !only_asks {
        setup::run()?;
        // Who names one wants that one.
        if std::env::var_os("PANDO_BIN").is_none() {
            test::build_pando(profile)?;
        }
    }
    command(args)
}
