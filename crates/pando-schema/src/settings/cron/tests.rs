use expect_test::{Expect, expect};

use super::*;

#[track_caller]
fn check_error(expression: &str, expected: Expect) {
    expected.assert_eq(&CronSchedule::parse(expression).unwrap_err().to_string());
}

/// The minutes of an hour at which the expression is due on 1970-01-01, a Thursday, at midnight.
fn minutes(expression: &str) -> Vec<u8> {
    let schedule = CronSchedule::parse(expression).unwrap();
    let moment = |minute| CronMoment { minute, hour: 0, day: 1, month: 1, weekday: 4 };
    (0..60).filter(|minute| schedule.due(moment(*minute))).collect()
}

#[test]
fn lists_ranges_and_steps() {
    assert_eq!(minutes("*/20 * * * *"), [0, 20, 40]);
    assert_eq!(minutes("5,10-14/2,59 0-3 1 1 4"), [5, 10, 12, 14, 59]);
    assert_eq!(minutes("@daily"), [0]);
    assert!(minutes("* * * * 0-3").is_empty());
    assert!(minutes("* 1-23 * * *").is_empty());
    assert!(minutes("* * 2-31 * *").is_empty());
    assert!(minutes("* * * 2-12 *").is_empty());
}

#[test]
fn mistakes_are_told_in_pocketbases_words() {
    check_error(
        "* * *",
        expect![
            "invalid cron expression - must be a valid macro or to have exactly 5 space separated segments"
        ],
    );
    check_error("a * * * *", expect![[r#"strconv.Atoi: parsing "a": invalid syntax"#]]);
    check_error(
        "99999999999999999999 * * * *",
        expect![[r#"strconv.Atoi: parsing "99999999999999999999": value out of range"#]],
    );
    check_error(
        "*/0 * * * *",
        expect!["invalid segment step boundary - the step must be between 1 and the 59"],
    );
    check_error(
        "1-5/2/3 * * * *",
        expect!["invalid segment step format - must be in the format */n or 1-30/n"],
    );
    check_error(
        "1/2 * * * *",
        expect![
            "invalid segment step - step > 1 could be used only with the wildcard or range format"
        ],
    );
    check_error(
        "60 * * * *",
        expect!["invalid segment value - must be between the min and max of the segment"],
    );
    check_error(
        "70-80 * * * *",
        expect!["invalid segment range minimum - must be between 0 and 59"],
    );
    check_error("5-1 * * * *", expect!["invalid segment range maximum - must be between 5 and 59"]);
    check_error(
        "1-2-3 * * * *",
        expect!["invalid segment range format - the range must have 1 or 2 parts"],
    );
}
