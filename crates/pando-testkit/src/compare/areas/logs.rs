//! Logs: entries that PocketBase made while the data set was made, found, sorted, counted.

use super::Area;
use crate::compare::dataset::{Dataset, LOGGED_BY};
use crate::compare::scenario::{Actor, Step, target};
use crate::http::Request;
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "logs", weight: 6, catalog, random };

const PATH: &str = "/api/logs";

/// What an entry has, and things that it has not.
const NAMES: [&str; 22] = [
    "id",
    "created",
    "level",
    "message",
    "data",
    "data.auth",
    "data.details",
    "data.details.email",
    "data.details.meta.appName",
    "data.error",
    "data.execTime",
    "data.method",
    "data.referer",
    "data.status",
    "data.type",
    "data.url",
    "data.userAgent",
    "data.userIP",
    "data.nothing",
    "data.nothing.at.all",
    "data.status.0",
    "data.url:lower",
];

const VALUES: [&str; 20] = [
    "0",
    "8",
    "200",
    "300.5",
    "-1",
    "'8'",
    "'200'",
    "''",
    "'GET'",
    "'api'",
    "'%health%'",
    "'users'",
    "'_superusers'",
    "'request'",
    "'2020-01-01 00:00:00.000Z'",
    "@now",
    "null",
    "true",
    "'é'",
    "'cannot be blank'",
];

const SIGNS: [&str; 10] = ["=", "!=", ">", ">=", "<", "<=", "~", "!~", "?=", "?~"];

/// Only entries that both sides have: those that come while they are compared differ in time.
fn ours(filter: &str) -> String {
    let ours = format!("data.userAgent='{LOGGED_BY}'");
    if filter.is_empty() { ours } else { format!("{ours} && ({filter})") }
}

fn find(query: &[(&str, &str)]) -> Step {
    Step::get(Actor::Root, target(PATH, query))
}

fn filter(filter: &str) -> Step {
    find(&[("filter", &ours(filter)), ("sort", "@rowid"), ("perPage", "50")])
}

fn stats(filter: &str) -> Step {
    Step::get(Actor::Root, target("/api/logs/stats", &[("filter", filter)]))
}

fn catalog(_: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for actor in Actor::ALL {
        let all = target(PATH, &[("filter", &ours("")), ("sort", "created,@rowid")]);
        cases.push(vec![Step::get(actor, all)]);
        cases.push(vec![Step::get(actor, "/api/logs/unknown00000000")]);
        cases.push(vec![Step::get(actor, target("/api/logs/stats", &[("filter", &ours(""))]))]);
    }
    for actor in [Actor::Guest, Actor::Alice] {
        cases.push(vec![Step::delete(actor, PATH)]);
    }
    for method in ["POST", "PUT", "PATCH"] {
        cases.push(vec![Step::new(Actor::Root, Request::new(method, PATH))]);
    }
    cases.push(vec![Step::new(Actor::Root, Request::new("HEAD", "/api/logs/stats"))]);
    cases.push(vec![Step::get(Actor::Root, "/api/logs/stats/x")]);
    let one = find(&[("filter", &ours("level > 0")), ("sort", "@rowid"), ("perPage", "1")]);
    cases.push(vec![
        one.capture("log", "/items/0/id"),
        Step::get(Actor::Root, "/api/logs/{{log}}"),
        Step::get(Actor::Root, "/api/logs/{{log}}?fields=id,data.error,data.status"),
        filter("id = '{{log}}'"),
    ]);
    for name in NAMES {
        cases.push(vec![filter(&format!("{name} != 'x'")), filter(&format!("{name} = null"))]);
    }
    let sorts = NAMES.map(|name| format!("{name},@rowid"));
    let others =
        ["-level,-@rowid", "data.status,-data.method,created", "+created", "", "-", "rowid"]
            .map(str::to_owned);
    for sort in sorts.into_iter().chain(others) {
        cases.push(vec![find(&[("filter", &ours("")), ("sort", &sort)])]);
        cases.push(vec![find(&[("filter", &ours("")), ("sort", &format!("-{sort}"))])]);
    }
    for names in ["data.a..b", "data.", "data", "Data.url", "data.0", "data.a:b", "data.-1"] {
        cases.push(vec![
            filter(&format!("{names} = 1")),
            find(&[("filter", &ours("")), ("sort", names)]),
        ]);
    }
    for bad in [
        "x = 1",
        "rowid > 0",
        "@rowid > 0",
        "message:lower = 'x'",
        "data:length > 0",
        "@request.method = 'GET'",
        "@collection.users.id != ''",
        "level >",
        "level = 0 &&",
        "(level = 0",
        "geoDistance(level, 0, 0, 0) > 1",
        "strftime('%Y', created) > '2020'",
        "level = 0 // a comment",
    ] {
        cases.push(vec![filter(bad), stats(&ours(bad))]);
    }
    for query in [
        [("page", "2"), ("perPage", "3")],
        [("page", "0"), ("perPage", "-1")],
        [("page", "x"), ("perPage", "3")],
        [("skipTotal", "1"), ("perPage", "2")],
        [("skipTotal", "x"), ("perPage", "2")],
        [("fields", "id,data.url"), ("perPage", "2")],
        [("fields", "level,message:excerpt(5)"), ("perPage", "2")],
    ] {
        let found = [("filter", ours("")), ("sort", "@rowid".to_owned())];
        let all: Vec<_> =
            found.iter().map(|(k, v)| (*k, v.as_str())).chain(query.iter().copied()).collect();
        cases.push(vec![find(&all)]);
    }
    cases.push(vec![stats(&ours("level > 0")), stats(&ours("level > 99"))]);
    let fields = target("/api/logs/stats", &[("filter", &ours("")), ("fields", "total")]);
    cases.push(vec![Step::get(Actor::Root, fields)]);
    cases
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let mut text = String::new();
    for index in 0..=rng.below(3) {
        if index > 0 {
            text.push_str(rng.pick::<&str>(&[" && ", " || "]));
        }
        let (name, sign, value) = (rng.pick(&NAMES), rng.pick(&SIGNS), rng.pick(&VALUES));
        match rng.percent(80) {
            true => text.push_str(&format!("{name} {sign} {value}")),
            false => text.push_str(&format!("{value} {sign} {name}")),
        }
    }
    let sort = format!("{}{},@rowid", rng.pick(&["", "-"]), rng.pick(&NAMES));
    match rng.below(4) {
        0 => vec![stats(&ours(&text))],
        1 => vec![filter(&text)],
        _ => vec![find(&[("filter", &ours(&text)), ("sort", &sort), ("perPage", "50")])],
    }
}
