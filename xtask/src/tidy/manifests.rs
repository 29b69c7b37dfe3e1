//! `Cargo.toml` files: versions stand in the workspace's only, and its lints hold everywhere.

/// The problems of one manifest, each with the line where it stands.
pub(super) fn check(path: &str, text: &str) -> Vec<String> {
    // The workspace's own manifest is where the versions belong.
    if text.lines().any(|line| line.trim() == "[workspace]") {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let mut section = "";
    let mut inherits_lints = false;
    for (index, line) in text.lines().map(str::trim).enumerate() {
        let at = format!("{path}:{}", index + 1);
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            if let Some((_, name)) = section.split_once("dependencies.") {
                problems.push(format!("{at}: write `{name}.workspace = true` in one line"));
            }
        } else if section.ends_with("dependencies") && !inherits(line) {
            problems.push(format!("{at}: take the version from [workspace.dependencies]"));
        } else if section == "package" && line.starts_with("version") && !inherits(line) {
            problems.push(format!("{at}: write `version.workspace = true`"));
        }
        inherits_lints |= section == "lints" && line == "workspace = true";
    }
    if !inherits_lints {
        problems.push(format!("{path}: add [lints] with `workspace = true`"));
    }
    problems
}

fn inherits(line: &str) -> bool {
    let code = line.split('#').next().unwrap_or_default();
    code.is_empty() || code.contains("workspace = true")
}

#[cfg(test)]
mod tests;
