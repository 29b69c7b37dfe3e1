//! Checks the rules that no compiler knows: who may import whom, and what no file may hold.
//!
//! Each rule is a function from facts to problems, so that the tests need no workspace.

mod crates;
mod layers;
mod lints;
mod manifests;
mod orphans;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::workspace;
use crates::Crate;

/// Checks the whole workspace and prints every problem, one a line.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = workspace::root();
    let crates = crates::read(&workspace::metadata()?)?;
    let files = text_files(&root)?;
    let mut problems = layers::check(&crates);
    problems.extend(described(&crates, &root));
    problems.extend(lints_of_pure_crates(&crates, &root)?);
    let pairs = files.iter().map(|file| (file.path.as_str(), file.text.as_str()));
    problems.extend(orphans::check(pairs));
    for file in &files {
        problems.extend(sources::check(&file.path, &file.text));
        if file.path.ends_with("Cargo.toml") {
            problems.extend(manifests::check(&file.path, &file.text));
        }
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    ensure!(problems.is_empty(), "tidy found {} problem(s)", problems.len());
    println!("tidy: {} crates, {} files", crates.len(), files.len());
    Ok(())
}

/// Every crate has its place in ARCHITECTURE.md.
fn described(crates: &[Crate], root: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(root.join("ARCHITECTURE.md")) else {
        return vec!["ARCHITECTURE.md: it is missing".to_owned()];
    };
    let missing = crates.iter().filter(|one| !text.contains(&one.name));
    missing.map(|one| format!("ARCHITECTURE.md: {} is not described", one.name)).collect()
}

fn lints_of_pure_crates(crates: &[Crate], root: &Path) -> anyhow::Result<Vec<String>> {
    let workspace = fs::read_to_string(root.join("clippy.toml")).context("no clippy.toml")?;
    let mut problems = Vec::new();
    for pure in crates.iter().filter(|one| one.floor == Some(layers::PURE_FLOOR)) {
        let path = pure.dir.join("clippy.toml");
        let own = fs::read_to_string(&path).unwrap_or_default();
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        problems.extend(lints::check(&name, &own, &workspace));
    }
    Ok(problems)
}

/// A text file of the repository, its path relative to the root.
struct TextFile {
    path: String,
    text: String,
}

/// Directories that hold no sources of ours.
const SKIPPED_DIRS: [&str; 6] =
    [".git", "node_modules", "pando_data", "pando_lab", "pando_public", "target"];

/// All files that are UTF-8, in a stable order.
fn text_files(root: &Path) -> anyhow::Result<Vec<TextFile>> {
    let mut files = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for path in entries(&dir)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_symlink() || SKIPPED_DIRS.contains(&name.as_ref()) {
                continue;
            }
            if path.is_dir() {
                dirs.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                files.push(TextFile { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn entries(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("failed to list {}", dir.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests;
