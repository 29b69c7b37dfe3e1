//! What the machine must have before a lab can start, and Debian's packages that bring it.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;

use crate::command::run;
use crate::lab::{Options, Progress, Tell};
use crate::network;
use crate::plan::Planned;

/// Makes sure of it, or says what to install.
pub(crate) fn provide(planned: &[Planned], options: &Options, tell: Tell<'_>) -> Result<()> {
    let missing = missing(planned, options);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let sudo = if geteuid().is_root() { "" } else { "sudo " };
    ensure!(
        options.install,
        "this lab needs what is not installed: {list}\nhint: {sudo}apt-get install {list}, or start \
         it as root with --install"
    );
    ensure!(geteuid().is_root(), "--install needs root\nhint: sudo apt-get install {list}");
    tell(Progress::Installing(missing.clone()));
    install(&missing).context("failed to install what is missing")?;
    let still = self::missing(planned, options).join(" ");
    ensure!(still.is_empty(), "{still}: installed, but too old or not where Debian has it");
    Ok(())
}

fn missing(planned: &[Planned], options: &Options) -> Vec<&'static str> {
    let mut missing: Vec<&'static str> =
        planned.iter().flat_map(|node| node.kind.missing()).collect();
    if options.isolate && !network::installed() {
        missing.push(network::PACKAGE);
    }
    // Part of every Debian, but not of every Linux.
    if run(Command::new("setpriv").arg("--version")).is_err() {
        missing.push("util-linux");
    }
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn install(packages: &[&str]) -> Result<()> {
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command).map(drop)
    };
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--quiet", "--yes", "--no-install-recommends"], packages].concat())
}
