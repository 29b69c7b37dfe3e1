//! The `clippy.toml` of a pure crate: it replaces the workspace's, so it must repeat that, and it
//! bans what would make a decision depend on more than its arguments.

/// What a floor-1 crate cannot call or name: clock, environment, files, network, unordered maps.
const PURE_BANS: [&str; 17] = [
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::env::args",
    "std::env::var",
    "std::env::var_os",
    "std::env::vars",
    "std::fs::read",
    "std::fs::read_dir",
    "std::fs::read_to_string",
    "std::fs::write",
    "std::fs::File",
    "std::fs::OpenOptions",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::collections::HashMap",
    "std::collections::HashSet",
];

/// The problems of the `clippy.toml` called `name` with the text `own`.
pub(super) fn check(name: &str, own: &str, workspace: &str) -> Vec<String> {
    if own.is_empty() {
        return vec![format!("{name}: a pure crate has its own clippy.toml")];
    }
    let banned = bans(own);
    let mut problems = Vec::new();
    for ban in bans(workspace).into_iter().filter(|ban| !banned.contains(ban)) {
        problems.push(format!("{name}: repeat the workspace's ban of {ban}"));
    }
    for setting in settings(workspace).filter(|setting| !own.lines().any(|line| line == *setting)) {
        problems.push(format!("{name}: repeat the workspace's `{setting}`"));
    }
    for ban in PURE_BANS.iter().filter(|ban| !banned.contains(ban)) {
        problems.push(format!("{name}: ban {ban}, as every pure crate does"));
    }
    problems
}

/// The paths of `{ path = "…", … }` entries, comments left out.
fn bans(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let after = lines.filter_map(|line| line.split_once("path = \"")).map(|(_, rest)| rest);
    after.filter_map(|rest| rest.split_once('"')).map(|(path, _)| path).collect()
}

/// The plain `key = true` lines.
fn settings(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.ends_with("= true") || line.ends_with("= false"))
}

#[cfg(test)]
mod tests;
