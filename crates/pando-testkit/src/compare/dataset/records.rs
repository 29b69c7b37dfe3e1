//! The records of the common data set, drawn from one seed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fixture;
use crate::http::{Multipart, Request};
use crate::rng::Rng;

/// The password of every auth record.
pub(crate) const PASSWORD: &str = "1234567890";
pub(crate) const ALICE: &str = "alice0000000001";
pub(crate) const BOB: &str = "bob000000000002";
pub(crate) const MIA: &str = "mia000000000001";

const USER_COUNT: usize = 14;
const POST_COUNT: usize = 70;
const COMMENT_COUNT: usize = 110;
const SMALL_COUNT: usize = 14;

const WORDS: [&str; 16] = [
    "alpha",
    "Beta",
    "gamma ray",
    "DELTA",
    "épsilon",
    "zeta%",
    "eta_1",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "日本",
    "42",
    "-7.5",
    "true",
    "null",
    "two\nlines",
];

/// Record ids by collection.
pub(crate) type Ids = BTreeMap<&'static str, Vec<String>>;

/// One record to create: its collection and the request.
pub(super) struct Plan {
    pub(super) requests: Vec<Request>,
    pub(super) ids: Ids,
}

pub(super) fn plan(rng: &mut Rng) -> Plan {
    let mut plan = Plan { requests: Vec::new(), ids: Ids::new() };
    plan.teams(rng);
    plan.users(rng);
    plan.members();
    plan.categories(rng);
    for _ in 0..POST_COUNT {
        plan.post(rng);
    }
    plan.comments(rng);
    plan.kinds(rng);
    plan.small(rng);
    plan
}

impl Plan {
    fn id(&mut self, collection: &'static str, rng: &mut Rng) -> String {
        let id = rng.record_id();
        self.ids.entry(collection).or_default().push(id.clone());
        id
    }

    fn any(&self, collection: &str, rng: &mut Rng) -> String {
        rng.pick(&self.ids[collection]).clone()
    }

    fn some(&self, collection: &str, count_max: usize, rng: &mut Rng) -> Vec<String> {
        let mut ids = self.ids[collection].clone();
        rng.shuffle(&mut ids);
        ids.truncate(rng.below(count_max + 1));
        ids
    }

    fn add(&mut self, collection: &str, body: &Value) {
        let path = format!("/api/collections/{collection}/records");
        self.requests.push(Request::post(path).json(body));
    }

    fn teams(&mut self, rng: &mut Rng) {
        for index in 0..6 {
            let id = self.id("teams", rng);
            let labels =
                json!({ "index": index, "list": [index, "x"], "deep": { "on": index % 2 == 0 } });
            self.add(
                "teams",
                &json!({ "id": id, "name": format!("team {index}"), "labels": labels }),
            );
        }
    }

    fn users(&mut self, rng: &mut Rng) {
        for index in 0..USER_COUNT {
            let (id, name, role) = match index {
                0 => (ALICE.to_owned(), "alice".to_owned(), "admin"),
                1 => (BOB.to_owned(), "bob".to_owned(), "reader"),
                _ => {
                    (rng.record_id(), format!("user{index}"), *rng.pick(&["editor", "reader", ""]))
                }
            };
            self.ids.entry("users").or_default().push(id.clone());
            let team =
                if index < 2 { self.ids["teams"][index].clone() } else { self.any("teams", rng) };
            self.add("users", &json!({
                "id": id, "email": format!("{name}@example.com"), "username": name,
                "password": PASSWORD, "passwordConfirm": PASSWORD,
                "verified": index == 0 || index % 3 > 0, "emailVisibility": index % 2 == 0,
                "name": rng.pick(&WORDS), "role": role, "score": rng.between(-3, 9), "team": team,
                "secret": format!("s{index}"), "active": rng.percent(50),
            }));
        }
        for index in 0..6 {
            let path = format!("/api/collections/teams/records/{}", self.ids["teams"][index]);
            let owner = self.ids["users"][index % 4].clone();
            self.requests.push(Request::patch(path).json(&json!({ "owner": owner })));
        }
    }

    fn members(&mut self) {
        for (id, name, verified) in [(MIA, "mia", true), ("max000000000002", "max", false)] {
            self.ids.entry("members").or_default().push(id.to_owned());
            self.add(
                "members",
                &json!({
                    "id": id, "email": format!("{name}@example.com"), "nick": name,
                    "password": PASSWORD, "passwordConfirm": PASSWORD, "verified": verified,
                }),
            );
        }
    }

    fn categories(&mut self, rng: &mut Rng) {
        for index in 0..7 {
            let id = self.id("categories", rng);
            self.add(
                "categories",
                &json!({ "id": id, "name": format!("cat {index}"), "rank": index }),
            );
        }
    }

    fn post(&mut self, rng: &mut Rng) {
        let id = self.id("posts", rng);
        let number = self.ids["posts"].len();
        let mut form = Multipart::new().text("id", &id);
        let author = if rng.percent(35) { ALICE.to_owned() } else { self.any("users", rng) };
        for (name, value) in post_values(number, rng) {
            form = form.text(name, &value);
        }
        form = form.text("author", &author);
        for editor in self.some("users", 3, rng) {
            form = form.text("editors", &editor);
        }
        if rng.percent(80) {
            form = form.text("category", &self.any("categories", rng));
        }
        form = post_files(form, number);
        let path = "/api/collections/posts/records";
        self.requests.push(Request::post(path).multipart(&form));
    }

    fn comments(&mut self, rng: &mut Rng) {
        for _ in 0..COMMENT_COUNT {
            let id = self.id("comments", rng);
            // Half of the comments belong to a few posts, so that some posts have many.
            let post = if rng.percent(50) {
                self.ids["posts"][rng.below(6)].clone()
            } else {
                self.any("posts", rng)
            };
            let text = format!("{} {}", rng.pick(&WORDS), rng.pick(&WORDS));
            self.add(
                "comments",
                &json!({
                    "id": id, "text": text, "post": post, "user": self.any("users", rng),
                    "likes": rng.between(0, 9),
                }),
            );
        }
    }

    fn kinds(&mut self, rng: &mut Rng) {
        for index in 0..SMALL_COUNT {
            let id = self.id("kinds", rng);
            self.add("kinds", &json!({
                "id": id, "text": rng.pick(&WORDS), "editor": format!("<p>{}</p>", rng.pick(&WORDS)),
                "number": rng.between(-100, 100) as f64 / 8.0, "bool": rng.percent(50),
                "date": format!("20{:02}-03-0{} 10:00:00.000Z", 10 + index, 1 + index % 9),
                "one": rng.pick(&["a", "b", ""]), "many": &["a", "d"][..rng.below(3)],
                "rel": self.any("teams", rng), "rels": self.some("teams", 3, rng),
                "json": json_value(index, rng), "geo": { "lon": index, "lat": -(index as i64) },
                "made": format!("fixed-{index}"),
            }));
        }
    }

    fn small(&mut self, rng: &mut Rng) {
        for index in 0..SMALL_COUNT {
            let (note, gate) = (self.id("notes", rng), self.id("gates", rng));
            let owner = if index % 2 == 0 { ALICE.to_owned() } else { self.any("users", rng) };
            let parents = self.some("teams", 2, rng);
            self.add(
                "notes",
                &json!({ "id": note, "text": rng.pick(&WORDS), "owner": owner,
                "parent": parents, "size": index }),
            );
            self.add("gates", &json!({ "id": gate, "name": rng.pick(&["a", "A", "bb", "ccc"]),
                "level": rng.between(0, 9), "open": rng.percent(50), "flags": &["x", "y", "z"][..index % 4] }));
            let (join, locked) = (self.id("joins", rng), self.id("locked", rng));
            self.add(
                "joins",
                &json!({ "id": join, "label": format!("cat {}", rng.below(9)),
                "post": self.any("posts", rng) }),
            );
            self.add("locked", &json!({ "id": locked, "text": rng.pick(&WORDS) }));
        }
    }
}

fn post_values(number: usize, rng: &mut Rng) -> Vec<(&'static str, String)> {
    let mut values = vec![
        ("title", format!("{} {number}", rng.pick(&WORDS))),
        (
            "body",
            format!("<p>{}</p> &amp; <b>{}</b> text {number}", rng.pick(&WORDS), rng.pick(&WORDS)),
        ),
        ("views", rng.between(0, 60).to_string()),
        ("rating", (rng.between(-80, 80) as f64 / 8.0).to_string()),
        ("published", rng.percent(50).to_string()),
        ("status", (*rng.pick(&["open", "open", "closed", "draft"])).to_owned()),
        ("meta", json_value(number, rng).to_string()),
        ("secret", format!("hidden {}", number % 3)),
    ];
    if !number.is_multiple_of(4) {
        values.push(("slug", format!("post-{number}")));
        values.push(("contact", format!("p{}@example.com", number % 5)));
        values.push(("link", format!("https://example.com/{}?q=1", number % 7)));
        let (month, day) = (1 + number % 12, 1 + number % 28);
        values.push((
            "at",
            format!("20{:02}-{month:02}-{day:02} 1{}:30:15.250Z", 18 + number % 12, number % 10),
        ));
        let (lon, lat) = (rng.between(-180, 180), rng.between(-90, 90));
        values.push(("place", json!({ "lon": lon, "lat": lat }).to_string()));
    }
    for tag in ["red", "green", "blue", "dark blue", "ünï"] {
        if rng.percent(30) && values.iter().filter(|(name, _)| *name == "tags").count() < 4 {
            values.push(("tags", tag.to_owned()));
        }
    }
    values
}

fn post_files(mut form: Multipart, number: usize) -> Multipart {
    if number % 5 == 1 {
        form = form.file("cover", "Cover Picture.png", "image/png", &fixture::png(60, 40));
    }
    if number % 10 == 2 {
        form = form.file("cover", "logo.svg", "image/svg+xml", fixture::SVG);
    }
    if number % 6 == 1 {
        form = form.file("papers", "notes.txt", "text/plain", b"line one\nline two\n").file(
            "papers",
            "page.html",
            "text/html",
            b"<html><script>1</script></html>",
        );
    }
    if number % 8 == 1 {
        form = form.file("private", "secret.pdf", "application/pdf", fixture::PDF);
    }
    form
}

fn json_value(number: usize, rng: &mut Rng) -> Value {
    match number % 8 {
        0 => Value::Null,
        1 => json!({ "a": number, "nested": { "x": rng.between(0, 5) }, "list": [1, 2, 3] }),
        2 => json!([1, "two", { "three": 3 }]),
        3 => json!("plain"),
        4 => json!(number as f64 / 4.0),
        5 => json!(number.is_multiple_of(2)),
        6 => json!({ "a": "text", "list": [{ "k": 1 }, { "k": rng.between(0, 3) }], "empty": "" }),
        _ => json!({ "a": null, "nested": {}, "ключ": "ü" }),
    }
}
