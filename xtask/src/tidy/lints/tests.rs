//! Small `clippy.toml` files.

use super::*;

const WORKSPACE: &str = r#"
allow-unwrap-in-tests = true
disallowed-methods = [
    { path = "tokio::spawn", reason = "tasks have an owner" },
    # { path = "commented::out" },
]
"#;

fn complete() -> String {
    let bans = PURE_BANS.map(|ban| format!("    {{ path = \"{ban}\" }},\n")).concat();
    format!("{WORKSPACE}\ndisallowed-types = [\n{bans}]\n")
}

#[test]
fn a_complete_file_has_no_problem() {
    assert_eq!(check("clippy.toml", &complete(), WORKSPACE), [""; 0]);
}

#[test]
fn a_missing_file_is_one_problem() {
    assert_eq!(check("c", "", WORKSPACE), ["c: a pure crate has its own clippy.toml"]);
}

#[test]
fn what_the_workspace_says_is_repeated() {
    let own = complete().replace("tokio::spawn", "other").replace("allow-unwrap", "allow-dbg");
    let problems = check("c", &own, WORKSPACE);
    assert_eq!(
        problems,
        [
            "c: repeat the workspace's ban of tokio::spawn",
            "c: repeat the workspace's `allow-unwrap-in-tests = true`"
        ]
    );
}

#[test]
fn every_ban_of_a_pure_crate_counts() {
    for ban in PURE_BANS {
        let own = complete().replace(&format!("\"{ban}\""), "\"other\"");
        assert_eq!(
            check("c", &own, WORKSPACE),
            [format!("c: ban {ban}, as every pure crate does")]
        );
    }
}
