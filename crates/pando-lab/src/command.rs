//! Runs a program to its end and tells what it said when it failed.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a command to its end; gives what it printed.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output();
    finished(command, output)
}

/// The same for a command that reads `input`.
pub fn run_with_input(command: &mut Command, input: &str) -> Result<()> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("failed to run {}", named(command)))?;
    let mut pipe = child.stdin.take().context("no pipe to the program")?;
    // It may end early; then its own words say more than our broken pipe.
    let written = pipe.write_all(input.as_bytes());
    drop(pipe);
    let output = child.wait_with_output();
    finished(command, output)?;
    Ok(written?)
}

fn finished(command: &Command, output: std::io::Result<Output>) -> Result<String> {
    let output = output.with_context(|| format!("failed to run {}", named(command)))?;
    if !output.status.success() {
        bail!("{} failed: {}", named(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Program and arguments; the environment may hold passwords.
fn named(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
