//! Small manifests.

use expect_test::{Expect, expect};

use super::*;

#[track_caller]
fn check_problems(text: &str, expect: Expect) {
    expect.assert_eq(&check("Cargo.toml", text).join("\n"));
}

#[test]
fn a_crate_that_inherits_everything_has_no_problem() {
    let text = "[package]\nname = \"a\"\nversion.workspace = true\n\n[lints]\nworkspace = true\n\n\
        [dependencies]\n# why\nserde.workspace = true\ntokio = { workspace = true, features = [\"fs\"] }\n\n\
        [features]\nextra = []\n";
    check_problems(text, expect![""]);
}

#[test]
fn versions_stand_in_the_workspace() {
    let text = "[package]\nversion = \"1.0.0\"\n[lints]\nworkspace = true\n[dependencies]\nserde = \"1\"\n\
        [target.'cfg(unix)'.dependencies]\nlibc = { version = \"0.2\" }\n[dev-dependencies.tempfile]\nversion = \"3\"\n";
    check_problems(
        text,
        expect![[r#"
            Cargo.toml:2: write `version.workspace = true`
            Cargo.toml:6: take the version from [workspace.dependencies]
            Cargo.toml:8: take the version from [workspace.dependencies]
            Cargo.toml:9: write `tempfile.workspace = true` in one line"#]],
    );
}

#[test]
fn the_lints_of_the_workspace_hold_everywhere() {
    check_problems(
        "[package]\nname = \"a\"\n",
        expect!["Cargo.toml: add [lints] with `workspace = true`"],
    );
}

#[test]
fn the_workspace_itself_may_name_versions() {
    check_problems(
        "[workspace]\nmembers = []\n[workspace.dependencies]\nserde = \"1\"\n",
        expect![""],
    );
}
