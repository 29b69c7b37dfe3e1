use expect_test::{Expect, expect};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;

fn hello() -> Attributes {
    Attributes {
        size_bytes: 11,
        modified: UNIX_EPOCH + Duration::from_nanos(1_795_312_521_987_654_321),
        content_type: "text/plain; charset=utf-8".to_owned(),
        original_name: None,
        md5: None,
    }
}

const MODIFIED: &str = "Sun, 22 Nov 2026 01:55:21 GMT";
const BEFORE: &str = "Mon, 01 Jan 2001 00:00:00 GMT";
const AFTER: &str = "Fri, 01 Jan 2100 00:00:00 GMT";

fn plan(file: &Attributes, request: &FileRequest<'_>) -> ResponsePlan {
    respond(file, request, &mut StdRng::seed_from_u64(1))
}

fn named(name: &str) -> FileRequest<'_> {
    FileRequest { name, ..FileRequest::default() }
}

fn header<'a>(plan: &'a ResponsePlan, name: &str) -> Option<&'a str> {
    plan.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

fn check_ranges(ranges: &[&str], size_bytes: u64, expected: Expect) {
    let file = Attributes { size_bytes, ..hello() };
    let lines: String = ranges
        .iter()
        .map(|range| {
            let plan = plan(&file, &FileRequest { range: Some(range), ..named("a.txt") });
            let content_range = header(&plan, "content-range").unwrap_or("-");
            let length = header(&plan, "content-length").unwrap_or("-");
            let body = match &plan.body {
                Body::Parts(parts, _) => {
                    format!("parts {:?}", parts.iter().map(|p| p.range.clone()).collect::<Vec<_>>())
                }
                body => format!("{body:?}"),
            };
            format!("{range}: {} {content_range} {length} {body}\n", plan.status)
        })
        .collect();
    expected.assert_eq(&lines);
}

#[test]
fn a_whole_file() {
    expect![[r#"
        ResponsePlan {
            status: 200,
            headers: [
                (
                    "content-disposition",
                    "attachment; filename=\"a.txt\"",
                ),
                (
                    "content-type",
                    "text/plain; charset=utf-8",
                ),
                (
                    "content-security-policy",
                    "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
                ),
                (
                    "cache-control",
                    "max-age=2592000, stale-while-revalidate=86400",
                ),
                (
                    "last-modified",
                    "Sun, 22 Nov 2026 01:55:21 GMT",
                ),
                (
                    "accept-ranges",
                    "bytes",
                ),
                (
                    "content-length",
                    "11",
                ),
            ],
            body: File(
                0..11,
            ),
        }
    "#]]
    .assert_debug_eq(&plan(&hello(), &named("a.txt")));
}

#[test]
fn ranges_are_answered_as_go_does() {
    check_ranges(
        &[
            "",
            "bytes=0-4",
            "bytes=6-",
            "bytes=-5",
            "bytes=-0",
            "bytes=-100",
            "bytes=0-100",
            "bytes=11-",
            "bytes=20-30",
            "bytes=5-2",
            "bytes=a-b",
            "bits=0-1",
            "bytes=",
            "bytes=,",
            "bytes=0-0,2-3",
            "bytes=0-5,3-9",
            "bytes=0-8,9-10,20-30",
            "bytes=0-0,20-",
            "bytes= 1 - 2 ",
            "bytes=--5",
            "bytes=-",
            "bytes=+1-2",
            "bytes=0-0, ,1-1",
            "bytes=99999999999999999999-",
            "bytes=-99999999999999999999",
            "bytes=0-0,-0",
        ],
        11,
        expect![[r#"
            : 200 - 11 File(0..11)
            bytes=0-4: 206 bytes 0-4/11 5 File(0..5)
            bytes=6-: 206 bytes 6-10/11 5 File(6..11)
            bytes=-5: 206 bytes 6-10/11 5 File(6..11)
            bytes=-0: 206 bytes 11-10/11 0 File(11..11)
            bytes=-100: 206 bytes 0-10/11 11 File(0..11)
            bytes=0-100: 206 bytes 0-10/11 11 File(0..11)
            bytes=11-: 416 bytes */11 33 Text("invalid range: failed to overlap\n")
            bytes=20-30: 416 bytes */11 33 Text("invalid range: failed to overlap\n")
            bytes=5-2: 416 - 14 Text("invalid range\n")
            bytes=a-b: 416 - 14 Text("invalid range\n")
            bits=0-1: 416 - 14 Text("invalid range\n")
            bytes=: 200 - 11 File(0..11)
            bytes=,: 200 - 11 File(0..11)
            bytes=0-0,2-3: 206 - 345 parts [0..1, 2..4]
            bytes=0-5,3-9: 200 - 11 File(0..11)
            bytes=0-8,9-10,20-30: 206 - 354 parts [0..9, 9..11]
            bytes=0-0,20-: 206 bytes 0-0/11 1 File(0..1)
            bytes= 1 - 2 : 206 bytes 1-2/11 2 File(1..3)
            bytes=--5: 416 - 14 Text("invalid range\n")
            bytes=-: 416 - 14 Text("invalid range\n")
            bytes=+1-2: 206 bytes 1-2/11 2 File(1..3)
            bytes=0-0, ,1-1: 206 - 344 parts [0..1, 1..2]
            bytes=99999999999999999999-: 416 - 14 Text("invalid range\n")
            bytes=-99999999999999999999: 416 - 14 Text("invalid range\n")
            bytes=0-0,-0: 206 - 345 parts [0..1, 11..11]
        "#]],
    );
}

#[test]
fn ranges_of_an_empty_file() {
    check_ranges(
        &["bytes=0-", "bytes=5-", "bytes=-1"],
        0,
        expect![[r#"
        bytes=0-: 200 - 0 File(0..0)
        bytes=5-: 200 - 0 File(0..0)
        bytes=-1: 206 bytes 0--1/0 0 File(0..0)
    "#]],
    );
}

#[test]
fn too_many_ranges_get_the_whole_file() {
    let ranges = format!("bytes={}", "0-0,".repeat(101));
    let file = Attributes { size_bytes: 1000, ..hello() };
    let plan = plan(&file, &FileRequest { range: Some(&ranges), ..named("a") });
    assert_eq!((plan.status, plan.body), (200, Body::File(0..1000)));
}

#[test]
fn several_ranges_are_parts_of_the_told_length() {
    let plan = plan(&hello(), &FileRequest { range: Some("bytes=0-0,2-3"), ..named("a.txt") });
    let Body::Parts(parts, end) = &plan.body else { panic!("{plan:?}") };
    let text: String =
        parts.iter().map(|part| format!("{}<{:?}>", part.head, part.range)).collect();
    let boundary = header(&plan, "content-type").unwrap().split_once("boundary=").unwrap().1;
    assert_eq!(boundary.len(), 60);
    expect![[r#"
        --B
        Content-Range: bytes 0-0/11
        Content-Type: text/plain; charset=utf-8

        <0..1>
        --B
        Content-Range: bytes 2-3/11
        Content-Type: text/plain; charset=utf-8

        <2..4>
        --B--
    "#]]
    .assert_eq(&format!("{text}{end}").replace(boundary, "B").replace('\r', ""));
    let length: u64 = parts.iter().map(|p| p.head.len() as u64 + p.range.end - p.range.start).sum();
    let length = (length + end.len() as u64).to_string();
    assert_eq!(header(&plan, "content-length"), Some(length.as_str()));
    assert_eq!(length, "345");
}

#[test]
fn conditions_are_checked_as_go_does() {
    let request = || named("a.txt");
    let cases = [
        (304, FileRequest { if_none_match: Some("*"), ..request() }),
        (200, FileRequest { if_none_match: Some("\"x\""), ..request() }),
        (304, FileRequest { if_none_match: Some("W/\"x\", *"), ..request() }),
        (200, FileRequest { if_none_match: Some("x"), ..request() }),
        (200, FileRequest { if_none_match: Some(""), ..request() }),
        (200, FileRequest { if_match: Some("*"), ..request() }),
        (412, FileRequest { if_match: Some("\"x\""), ..request() }),
        (304, FileRequest { if_modified_since: Some(MODIFIED), ..request() }),
        (200, FileRequest { if_modified_since: Some(BEFORE), ..request() }),
        (304, FileRequest { if_modified_since: Some(AFTER), ..request() }),
        (200, FileRequest { if_modified_since: Some("x"), ..request() }),
        (200, FileRequest { if_unmodified_since: Some(MODIFIED), ..request() }),
        (412, FileRequest { if_unmodified_since: Some(BEFORE), ..request() }),
        (200, FileRequest { if_unmodified_since: Some(AFTER), ..request() }),
        (
            200,
            FileRequest {
                if_none_match: Some("\"x\""),
                if_modified_since: Some(MODIFIED),
                ..request()
            },
        ),
        (200, FileRequest { if_match: Some("*"), if_unmodified_since: Some(BEFORE), ..request() }),
    ];
    for (status, request) in cases {
        assert_eq!(plan(&hello(), &request).status, status, "{request:?}");
    }
    for (status, if_range) in
        [(206, MODIFIED), (200, BEFORE), (200, "\"x\""), (200, "zz"), (206, "")]
    {
        let request =
            FileRequest { range: Some("bytes=0-1"), if_range: Some(if_range), ..request() };
        assert_eq!(plan(&hello(), &request).status, status, "{if_range}");
    }
}

#[test]
fn answers_without_content_keep_the_right_headers() {
    let names = |request: FileRequest<'_>| {
        plan(&hello(), &request).headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    };
    let answers = [
        names(FileRequest { if_none_match: Some("*"), ..named("a") }),
        names(FileRequest { if_match: Some("\"x\""), ..named("a") }),
        names(FileRequest { range: Some("bytes=99-"), ..named("a") }),
    ];
    expect![[r#"
        content-disposition content-security-policy cache-control last-modified
        content-disposition content-type content-security-policy cache-control last-modified content-length
        content-disposition content-type content-security-policy content-range x-content-type-options content-length"#]].assert_eq(&answers.join("\n"));
}

#[test]
fn head_tells_the_length_without_a_body() {
    for (range, length) in [(None, "11"), (Some("bytes=0-1"), "2"), (Some("bytes=99-"), "33")] {
        let plan = plan(&hello(), &FileRequest { method: Method::Head, range, ..named("a") });
        assert_eq!(header(&plan, "content-length"), Some(length));
        assert_eq!(plan.body, Body::Empty);
    }
}

#[test]
fn only_harmless_types_are_shown_inline() {
    let disposition = |content_type: &str, download| {
        let file = Attributes { content_type: content_type.to_owned(), ..hello() };
        let plan = plan(&file, &FileRequest { download, ..named("a") });
        header(&plan, "content-disposition").unwrap().to_owned()
    };
    assert_eq!(disposition("image/png", false), "inline; filename=\"a\"");
    assert_eq!(disposition("image/png", true), "attachment; filename=\"a\"");
    assert_eq!(disposition("application/pdf", false), "inline; filename=\"a\"");
    for content_type in ["image/svg+xml", "text/html; charset=utf-8", "text/plain", ""] {
        assert_eq!(disposition(content_type, false), "attachment; filename=\"a\"");
    }
}

#[test]
fn a_few_extensions_decide_the_type() {
    let content_type =
        |name| header(&plan(&hello(), &named(name)), "content-type").unwrap().to_owned();
    assert_eq!(content_type("a.svg"), "image/svg+xml");
    assert_eq!(content_type("a.tar.js"), "text/javascript");
    assert_eq!(content_type("a.JS"), "text/plain; charset=utf-8");
    assert_eq!(content_type("svg"), "text/plain; charset=utf-8");
}

#[test]
fn names_cannot_break_out_of_the_header() {
    let plan = plan(&hello(), &named("a\"b\\c\r\nd\0é.txt"));
    assert_eq!(
        header(&plan, "content-disposition"),
        Some("attachment; filename=\"a\\\"b\\\\c\\r\\nd\\u{0}é.txt\"")
    );
}

#[test]
fn an_unknown_time_is_not_told() {
    let file = Attributes { modified: UNIX_EPOCH, ..hello() };
    let request = FileRequest { if_modified_since: Some(AFTER), ..named("a") };
    let plan = plan(&file, &request);
    assert_eq!((plan.status, header(&plan, "last-modified")), (200, None));
}

#[test]
fn download_is_read_as_a_go_bool() {
    assert!(["1", "t", "T", "true", "TRUE", "True"].into_iter().all(parse_download));
    assert!(!["", "0", "yes", "on", "tRUE"].into_iter().any(parse_download));
}
