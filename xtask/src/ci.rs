//! Everything that must pass before a change lands, in the order of how soon it can fail.
//!
//! Clippy and doc share the metadata of the dependencies, and the tests build them once more:
//! clippy cannot use built crates. All three stay in the `dev` profile, so nothing is built for a
//! third time.

use std::process::Command;
use std::time::Instant;

use crate::command::{command, run as run_command};
use crate::{test, tidy};

type Step = fn() -> anyhow::Result<()>;

/// Runs all steps, stops at the first that fails, and says how long each took.
pub(crate) fn run() -> anyhow::Result<()> {
    let steps: [(&str, Step); 5] = [
        ("fmt", || run_command(command("cargo", ["fmt", "--all", "--check"]))),
        ("tidy", tidy::run),
        ("clippy", || run_command(clippy())),
        ("doc", || run_command(doc())),
        ("test", || test::run(&[])),
    ];
    for (name, step) in steps {
        let begun = Instant::now();
        step()?;
        println!("{name} passed in {:.0} s\n", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

fn clippy() -> Command {
    let args = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    command("cargo", args)
}

fn doc() -> Command {
    let mut doc = command("cargo", ["doc", "--workspace", "--no-deps", "--quiet"]);
    doc.args(["--document-private-items"]).env("RUSTDOCFLAGS", "-D warnings");
    doc
}
