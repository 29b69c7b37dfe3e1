use super::*;

/// What PocketBase 0.40.6 stored as the type of each content, and the extension that it gave to
/// the file: type, extension, content. In the content `\*N;XX` is byte XX times N.
const SAMPLES: &str = include_str!("tests/samples.tsv");

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        rest = &rest[1..];
        if char != '\\' {
            bytes.push(char as u8);
            continue;
        }
        let (kind, after) = rest.split_at(1);
        rest = after;
        let hex = |text: &str| u8::from_str_radix(&text[..2], 16).unwrap();
        match kind {
            "n" => bytes.push(b'\n'),
            "r" => bytes.push(b'\r'),
            "t" => bytes.push(b'\t'),
            "x" => {
                bytes.push(hex(rest));
                rest = &rest[2..];
            }
            "*" => {
                let (count, byte) = rest.split_once(';').unwrap();
                bytes.extend(vec![hex(byte); count.parse().unwrap()]);
                rest = &byte[2..];
            }
            other => bytes.extend(other.as_bytes()),
        }
    }
    bytes
}

#[test]
fn samples_have_the_types_that_pocketbase_finds() {
    let mut wrong = Vec::new();
    for line in SAMPLES.lines() {
        let mut columns = line.splitn(3, '\t');
        let mut column = || columns.next().unwrap();
        let (expected, extension, content) = (column(), column(), column());
        let found = Mime::detect(&unescape(content));
        if (found.to_string().as_str(), found.extension()) != (expected, extension) {
            wrong.push(format!("{found} {}: {line}", found.extension()));
        }
    }
    assert!(SAMPLES.lines().count() > 400);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_first_4_kib_count() {
    let text_then = |length: usize| [vec![b'a'; length], vec![0]].concat();
    assert_eq!(Mime::detect(&text_then(4095)).to_string(), "application/octet-stream");
    assert_eq!(Mime::detect(&text_then(4096)).to_string(), "text/plain; charset=utf-8");
}

#[test]
fn long_json_and_csv_may_be_cut() {
    let long = |start: &str, unit: &str, end: &str| [start, &unit.repeat(3000), end].concat();
    let essence = |text: String| Mime::detect(text.as_bytes()).essence();
    assert_eq!(essence(long("{\"a\":\"", "xx", "")), "application/json");
    assert_eq!(essence(long("{\"a\" \"", "xx", "\"}")), "text/plain");
    assert_eq!(essence(long("[", "1,", "1]")), "application/json");
    assert_eq!(essence(long("a,b\n", "1,2\n", "3")), "text/csv");
    assert_eq!(essence(format!("a,b\n1,2\n{}", "x".repeat(5000))), "text/csv");
    assert_eq!(essence(format!("a,b\n{}", "x".repeat(5000))), "text/plain");
}

#[test]
fn deep_json_is_only_text() {
    assert_eq!(Mime::detect("[".repeat(4000).as_bytes()).essence(), "text/plain");
    assert_eq!(Mime::detect("{\"a\":".repeat(800).as_bytes()).essence(), "text/plain");
}

#[test]
fn charsets_that_are_no_tokens_are_dropped() {
    let html = |charset: &str| Mime::detect(format!("<html><meta charset={charset}>").as_bytes());
    assert_eq!(html("'x y'").to_string(), "text/html");
    assert_eq!(html("'ä'").to_string(), "text/html");
    assert_eq!(html("koi8-r").to_string(), "text/html; charset=koi8-r");
}

#[test]
fn no_content_makes_detection_panic() {
    // Every sample cut at every length, and with each byte of its start changed.
    for line in SAMPLES.lines() {
        let content = unescape(line.splitn(3, '\t').nth(2).unwrap());
        for length in 0..content.len().min(600) {
            Mime::detect(&content[..length]);
        }
        for index in 0..content.len().min(100) {
            let mut changed = content.clone();
            changed[index] ^= 0xFF;
            Mime::detect(&changed);
        }
    }
}

#[test]
fn types_match_by_any_of_their_names() {
    assert!(matches("image/png", "image/png"));
    assert!(matches("text/plain; charset=utf-8", " Text/Plain; x=y"));
    assert!(matches("audio/mpeg", "audio/mp3"));
    assert!(matches("application/zip", "application/x-zip"));
    assert!(matches(
        "application/vnd.oasis.opendocument.text-template",
        "application/x-vnd.oasis.opendocument.text-template"
    ));
    assert!(!matches("audio/mp3", "audio/mpeg"));
    assert!(!matches("image/png", "image/*"));
    assert!(!matches("image/png", ""));
    assert!(!matches("application/json", "text/plain"));
}
