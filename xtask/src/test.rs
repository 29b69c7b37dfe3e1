//! Runs every test of the workspace, with what they need installed and built before.

use std::env;
use std::process::Command;

use crate::command::{command, run as run_command};
use crate::{setup, workspace};

/// Installs, builds and runs; `args` go to nextest (or to `cargo test` where that is missing).
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let tools = setup::run()?;
    // Tests of other crates start the binary, so it must be there before the first of them runs.
    run_command(command("cargo", ["build", "--workspace", "--bins"]))?;
    let runner: &[&str] = if tools.nextest { &["nextest", "run"] } else { &["test"] };
    let mut tests = command("cargo", runner);
    tests.arg("--workspace").args(args);
    with_default(&mut tests, "PANDO_ORACLE", tools.oracle);
    with_default(&mut tests, "PANDO_BIN", workspace::target_dir()?.join("debug/pando"));
    run_command(tests)
}

/// Builds what users run, unless they named another binary to look at.
pub(crate) fn build_pando(profile: &str) -> anyhow::Result<()> {
    if env::var_os("PANDO_BIN").is_some() {
        return Ok(());
    }
    run_command(command("cargo", ["build", "--profile", profile, "--package", "pando"]))
}

/// Sets a variable unless the user has set it: one may well test another binary.
fn with_default(command: &mut Command, name: &str, value: impl AsRef<std::ffi::OsStr>) {
    if env::var_os(name).is_none() {
        command.env(name, value);
    }
}
