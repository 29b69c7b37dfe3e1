//! Lines that are fine and lines that are not.

use super::*;

#[track_caller]
fn fine(path: &str, text: &str) {
    assert_eq!(check(path, text), [""; 0]);
}

#[track_caller]
fn bad(path: &str, text: &str, problem: &str) {
    assert_eq!(check(path, text), [problem]);
}

#[test]
fn rust_files_say_what_they_are_for() {
    fine("a.rs", "//! Adds numbers.\n");
    bad("a.rs", "use std::fs;\n", "a.rs:1: open the file with `//!` and what it is for");
    fine("a.md", "use std::fs;\n");
}

#[test]
fn paths_of_a_machine() {
    for start in MACHINE_PATHS {
        let problem = format!("a.md:2: no file names a machine's path ({start})");
        bad("a.md", &format!("first\nsee {start}thing"), &problem);
        bad("a.md", &format!("first\n\"{start}thing\""), &problem);
        fine("a.md", &format!("https://example.com{start}thing"));
        fine("a.md", &format!("target{start}thing and ..{start}thing"));
    }
}

#[test]
fn leftovers() {
    for mark in LEFTOVERS {
        let problem = format!("a.rs:2: finish it instead of leaving {mark}");
        bad("a.rs", &format!("//! A.\n// {mark}: later"), &problem);
        fine("a.rs", &format!("//! A.\nlet x{mark} = 1;"));
        fine("a.md", mark);
    }
    fine("a.rs", "//! A.\nlet todos = \"XXXX\";");
}

#[test]
fn ignored_tests() {
    let text = format!("//! A.\n#[test]\n{IGNORED} = \"slow\"]\n");
    bad("a.rs", &text, "a.rs:3: a test runs or is deleted, it is never ignored");
}

#[test]
fn the_environment_has_one_reader() {
    for call in ENVIRONMENT {
        let text = format!("//! A.\nlet home = std::{call}\"HOME\");");
        let problem = "crates/pando-web/src/a.rs:2: only pando-runtime reads the environment";
        bad("crates/pando-web/src/a.rs", &text, problem);
        fine("crates/pando-runtime/src/a.rs", &text);
        fine("xtask/src/a.rs", &text);
    }
}
