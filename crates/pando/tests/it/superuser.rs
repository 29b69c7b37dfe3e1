//! The expected words are those of PocketBase 0.40.6.

use std::path::Path;

use expect_test::{Expect, expect};

use crate::process::{command, outcome};

#[track_caller]
fn check(dir: &Path, line: &str, expect: Expect) {
    let args: Vec<&str> = ["superuser"].into_iter().chain(line.split(' ')).collect();
    expect.assert_eq(&outcome(command(dir, &args)));
}

#[test]
fn a_superusers_life() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    check(
        dir,
        "create a@b.co 1234567890",
        expect![[r#"
            exit 0
            Successfully created new superuser "a@b.co"!
        "#]],
    );
    check(
        dir,
        "create a@b.co 1234567890",
        expect![[r#"
            exit 1
            error: failed to create new superuser account: email: Value must be unique.
        "#]],
    );
    check(
        dir,
        "upsert a@b.co 12345678",
        expect![[r#"
            exit 0
            Successfully saved superuser "a@b.co"!
        "#]],
    );
    check(
        dir,
        "update a@b.co 123456789",
        expect![[r#"
            exit 0
            Successfully changed superuser "a@b.co" password!
        "#]],
    );
    check(
        dir,
        "delete a@b.co",
        expect![[r#"
            exit 1
            error: failed to delete superuser "a@b.co": You can't delete the only existing superuser.
        "#]],
    );
    check(
        dir,
        "upsert second@b.co 1234567890",
        expect![[r#"
            exit 0
            Successfully saved superuser "second@b.co"!
        "#]],
    );
    check(
        dir,
        "delete a@b.co",
        expect![[r#"
            exit 0
            Successfully deleted superuser "a@b.co"!
        "#]],
    );
    check(
        dir,
        "delete a@b.co",
        expect![[r#"
            exit 0
            superuser "a@b.co" is missing or already deleted
        "#]],
    );
}

#[test]
fn mistakes_are_worded_as_in_pocketbase() {
    let dir = tempfile::tempdir().unwrap();
    let error = |line: &str| {
        let args: Vec<&str> = ["superuser"].into_iter().chain(line.split_whitespace()).collect();
        let shown = outcome(command(dir.path(), &args));
        shown.strip_prefix("exit 1\nerror: ").expect(&shown).to_owned()
    };
    let lines = [
        "create",
        "create bad 12345678",
        "create a@b.co 123",
        "upsert x y",
        "update z@b.co 12345678",
        "delete",
        "delete bad",
        "otp",
        "otp bad",
        "otp z@b.co",
    ];
    expect![[r#"
        missing email and password arguments
        missing or invalid email address
        failed to create new superuser account: password: Must be at least 8 character(s).
        missing or invalid email address
        superuser with email "z@b.co" doesn't exist
        invalid or missing email address
        invalid or missing email address
        invalid or missing email address
        invalid or missing email address
        superuser with email "z@b.co" doesn't exist
    "#]]
    .assert_eq(&lines.map(error).concat());
    let empty = outcome(command(dir.path(), &["superuser", "create", "q@example.com", ""]));
    expect![[r#"
        exit 1
        error: failed to create new superuser account: password: cannot be blank.
    "#]]
    .assert_eq(&empty);
    let long = "1234567890".repeat(8);
    let long = outcome(command(dir.path(), &["superuser", "create", "q@example.com", &long]));
    expect![[r#"
        exit 1
        error: failed to create new superuser account: password: bcrypt: password length exceeds 72 bytes.
    "#]]
    .assert_eq(&long);
}

#[test]
fn otp_must_be_enabled_first() {
    let dir = tempfile::tempdir().unwrap();
    check(
        dir.path(),
        "upsert a@b.co 1234567890",
        expect![[r#"
            exit 0
            Successfully saved superuser "a@b.co"!
        "#]],
    );
    check(
        dir.path(),
        "otp a@b.co",
        expect![[r#"
            exit 1
            error: OTP auth is not enabled for the _superusers collection
        "#]],
    );
}
