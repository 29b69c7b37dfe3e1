use console::strip_ansi_codes;
use expect_test::expect;
use pando_store::moving::{Finding, MovedTo, PlannedCollection, TargetProblem};

use super::*;

fn finding(what: &str, after: &str) -> Finding {
    Finding {
        collection: "posts".to_owned(),
        field: "tags".to_owned(),
        what: what.to_owned(),
        count: 1234,
        example_id: "abc".to_owned(),
        before: "a\0".to_owned(),
        after: after.to_owned(),
    }
}

#[test]
fn a_plan_tells_everything() {
    let collection = |name: &str, rows| PlannedCollection {
        name: name.to_owned(),
        rows,
        bytes: rows * 300,
        indexes: 2,
    };
    let mut one = Plan {
        collections: vec![collection("posts", 120_000), collection("users", 5)],
        views: vec!["titles".to_owned()],
        source_bytes: 50 << 20,
        rows: 120_005,
        rows_per_second: 40_000.0,
        copy_takes: Duration::from_millis(3_000),
        normalised: vec![finding("is stored as clients see it", "[\"a\"]")],
        left: vec!["notes".to_owned()],
        ..Plan::default()
    };
    expect![[r#"
          posts       120,000 rows    34.33 MiB  2 indexes
          users             5 rows     1.46 KiB  2 indexes
        120,005 rows, 50.00 MiB in data.db
        Views that are made anew: titles
        Tables that stay in data.db: notes
        Stored in another form, in which clients see it already:
          posts.tags, 1,234 values: is stored as clients see it; record abc has "a\0", then ["a"]
        The copy takes about 3.0 s at 40000 rows/s, while the server goes on.
    "#]]
    .assert_eq(&strip_ansi_codes(&plan(&one)));
    one.obstacles = vec![finding("PostgreSQL cannot store the character NUL", "")];
    one.untranslated = vec![("CREATE INDEX x".to_owned(), "it is odd".to_owned())];
    one.target = vec![TargetProblem::ReadOnly];
    expect![[r#"
        Tables that stay in data.db: notes
        Stored in another form, in which clients see it already:
          posts.tags, 1,234 values: is stored as clients see it; record abc has "a\0", then ["a"]
        Cannot be moved; change these records first:
          posts.tags, 1,234 values: PostgreSQL cannot store the character NUL; record abc has "a\0"
        Cannot be made in PostgreSQL; change or drop these first:
          CREATE INDEX x: it is odd
        The database cannot be used: it takes no writes
    "#]]
    .assert_eq(strip_ansi_codes(&plan(&one)).split_once("titles\n").unwrap().1);
}

#[test]
fn ends_and_states_are_told() {
    let report = Report {
        rows: 300_000,
        mended: 0,
        took: Duration::from_secs(75),
        gate: Duration::from_micros(8_400),
    };
    let to = MovedTo { id: "x".to_owned(), url: "postgres://u:secret@h/d".to_owned() };
    let moved_at = |undo_left_s| Status::Moved {
        to: to.clone(),
        moved_unix_s: 0,
        undo_left_s,
        undoing: false,
    };
    let told = [
        moved(&report),
        undone(&report),
        undone(&Report::default()),
        finished(),
        status(&Status::AtHome),
        status(&Status::Moving { logged: 7 }),
        status(&moved_at(80_000)),
        status(&moved_at(0)),
    ];
    let told = told.map(|text| strip_ansi_codes(&text).into_owned()).concat();
    assert!(!told.contains("secret"), "{told}");
    expect![[r#"
        The records are in PostgreSQL. 300,000 rows in 75 s; writes were held for 8.4 ms.
        Until tomorrow `pando move database --undo` brings them back, with all that is written meanwhile; `--finish` ends that. data.db stays as it is, and says where the records are; database.url in the configuration may say it, too.
        The records are in data.db again. It took 75 s; writes were held for 8.4 ms. Take database.url out of the configuration, if it is there.
        The move was given up. The records are in data.db.
        The move is finished and cannot be undone any more.
        The records are in data.db.
        A move has begun and is not over. The records are in data.db.
        The same command as before goes on with it, `--undo` gives it up. Changes in the log: 7.
        The records are in PostgreSQL. The move can be undone for another 22 h.
        The records are in PostgreSQL. The move cannot be undone any more.
    "#]].assert_eq(&told);
}
