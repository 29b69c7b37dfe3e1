//! Rust files that no module names: the compiler never sees them, so their tests never run.

use std::collections::BTreeSet;

/// The problems of all files together; `files` are pairs of path and text.
pub(super) fn check<'a>(files: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Vec<String> {
    let rust = || files.clone().filter(|(path, _)| path.ends_with(".rs"));
    let declared: BTreeSet<String> =
        rust().flat_map(|(path, text)| declarations(path, text)).collect();
    let orphans = rust().filter(|(path, _)| !is_root(path) && !declared.contains(*path));
    orphans.map(|(path, _)| format!("{path}: no module names this file")).collect()
}

/// Cargo finds these by itself.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [.., "src", "lib.rs" | "main.rs"] | [.., "src", "bin", _] | [.., "build.rs"] => true,
        [.., "tests", _, "main.rs"] => true,
        // A crate's own directory, not a module called `tests` below `src`.
        [.., "tests" | "benches" | "examples" | "fuzz_targets", _] => !parts.contains(&"src"),
        _ => false,
    }
}

/// The files that the `mod name;` lines of one file stand for.
fn declarations(path: &str, text: &str) -> Vec<String> {
    let own = path.strip_suffix(".rs").unwrap_or(path);
    let dir = if is_root(path) { own.rsplit_once('/').map_or("", |(dir, _)| dir) } else { own };
    let names = text.lines().filter_map(|line| {
        let line = line.trim().strip_suffix(';')?;
        let (before, name) = line.rsplit_once("mod ")?;
        (before.is_empty() || before.starts_with("pub")).then_some(name)
    });
    names.map(|name| format!("{dir}/{name}.rs")).collect()
}

#[cfg(test)]
mod tests;
