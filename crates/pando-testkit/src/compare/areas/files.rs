//! Files: download, ranges, conditions, thumbs, protected files and their tokens.

use super::Area;
use crate::compare::dataset::{Dataset, StoredFile};
use crate::compare::scenario::{Actor, Step};
use crate::http::Request;
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "files", weight: 5, catalog, random };

const HEADERS: &[&str] = &["etag", "last-modified", "accept-ranges", "content-length"];
const RANGES: &[&str] = &[
    "bytes=0-3",
    "bytes=5-",
    "bytes=-4",
    "bytes=0-0",
    "bytes=0-99999999",
    "bytes=99999999-",
    "bytes=3-1",
    "bytes=0-1,3-4",
    "bytes=",
    "bytes=a-b",
    "items=0-1",
    "bytes=0-1,",
    "bytes= 0-1",
    "bytes=-0",
    "bytes=-",
    "0-3",
];
const THUMBS: &[&str] = &[
    "20x20",
    "20x0",
    "0x20",
    "20x20t",
    "20x20b",
    "20x20f",
    "100x100",
    "100x100t",
    "100x100b",
    "100x100f",
    "0x100",
    "100x0",
    "30x30",
    "0x0",
    "x",
    "abc",
    "",
    "20x20x",
    "20X20",
    "-1x5",
    "99999x99999",
    "20x20,100x100",
];

fn path(file: &StoredFile) -> String {
    format!("/api/files/posts/{}/{}", file.record, file.name)
}

fn get(actor: Actor, target: String) -> Step {
    Step::get(actor, target).headers(HEADERS)
}

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    let first = |field: &str, ending: &str| {
        dataset.files.iter().find(|file| file.field == field && file.name.ends_with(ending))
    };
    for (field, ending) in [
        ("cover", ".png"),
        ("cover", ".svg"),
        ("papers", ".txt"),
        ("papers", ".html"),
        ("private", ".pdf"),
    ] {
        if let Some(file) = first(field, ending) {
            plain_cases(file, &mut cases);
        }
    }
    if let Some(file) = first("cover", ".png") {
        thumb_cases(file, &mut cases);
        path_cases(dataset, file, &mut cases);
    }
    if let Some(file) = first("papers", ".txt") {
        range_cases(file, &mut cases);
        cases.push(condition_case(file));
    }
    if let Some(file) = first("private", ".pdf") {
        token_cases(file, &mut cases);
    }
    cases
}

fn plain_cases(file: &StoredFile, cases: &mut Vec<Vec<Step>>) {
    for query in [
        "",
        "?download",
        "?download=1",
        "?download=0",
        "?download=false",
        "?download=true",
        "?download=x",
        "?thumb=",
        "?unknown=1",
        "?token=abc",
    ] {
        cases.push(vec![get(Actor::Guest, format!("{}{query}", path(file)))]);
    }
    for actor in [Actor::Alice, Actor::Mia, Actor::Root] {
        cases.push(vec![get(actor, path(file))]);
    }
    cases.push(vec![Step::new(Actor::Guest, Request::new("HEAD", path(file))).headers(HEADERS)]);
    cases.push(vec![Step::new(Actor::Guest, Request::post(path(file)))]);
}

fn thumb_cases(file: &StoredFile, cases: &mut Vec<Vec<Step>>) {
    for thumb in THUMBS {
        let target = format!("{}?thumb={thumb}", path(file));
        cases.push(vec![Step::get(Actor::Guest, target).picture()]);
    }
    // The second time it comes from the stored thumb.
    let stored = format!("{}?thumb=20x20&download=1", path(file));
    cases.push(vec![
        Step::get(Actor::Guest, stored.clone()).picture(),
        Step::get(Actor::Guest, stored).picture(),
    ]);
}

fn path_cases(dataset: &Dataset, file: &StoredFile, cases: &mut Vec<Vec<Step>>) {
    let StoredFile { record, name, .. } = file;
    let by_id = &dataset.collections["posts"];
    for target in [
        format!("/api/files/{by_id}/{record}/{name}"),
        format!("/api/files/POSTS/{record}/{name}"),
        format!("/api/files/unknown/{record}/{name}"),
        format!("/api/files/users/{record}/{name}"),
        format!("/api/files/posts/000000000000000/{name}"),
        format!("/api/files/posts/{record}/unknown.png"),
        format!("/api/files/posts/{record}/"),
        format!("/api/files/posts/{record}"),
        format!("/api/files/posts/{record}/{name}/x"),
        format!("/api/files/posts/{record}/..%2f{record}%2f{name}"),
        format!("/api/files/posts/{record}/..%2f..%2f..%2fdata.db"),
        format!("/api/files/posts/{record}/../{record}/{name}"),
        format!("/api/files/posts/{record}/%00{name}"),
        format!("/api/files/posts/{record}/{name}%00"),
        format!("/api/files/posts/{record}/{name}.attrs"),
        format!("/api/files/posts/{record}/thumbs_{name}/20x20_{name}"),
        "/api/files".to_owned(),
        "/api/files/".to_owned(),
        "/api/files/posts".to_owned(),
        "/api/files/token".to_owned(),
    ] {
        cases.push(vec![get(Actor::Guest, target)]);
    }
}

fn range_cases(file: &StoredFile, cases: &mut Vec<Vec<Step>>) {
    for range in RANGES {
        let request = Request::get(path(file)).header("Range", *range);
        cases.push(vec![Step::new(Actor::Guest, request).headers(HEADERS)]);
    }
    for value in ["\"x\"", "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT"] {
        let request =
            Request::get(path(file)).header("Range", "bytes=0-3").header("If-Range", value);
        cases.push(vec![Step::new(Actor::Guest, request).headers(HEADERS)]);
    }
}

/// Conditional requests (RFC 9110, 13) with the validators of the first answer.
fn condition_case(file: &StoredFile) -> Vec<Step> {
    let mut steps = vec![
        get(Actor::Guest, path(file))
            .capture("etag", "header:etag")
            .capture("modified", "header:last-modified"),
    ];
    for (name, value) in [
        ("If-None-Match", "{{etag}}"),
        ("If-None-Match", "W/{{etag}}"),
        ("If-None-Match", "\"x\", {{etag}}"),
        ("If-None-Match", "*"),
        ("If-None-Match", "\"x\""),
        ("If-None-Match", "x"),
        ("If-Match", "{{etag}}"),
        ("If-Match", "\"x\""),
        ("If-Match", "*"),
        ("If-Modified-Since", "{{modified}}"),
        ("If-Modified-Since", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("If-Modified-Since", "Wed, 21 Oct 2099 07:28:00 GMT"),
        ("If-Modified-Since", "nonsense"),
        ("If-Unmodified-Since", "{{modified}}"),
        ("If-Unmodified-Since", "Wed, 21 Oct 2015 07:28:00 GMT"),
    ] {
        steps.push(
            Step::new(Actor::Guest, Request::get(path(file)).header(name, value)).headers(HEADERS),
        );
    }
    steps
}

fn token_cases(file: &StoredFile, cases: &mut Vec<Vec<Step>>) {
    for actor in Actor::ALL {
        cases.push(vec![
            Step::new(actor, Request::post("/api/files/token")).capture("file", "/token"),
            get(Actor::Guest, format!("{}?token={{{{file}}}}", path(file))),
            get(Actor::Bob, format!("{}?token={{{{file}}}}&download=1", path(file))),
            get(Actor::Guest, format!("{}?token={{{{file}}}}x", path(file))),
            // An auth token is no file token.
            get(Actor::Guest, format!("{}?token={{{{token.{}}}}}", path(file), actor.name())),
        ]);
    }
    cases.push(vec![
        Step::new(Actor::Root, Request::post("/api/files/token")).capture("file", "/token"),
        Step::new(
            Actor::Guest,
            Request::get("/api/collections").header("Authorization", "{{file}}"),
        ),
    ]);
}

fn random(dataset: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let file = rng.pick(&dataset.files).clone();
    match rng.below(3) {
        0 => vec![get(*rng.pick(&Actor::ALL), path(&file))],
        1 => vec![
            Step::get(Actor::Guest, format!("{}?thumb={}", path(&file), rng.pick(THUMBS)))
                .picture(),
        ],
        _ => {
            let (start, end) = (rng.below(40), rng.below(60));
            let request = Request::get(path(&file)).header("Range", format!("bytes={start}-{end}"));
            vec![Step::new(Actor::Root, request).headers(HEADERS)]
        }
    }
}
