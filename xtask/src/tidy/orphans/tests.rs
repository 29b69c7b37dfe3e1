//! Small trees of files.

use super::*;

#[test]
fn files_that_are_named_have_no_problem() {
    let files = [
        ("crates/a/src/lib.rs", "//! A.\npub mod b;\nmod c;\n"),
        ("crates/a/src/b.rs", "#[cfg(test)]\nmod tests;\n    pub(crate) mod deep;"),
        ("crates/a/src/b/tests.rs", ""),
        ("crates/a/src/b/deep.rs", ""),
        ("crates/a/src/c.rs", ""),
        ("crates/a/src/bin/tool.rs", ""),
        ("crates/a/build.rs", ""),
        ("crates/a/tests/it/main.rs", "mod e;"),
        ("crates/a/tests/it/e.rs", ""),
        ("crates/a/tests/single.rs", ""),
        ("fuzz/fuzz_targets/filter.rs", ""),
        ("notes.md", ""),
    ];
    assert_eq!(check(files.into_iter()), [""; 0]);
}

#[test]
fn what_nobody_names_is_an_orphan() {
    let files = [
        ("crates/a/src/lib.rs", "mod b;\n// mod c;\n"),
        ("crates/a/src/b.rs", "mod d;"),
        ("crates/a/src/c.rs", ""),
        ("crates/a/src/d.rs", ""),
        ("crates/a/src/b/tests.rs", ""),
        ("crates/a/tests/it/main.rs", ""),
        ("crates/a/tests/it/e.rs", ""),
    ];
    assert_eq!(
        check(files.into_iter()),
        [
            "crates/a/src/c.rs: no module names this file",
            "crates/a/src/d.rs: no module names this file",
            "crates/a/src/b/tests.rs: no module names this file",
            "crates/a/tests/it/e.rs: no module names this file",
        ]
    );
}
