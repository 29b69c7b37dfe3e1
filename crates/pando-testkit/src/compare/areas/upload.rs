//! Multipart uploads: limits, types, names, replacing, appending and removing files.

use serde_json::json;

use super::values::valid_limits;
use super::{Area, new_id, record, records};
use crate::compare::dataset::Dataset;
use crate::compare::scenario::{Actor, Step};
use crate::fixture;
use crate::http::{Multipart, Request};
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "upload", weight: 6, catalog, random };

const FILE_HEADERS: &[&str] = &["accept-ranges", "content-length"];

/// Names that a client may send.
const NAMES: &[&str] = &[
    "a.txt",
    "My File.TXT",
    "no-extension",
    ".hidden",
    "ünïcode 日本.txt",
    "a/b.txt",
    "..\\..\\x.txt",
    "../../x.txt",
    "a.tar.gz",
    "a.b.c.d.txt",
    "x.verylongextension1234567890",
    "CON.txt",
    "a%00b.txt",
    "",
    " .txt",
    "..",
    "emoji\u{1F600}.png",
    "quote'.txt",
    "semi;colon.txt",
    "UPPER_lower-123.txt",
    "a.",
    "a..txt",
    "x.phtml",
    "a b  c.txt",
    "-dash-.txt",
    "_under_.txt",
];

fn contents(rng: &mut Rng) -> (&'static str, &'static str, Vec<u8>) {
    let items: [(&str, &str, Vec<u8>); 9] = [
        ("a.png", "image/png", fixture::png(12, 9)),
        ("a.jpg", "image/jpeg", fixture::from_base64(fixture::JPEG_BASE64)),
        ("a.gif", "image/gif", fixture::GIF.to_vec()),
        ("a.svg", "image/svg+xml", fixture::SVG.to_vec()),
        ("a.pdf", "application/pdf", fixture::PDF.to_vec()),
        ("a.txt", "text/plain", b"plain text".to_vec()),
        ("a.html", "text/html", b"<html><body>x</body></html>".to_vec()),
        ("a.json", "application/json", b"{\"a\":1}".to_vec()),
        ("a.bin", "application/octet-stream", vec![0, 1, 2, 255]),
    ];
    rng.pick(&items).clone()
}

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        let form = Multipart::new().file("file", name, "text/plain", b"content");
        cases.push(upload_and_read("name", number, form));
    }
    let types: [(&str, Vec<u8>); 14] = [
        ("p.png", fixture::png(30, 20)),
        ("p.png", b"not a png".to_vec()),
        ("p.jpg", fixture::from_base64(fixture::JPEG_BASE64)),
        ("p.gif", fixture::GIF.to_vec()),
        ("p.svg", fixture::SVG.to_vec()),
        ("p.pdf", fixture::PDF.to_vec()),
        ("p.html", b"<html><script>x</script></html>".to_vec()),
        ("p.txt", b"<html><script>x</script></html>".to_vec()),
        ("p.js", b"alert(1)".to_vec()),
        ("p.css", b"a{}".to_vec()),
        ("p.json", b"{\"a\":1}".to_vec()),
        ("p.xml", b"<?xml version=\"1.0\"?><a/>".to_vec()),
        ("plain-name", vec![0, 1, 2, 3, 255]),
        ("p.txt", Vec::new()),
    ];
    for (number, (name, bytes)) in types.iter().enumerate() {
        let form = Multipart::new().file("file", name, "application/octet-stream", bytes);
        cases.push(upload_and_read("type", number, form));
        let form = Multipart::new().text("title", "cover").file("cover", name, "image/png", bytes);
        cases.push(vec![Step::form(Actor::Root, "POST", records("posts"), &form)]);
    }
    cases.extend(change_cases());
    cases.extend(limit_cases(dataset));
    cases
}

/// Creates a record with the form, views it and reads its first file.
fn upload_and_read(label: &str, number: usize, form: Multipart) -> Vec<Step> {
    let id = new_id(label, number);
    let path = record("kinds", &id);
    let file = format!("/api/files/kinds/{id}/{{{{name}}}}");
    vec![
        Step::form(Actor::Guest, "POST", records("kinds"), &form.text("id", &id)),
        Step::get(Actor::Guest, path).capture("name", "/file"),
        Step::get(Actor::Guest, file.clone()).headers(FILE_HEADERS),
        Step::get(Actor::Guest, file + "?download=1").headers(FILE_HEADERS),
    ]
}

/// Changes to a record that has one file in `file` and two in `files`.
fn change_cases() -> Vec<Vec<Step>> {
    let text = |name: &str, content: &str| {
        Multipart::new().file(name, "new.txt", "text/plain", content.as_bytes())
    };
    let changes: Vec<Request> = vec![
        patch_form(text("file", "x")),
        patch_form(text("file+", "x")),
        patch_form(text("+file", "x")),
        patch_form(text("files", "x")),
        patch_form(text("files+", "x")),
        patch_form(text("+files", "x")),
        patch_form(text("files+", "x").file("files+", "y.txt", "text/plain", b"y")),
        patch_form(text("files", "x").text("files", "{{second}}")),
        patch_form(Multipart::new().text("files", "{{second}}").text("files", "{{first}}")),
        patch_form(Multipart::new().text("files-", "{{first}}")),
        patch_form(Multipart::new().text("files-", "{{first}}").text("files-", "{{second}}")),
        patch_form(Multipart::new().text("file", "")),
        patch_form(Multipart::new().text("files", "")),
        patch_form(text("files+", "x").text("files-", "{{first}}")),
        patch_form(text("text", "a file in a text field")),
        patch_form(text("unknown", "x")),
        patch_form(text("json", "{\"a\":1}")),
        patch_json(&json!({ "file": "" })),
        patch_json(&json!({ "file": null })),
        patch_json(&json!({ "file": [] })),
        patch_json(&json!({ "files": [] })),
        patch_json(&json!({ "files": null })),
        patch_json(&json!({ "files": ["{{second}}"] })),
        patch_json(&json!({ "files": ["{{second}}", "{{first}}"] })),
        patch_json(&json!({ "files": ["{{first}}", "unknown.txt"] })),
        patch_json(&json!({ "files-": "{{first}}" })),
        patch_json(&json!({ "files-": ["{{first}}", "{{second}}"] })),
        patch_json(&json!({ "file-": "{{single}}" })),
        patch_json(&json!({ "files+": "{{single}}" })),
        patch_json(&json!({ "file": "{{first}}" })),
        patch_json(&json!({ "files": "{{first}}" })),
        patch_json(&json!({ "file": "{{single}}", "text": "kept" })),
        patch_json(&json!({ "files": ["{{first}}", "{{first}}"] })),
    ];
    changes.into_iter().enumerate().map(|(number, change)| change_case(number, change)).collect()
}

fn patch_form(form: Multipart) -> Request {
    Request::patch("").multipart(&form)
}

fn patch_json(body: &serde_json::Value) -> Request {
    Request::patch("").json(body)
}

fn change_case(number: usize, mut change: Request) -> Vec<Step> {
    let id = new_id("change", number);
    let path = record("kinds", &id);
    let form = Multipart::new()
        .text("id", &id)
        .file("file", "single.txt", "text/plain", b"single")
        .file("files", "first.txt", "text/plain", b"first")
        .file("files", "second.txt", "text/plain", b"second");
    change.target = path.clone();
    vec![
        Step::form(Actor::Guest, "POST", records("kinds"), &form)
            .capture("single", "/file")
            .capture("first", "/files/0")
            .capture("second", "/files/1"),
        Step::new(Actor::Guest, change),
        Step::get(Actor::Guest, path.clone()),
        Step::get(Actor::Guest, format!("/api/files/kinds/{id}/{{{{first}}}}")),
        Step::get(Actor::Guest, format!("/api/files/kinds/{id}/{{{{single}}}}")),
        Step::delete(Actor::Guest, path),
        Step::get(Actor::Guest, format!("/api/files/kinds/{id}/{{{{second}}}}")),
    ]
}

fn limit_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let payload = valid_limits(dataset).to_string();
    let base = || Multipart::new().text("@jsonPayload", &payload);
    let small = || base().file("file", "s.txt", "text/plain", b"small");
    let forms = vec![
        base().file("file", "a.txt", "text/plain", &[b'x'; 100]),
        base().file("file", "a.txt", "text/plain", &[b'x'; 101]),
        base().file("file", "a.txt", "text/plain", b"a").file("file", "b.txt", "text/plain", b"b"),
        small().file("files", "a.txt", "text/plain", b"text"),
        small().file("files", "a.png", "image/png", &fixture::png(2, 2)),
        small().file("files", "a.pdf", "text/plain", fixture::PDF),
        small()
            .file("files", "a.txt", "text/plain", b"1")
            .file("files", "b.txt", "text/plain", b"2")
            .file("files", "c.txt", "text/plain", b"3"),
        base(),
        base().text("file", "s.txt"),
        small().text("text", ""),
        base().file("file", "huge.bin", "application/octet-stream", &vec![7; 6 << 20]),
    ];
    forms
        .iter()
        .map(|form| vec![Step::form(Actor::Guest, "POST", records("limits"), form)])
        .collect()
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let id = rng.record_id();
    let mut form = Multipart::new().text("id", &id).text("text", "random");
    let (name, kind, bytes) = contents(rng);
    form = form.file("file", name, kind, &bytes);
    for _ in 0..rng.below(5) {
        let (name, kind, bytes) = contents(rng);
        form = form.file("files", name, kind, &bytes);
    }
    vec![
        Step::form(Actor::Guest, "POST", records("kinds"), &form).capture("made", "/file"),
        Step::get(Actor::Guest, format!("/api/files/kinds/{id}/{{{{made}}}}"))
            .headers(FILE_HEADERS),
        Step::get(Actor::Guest, format!("/api/files/kinds/{id}/{{{{made}}}}?thumb=100x100"))
            .picture(),
    ]
}
