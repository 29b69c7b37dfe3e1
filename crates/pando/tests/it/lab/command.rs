//! What `pando lab` says when it cannot do something.

use expect_test::expect;

use crate::process::{command, outcome};

#[test]
fn without_a_lab_it_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let text = outcome(command(dir.path(), arguments));
        text.replace(&dir.path().display().to_string(), "DIR")
    };
    let texts = [
        run(&["lab", "status"]),
        run(&["lab", "down"]),
        run(&["lab", "logs"]),
        run(&["lab", "up", "--rung", "1", "--web", "2"]),
    ];
    expect![[r#"
        exit 1
        error: there is no lab in DIR/pando_lab
        hint: pando lab up
        exit 1
        error: there is no lab in DIR/pando_lab
        hint: pando lab up
        exit 1
        error: there is no lab in DIR/pando_lab: No such file or directory (os error 2)
        exit 1
        starting rung 1: one server, records in SQLite
        error: rung 1 has one web server
        hint: --rung 3 has several
    "#]]
    .assert_eq(&texts.concat());
}
