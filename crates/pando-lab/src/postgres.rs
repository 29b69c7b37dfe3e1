//! The programs of PostgreSQL, and the user that they run as.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The oldest release that will do.
const VERSION_MIN: u32 = 15;

/// Where Debian keeps the programs of each release.
const RELEASES: &str = "/usr/lib/postgresql";

/// PostgreSQL refuses to run as root.
pub(super) const USER: &str = "postgres";

/// Where the programs of the newest release are.
pub(super) fn programs() -> Result<PathBuf> {
    let mut newest: Option<(u32, PathBuf)> = None;
    for entry in fs::read_dir(RELEASES).into_iter().flatten() {
        let entry = entry?;
        let version = entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0);
        let programs = entry.path().join("bin");
        if programs.join("initdb").exists() && newest.as_ref().is_none_or(|best| best.0 < version) {
            newest = Some((version, programs));
        }
    }
    let (version, programs) = newest.context("no PostgreSQL: apt-get install postgresql")?;
    ensure!(version >= VERSION_MIN, "PostgreSQL {version} is too old for the tests");
    Ok(programs)
}

pub(super) fn root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A command that runs as the user that PostgreSQL may run as.
pub(super) fn as_user(program: &Path) -> Command {
    if !root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", USER, "--"]).arg(program);
    command
}

/// Runs a command to its end; gives what it printed.
pub(super) fn run(command: &mut Command) -> Result<String> {
    // Directories of root are closed to the user of the server.
    let output = command.current_dir("/").output();
    finished(command, output)
}

/// The same for a command that reads `input`.
pub(super) fn run_with_input(command: &mut Command, input: &str) -> Result<()> {
    let command = command.current_dir("/").stdin(Stdio::piped());
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("failed to run {command:?}"))?;
    let mut pipe = child.stdin.take().context("no pipe to the program")?;
    // It may end early; then its own words say more than our broken pipe.
    let written = pipe.write_all(input.as_bytes());
    drop(pipe);
    let output = child.wait_with_output();
    finished(command, output)?;
    Ok(written?)
}

fn finished(command: &Command, output: std::io::Result<Output>) -> Result<String> {
    let output = output.with_context(|| format!("failed to run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
