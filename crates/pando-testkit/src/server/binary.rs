//! Finds the binaries under test.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Which server to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// The real PocketBase of the version that Pando follows.
    Oracle,
    Pando,
}

impl Product {
    pub fn name(self) -> &'static str {
        match self {
            Self::Oracle => "pocketbase",
            Self::Pando => "pando",
        }
    }
}

/// The path of a program of ours: what `variable` names, else the newest below `target/`.
pub(crate) fn find_program(name: &str, variable: &str, build: &str) -> Result<PathBuf> {
    let candidates = ["dist", "release", "debug"].map(|profile| format!("{profile}/{name}"));
    find(name, variable, &candidates.each_ref().map(String::as_str), &format!("`{build}` makes it"))
}

/// The path of the product's binary: `PANDO_ORACLE` or `PANDO_BIN`, else below `target/`.
pub fn find_binary(product: Product) -> Result<PathBuf> {
    let (variable, candidates, hint) = match product {
        Product::Oracle => (
            "PANDO_ORACLE",
            &["tools/oracle/bin/pocketbase"][..],
            "`cargo xtask setup` installs PocketBase 0.40.6 there",
        ),
        Product::Pando => (
            "PANDO_BIN",
            &["dist/pando", "release/pando", "debug/pando"][..],
            "`cargo build --release -p pando` makes it",
        ),
    };
    find(product.name(), variable, candidates, hint)
}

fn find(name: &str, variable: &str, candidates: &[&str], hint: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable).filter(|value| !value.is_empty()) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        bail!("{variable} names {}, which is no file", path.display());
    }
    let targets = target_dirs();
    let newest = targets
        .iter()
        .flat_map(|target| candidates.iter().map(move |name| target.join(name)))
        .filter(|path| path.is_file())
        // A stale build beside a fresh one must not be the one that is judged.
        .max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    match newest {
        Some(path) => Ok(path),
        None => bail!(
            "no {} binary: neither {variable} nor {} below {}\nhint: {hint}",
            name,
            candidates.join(" nor "),
            targets[0].display()
        ),
    }
}

/// The workspace's target directory, and where Cargo was told to build instead.
fn target_dirs() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let mut dirs = vec![workspace.canonicalize().unwrap_or(workspace)];
    if let Some(dir) = env::var_os("CARGO_TARGET_DIR") {
        dirs.push(PathBuf::from(dir));
    }
    dirs
}
