//! What every source file must and must not hold.

/// Where directories of one person's or machine's begin. Split, so that this file passes too.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/tm", "p/"),
];

/// Marks of unfinished work.
const LEFTOVERS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

/// A test that does not run proves nothing.
const IGNORED: &str = concat!("#[ig", "nore");

/// Crates that may read the environment beside `pando-runtime`: they are no part of the product.
const ENVIRONMENT_READERS: [&str; 3] = ["crates/pando-runtime/", "crates/pando-testkit/", "xtask/"];
const ENVIRONMENT: [&str; 2] = [concat!("env::", "var("), concat!("env::", "var_os(")];

/// The problems of one file, each with the line where it stands.
pub(super) fn check(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let rust = path.ends_with(".rs");
    // What a file of tests is about, its parent says.
    let tests = path.ends_with("/tests.rs");
    if rust && !tests && !text.starts_with("//!") {
        problems.push(format!("{path}:1: open the file with `//!` and what it is for"));
    }
    for (index, line) in text.lines().enumerate() {
        let mut add = |message: String| problems.push(format!("{path}:{}: {message}", index + 1));
        if let Some(found) = MACHINE_PATHS.iter().find(|start| names_path(line, start)) {
            add(format!("no file names a machine's path ({found})"));
        }
        if !is_code(path) {
            continue;
        }
        if let Some(found) = LEFTOVERS.iter().find(|mark| has_word(line, mark)) {
            add(format!("finish it instead of leaving {found}"));
        }
        if rust && line.contains(IGNORED) {
            add("a test runs or is deleted, it is never ignored".to_owned());
        }
        if rust && reads_environment(path, line) {
            add("only pando-runtime reads the environment".to_owned());
        }
    }
    problems
}

fn is_code(path: &str) -> bool {
    [".rs", ".mjs", ".sh", ".toml", ".yml"].iter().any(|end| path.ends_with(end))
}

/// Whether a path that starts with `start` stands in `line`, and not merely inside a longer path
/// or a URL.
fn names_path(line: &str, start: &str) -> bool {
    let inside = |before: char| before.is_alphanumeric() || "./_-}>$".contains(before);
    line.match_indices(start).any(|(at, _)| !line[..at].ends_with(inside))
}

fn has_word(line: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, found)| {
        !line[..at].ends_with(letter) && !line[at + found.len()..].starts_with(letter)
    })
}

fn reads_environment(path: &str, line: &str) -> bool {
    path.starts_with("crates/")
        && !ENVIRONMENT_READERS.iter().any(|reader| path.starts_with(reader))
        && ENVIRONMENT.iter().any(|call| line.contains(call))
}

#[cfg(test)]
mod tests;
