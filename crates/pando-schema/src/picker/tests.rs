use proptest::prelude::*;
use serde_json::json;

use super::*;

fn picked(fields: &str) -> String {
    let mut data = json!({
        "t": "hello world",
        "n": 1,
        "j": { "a": { "b": 1, "c": [{ "x": 1, "y": 2 }, { "x": 3 }] }, "l": [1, { "z": 1 }],
            "q": "<b>text</b> long" },
        "expand": { "r": [{ "id": "1", "n": "x" }, { "id": "2", "n": "y" }] },
    });
    match Picker::parse(fields) {
        Ok(picker) => {
            picker.pick(&mut data);
            data.to_string()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn names_paths_and_stars_pick() {
    let cases = [
        ("t, n", r#"{"t":"hello world","n":1}"#),
        ("nope", "{}"),
        ("j.a.c.y,t", r#"{"t":"hello world","j":{"a":{"c":[{"y":2},{}]}}}"#),
        ("j.a.b.deeper", r#"{"j":{"a":{"b":1}}}"#),
        ("j.l.z", r#"{"j":{"l":[1,{"z":1}]}}"#),
        ("expand.r.n", r#"{"expand":{"r":[{"n":"x"},{"n":"y"}]}}"#),
        ("expand.*", r#"{"expand":{"r":[{"id":"1","n":"x"},{"id":"2","n":"y"}]}}"#),
        ("j.q:excerpt(4,true)", r#"{"j":{"q":"text..."}}"#),
        ("t:excerpt(3),t", r#"{"t":"hello world"}"#),
        (
            "t:excerpt('3')",
            "excerpt needs a length above 0, and takes nothing but that and withEllipsis",
        ),
        ("t:excerpt(3.9)", r#"{"t":"hel"}"#),
        (
            "t:excerpt(0)",
            "excerpt needs a length above 0, and takes nothing but that and withEllipsis",
        ),
        ("t:foo(1)", r#"missing or invalid modifier "foo""#),
        ("(t", r#"unbalanced parenthesis or quoted expression: "(t""#),
    ];
    for (fields, expected) in cases {
        assert_eq!(picked(fields), expected, "{fields}");
    }
    let all: Json = serde_json::from_str(&picked("*,t:excerpt(3),expand.r.id")).unwrap();
    assert_eq!(all["t"], "hel");
    assert_eq!(all["j"]["a"]["b"], 1);
    assert_eq!(all["expand"]["r"], json!([{ "id": "1" }, { "id": "2" }]));
}

#[test]
fn excerpts_are_plain_text() {
    let cases = [
        ("<p>Hello <b>world</b></p><p>Two&nbsp;lines</p>", "Hello world Two\u{a0}lines"),
        ("a<br>b", "ab"),
        ("<div>a</div>b<div>c</div>", "a b c"),
        ("<ul><li>one<li>two</ul>x", "one two x"),
        (
            "a &amp; b &lt; &copy &#169; &#x41; &notit; &unknown; &",
            "a & b < © © A ¬it; &unknown; &",
        ),
        ("<script>x<y</script>after", "after"),
        ("<title>T</title>body", "body"),
        ("x<title>T &amp; U</title>y", "x T & U y"),
        ("<td>a</td><td>b</td>", "ab"),
        ("<table><tr><td>a<td>b<tr><td>c</table>d", "a b c d"),
        ("x<table>foo</table>", "xfoo"),
        ("<b>foo<p>bar</b>baz", "foo barbaz"),
        ("<a href='x>y'>link</a>s", "links"),
        ("a < b > c", "a < b > c"),
        ("a<!-- no -->b<!-->c-->d", "abc-->d"),
        ("x</p>y", "x y"),
        ("<svg><text>no</text></svg>yes<textarea>no</textarea>", "yes"),
        ("<xmp><b>q</b></xmp>z", "<b>q</b> z"),
        ("&#0;&#128;&#xD800;", "\u{fffd}€\u{fffd}"),
    ];
    let excerpt = excerpt::Excerpt { chars_max: 100, with_ellipsis: false };
    for (html, text) in cases {
        assert_eq!(excerpt.of(html), text, "{html}");
    }
}

#[test]
fn excerpts_end_where_they_should() {
    let excerpt = |chars_max, with_ellipsis, html: &str| {
        excerpt::Excerpt { chars_max, with_ellipsis }.of(html)
    };
    assert_eq!(excerpt(5, true, "<p>Hello <b>world</b></p>"), "Hello...");
    assert_eq!(excerpt(5, false, "<p>éééééééé</p>"), "ééééé");
    // The length of what was read is counted in bytes.
    assert_eq!(excerpt(8, true, "x bazéé<hr><p>more</p>"), "x bazéé");
    assert_eq!(excerpt(6, true, "Hello world"), "Hello...");
}

proptest! {
    #[test]
    fn any_html_is_survived(html in "[<>/!?a-d =\"'&#x;0-9é\n-]{0,60}", chars_max in 1_usize..20) {
        let text = excerpt::Excerpt { chars_max, with_ellipsis: false }.of(&html);
        prop_assert!(text.chars().count() <= chars_max);
    }

    #[test]
    fn any_fields_are_survived(fields in "[a-c.*:(),'\" 0-9excrpt]{0,24}") {
        if let Ok(picker) = Picker::parse(&fields) {
            picker.pick(&mut json!({ "a": { "b": [{ "c": "<b>x" }] }, "c": null }));
        }
    }
}
