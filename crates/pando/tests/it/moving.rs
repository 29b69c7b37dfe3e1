//! `pando move database`: the real program under load, killed at each step; and its words.

use std::path::Path;

use expect_test::expect;
use pando_testkit::{Postgres, Product, Program, Server, crash};

use crate::process::{command, outcome};

fn program() -> Program {
    Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")))
}

#[test]
fn killed_at_each_step_a_move_and_its_undo_lose_nothing() {
    let server = Postgres::start().unwrap();
    let database = server.new_database().unwrap();
    let report = crash::moving::run(&program(), &server.url(&database), 1).unwrap();
    assert!(report.kills >= 10 && report.acknowledged > 3000, "{report:?}");
}

/// Numbers that differ from run to run.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut last = ' ';
    for character in text.chars() {
        let digit = character.is_ascii_digit();
        if !(digit && last == '#') {
            last = if digit { '#' } else { character };
            steady.push(last);
        }
    }
    steady
}

#[test]
fn the_command_tells_what_it_does() {
    let server = Postgres::start().unwrap();
    let url = server.url(&server.new_database().unwrap());
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut arguments = vec!["move", "database"];
        arguments.extend(words);
        let outcome = outcome(command(home.path(), &arguments));
        let (code, text) = outcome.split_once('\n').unwrap();
        format!("{code}\n{}", steady(text))
    };
    let root = command(home.path(), &["superuser", "upsert", "a@example.com", "1234567890"]);
    outcome(root);
    expect![[r#"
        exit 0
        The records are in data.db.
    "#]]
    .assert_eq(&run(&["--status"]));
    expect![[r#"
        exit 1
        error: no database was moved from this directory
    "#]]
    .assert_eq(&run(&["--undo"]));
    expect![[r#"
        exit 1
        error: --to must begin with postgres:// or postgresql://
    "#]]
    .assert_eq(&run(&["--to", "mysql://x"]));
    expect![[r#"
        exit 1
          _mfas                      # rows          # B  # indexes
          _otps                      # rows          # B  # indexes
          _externalAuths             # rows          # B  # indexes
          _authOrigins               # rows          # B  # indexes
          _superusers                # rows        # B  # indexes
          users                      # rows          # B  # indexes
        # rows, #.# KiB in data.db
        The copy takes about #.# s at # rows/s, while the server goes on.
        error: nothing was moved
        hint: add --yes to move without being asked
    "#]]
    .assert_eq(&run(&["--to", &url]));
    expect![[r#"
        exit 0
          _mfas                      # rows          # B  # indexes
          _otps                      # rows          # B  # indexes
          _externalAuths             # rows          # B  # indexes
          _authOrigins               # rows          # B  # indexes
          _superusers                # rows        # B  # indexes
          users                      # rows          # B  # indexes
        # rows, #.# KiB in data.db
        The copy takes about #.# s at # rows/s, while the server goes on.
        The records are in PostgreSQL. # rows in #.# s; writes were held for #.# ms.
        Until tomorrow `pando move database --undo` brings them back, with all that is written meanwhile; `--finish` ends that. data.db stays as it is, and says where the records are; database.url in the configuration may say it, too.
    "#]].assert_eq(&run(&["--to", &url, "--yes"]));
    expect![[r#"
        exit 0
        The records are in PostgreSQL. The move can be undone for another # h.
    "#]]
    .assert_eq(&run(&["--status"]));
    expect![[r#"
        exit 1
        error: the database was moved to PostgreSQL already
    "#]]
    .assert_eq(&run(&["--to", &url, "--yes"]));
    expect![[r#"
        exit 0
        The records are in data.db again. It took #.# s; writes were held for #.# ms. Take database.url out of the configuration, if it is there.
    "#]].assert_eq(&run(&["--undo"]));
    expect![[r#"
        exit 1
        error: the records cannot be moved yet
          _mfas                      # rows          # B  # indexes
          _otps                      # rows          # B  # indexes
          _externalAuths             # rows          # B  # indexes
          _authOrigins               # rows          # B  # indexes
          _superusers                # rows        # B  # indexes
          users                      # rows          # B  # indexes
        # rows, #.# KiB in data.db
        The database cannot be used: another move began to fill it
        hint: choose another database, or make this one anew

    "#]]
    .assert_eq(&run(&["--to", &url, "--dry-run"]));
}

/// The same through a server that runs.
#[test]
fn a_server_moves_while_it_runs() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.new_database().unwrap();
    let url = postgres.url(&database);
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("data");
    program().upsert_superuser(&dir, "a@example.com", "1234567890").unwrap();
    let server = Server::launch(&program(), &dir).unwrap();
    let run = |words: &[&str]| {
        let mut arguments = vec!["move", "database", "--dir", dir.to_str().unwrap()];
        arguments.extend(words);
        outcome(command(home.path(), &arguments))
    };
    let moved = run(&["--to", &url, "--yes"]);
    assert!(moved.contains("The records are in PostgreSQL."), "{moved}");
    program().upsert_superuser(&dir, "b@example.com", "1234567890").unwrap();
    let there = postgres.sql(&database, "SELECT email FROM _superusers ORDER BY email").unwrap();
    assert_eq!(there, "a@example.com\nb@example.com");
    let finished = run(&["--finish"]);
    assert!(finished.contains("cannot be undone any more"), "{finished}");
    let refused = run(&["--undo"]);
    assert!(refused.contains("the move was finished"), "{refused}");
    drop(server);
    // The next start finds them there.
    let server = Server::launch(&program(), &dir).unwrap();
    program().upsert_superuser(&dir, "c@example.com", "1234567890").unwrap();
    let there = postgres.sql(&database, "SELECT count(*) FROM _superusers").unwrap();
    assert_eq!(there, "3");
    drop(server);
}
