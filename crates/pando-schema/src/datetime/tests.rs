use proptest::prelude::*;

use super::*;

#[test]
fn every_layout_is_read() {
    let cases = [
        ("2022-01-02", "2022-01-02 00:00:00.000Z"),
        ("2022-01-02 03:04:05.123Z", "2022-01-02 03:04:05.123Z"),
        ("2022-01-02 3:04:05.123Z", "2022-01-02 03:04:05.123Z"),
        ("2022-01-02 03:04:05.1239Z", "2022-01-02 03:04:05.123Z"),
        ("2022-01-02T03:04:05.9+02:00", "2022-01-02 01:04:05.900Z"),
        ("2022-01-02T03:04:05,5Z", "2022-01-02 03:04:05.500Z"),
        ("2022-01-02T03:04:05.123456789012Z", "2022-01-02 03:04:05.123Z"),
        ("2022-01-02  03:04:05", "2022-01-02 03:04:05.000Z"),
        ("Sun, 02 Jan 2022 03:04:05 +0100", "2022-01-02 02:04:05.000Z"),
        ("Sun, 02 Jan 2022 03:04:05 CEST", "2022-01-02 03:04:05.000Z"),
        ("Sun, 02 Jan 2022 03:04:05 GMT+3", "2022-01-02 06:04:05.000Z"),
        ("02 Jan 70 15:04 MST", "1970-01-02 15:04:00.000Z"),
        ("02 Jan 06 15:04 -0700", "2006-01-02 22:04:00.000Z"),
        ("Monday, 02-Jan-06 15:04:05 MST", "2006-01-02 15:04:05.000Z"),
        ("2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 22:04:05.999Z"),
        ("Mon Jan  2 15:04:05 2006", "2006-01-02 15:04:05.000Z"),
        ("Mon Jan 2 15:04:05 MST 2006", "2006-01-02 15:04:05.000Z"),
        ("Mon Jan 02 15:04:05 -0700 2006", "2006-01-02 22:04:05.000Z"),
        ("02 Jan 2006", "2006-01-02 00:00:00.000Z"),
        ("12:04AM", "0000-01-01 00:04:00.000Z"),
        ("JAN  2 15:04:05", "0000-01-02 15:04:05.000Z"),
        ("Jan  2 15:04:05.123456", "0000-01-02 15:04:05.123Z"),
        ("2024-02-29", "2024-02-29 00:00:00.000Z"),
        ("0000-01-01T00:00:00+01:00", "-0001-12-31 23:00:00.000Z"),
        ("9999-12-31T23:59:59-01:00", "10000-01-01 00:59:59.000Z"),
        ("0001-01-01 00:00:00.000Z", ""),
    ];
    for (input, stored) in cases {
        assert_eq!(normalize_date(input), stored, "{input}");
    }
}

#[test]
fn what_is_no_date_becomes_empty() {
    let cases = [
        "",
        "invalid",
        " 2022-01-02",
        "2022-1-2",
        "2022-02-30",
        "2023-02-29",
        "2022-13-01",
        "2022-01-00",
        "1700000000",
        "2022-01-02T03:04",
        "2022-01-02 24:00:00",
        "2022-01-02T03:04:60Z",
        "2022-01-02T03:04:05+25:00",
        "2 Jan 2006",
        "13:04PM",
        "sun, 02 jan 2022 03:04:05 utc",
        "2022-01-02 03:04:05 ",
    ];
    for input in cases {
        assert_eq!(normalize_date(input), "", "{input}");
    }
}

#[test]
fn other_forms_are_written() {
    let moment = DateTime::parse("2022-02-01 00:00:00.500Z").unwrap();
    assert_eq!(moment.rfc3339(), "2022-02-01T00:00:00.5Z");
    assert_eq!(moment.go_format(), "2022-02-01 00:00:00.5 +0000 UTC");
    assert_eq!(DateTime::from_unix_ms(-1).stored(), "1969-12-31 23:59:59.999Z");
}

proptest! {
    #[test]
    fn written_dates_read_back(unix_ms in -62_135_596_799_999_i64..253_402_300_799_999) {
        let moment = DateTime::from_unix_ms(unix_ms);
        prop_assert_eq!(moment.unix_ms(), unix_ms);
        prop_assert!(stored_form(&moment.stored()));
        prop_assert_eq!(DateTime::parse(&moment.stored()), Some(moment));
        prop_assert_eq!(DateTime::parse(&moment.rfc3339()), Some(moment));
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,40}") {
        normalize_date(&text);
    }

    #[test]
    fn near_dates_are_survived(text in "[0-9A-Za-z:.,+ Z-]{0,40}") {
        normalize_date(&text);
    }
}
