//! What tidy knows of each crate, read from `cargo metadata`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

/// A crate of the workspace.
#[derive(Debug, Clone)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    /// `package.metadata.pando.floor`, if it is a small number.
    pub(super) floor: Option<u64>,
    pub(super) dependencies: Vec<Dependency>,
}

/// One line of a crate's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// Only tests and examples see it.
    pub(super) dev: bool,
}

/// The crates of `cargo metadata --no-deps`.
pub(super) fn read(metadata: &Value) -> anyhow::Result<Vec<Crate>> {
    let packages = metadata["packages"].as_array().context("cargo metadata without packages")?;
    packages.iter().map(read_crate).collect()
}

fn read_crate(package: &Value) -> anyhow::Result<Crate> {
    let name = package["name"].as_str().context("a package without a name")?;
    let manifest = package["manifest_path"].as_str().context("a package without a path")?;
    let dependencies = package["dependencies"].as_array().context("no dependencies")?;
    Ok(Crate {
        name: name.to_owned(),
        dir: Path::new(manifest).parent().map(Path::to_owned).unwrap_or_default(),
        floor: package["metadata"]["pando"]["floor"].as_u64(),
        dependencies: dependencies.iter().filter_map(read_dependency).collect(),
    })
}

fn read_dependency(dependency: &Value) -> Option<Dependency> {
    let name = dependency["name"].as_str()?.to_owned();
    Some(Dependency { name, dev: dependency["kind"] == "dev" })
}
