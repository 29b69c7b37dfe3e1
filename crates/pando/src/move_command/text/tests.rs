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
    expect![[r#""#]].assert_eq(&strip_ansi_codes(&plan(&one)));
    one.obstacles = vec![finding("PostgreSQL cannot store the character NUL", "")];
    one.untranslated = vec![("CREATE INDEX x".to_owned(), "it is odd".to_owned())];
    one.target = vec![TargetProblem::ReadOnly];
    expect![[r#""#]].assert_eq(strip_ansi_codes(&plan(&one)).split_once("titles\n").unwrap().1);
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
    expect![[r#""#]].assert_eq(&told);
}
