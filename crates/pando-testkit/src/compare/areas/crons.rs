//! Scheduled chores: who sees and runs them.

use super::Area;
use crate::compare::dataset::Dataset;
use crate::compare::scenario::{Actor, Step};
use crate::http::Request;
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "crons", weight: 1, catalog, random };

const PATH: &str = "/api/crons";

/// Those that every server has, and some that none has.
const IDS: [&str; 8] = [
    "__pbDBOptimize__",
    "__pbMFACleanup__",
    "__pbOTPCleanup__",
    "__pbLogsCleanup__",
    "__pbRateLimitersCleanup__",
    "__pblogscleanup__",
    "unknown",
    "a%20b",
];

fn catalog(_: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for actor in Actor::ALL {
        cases.push(vec![Step::get(actor, PATH), run(actor, "__pbOTPCleanup__")]);
    }
    for id in IDS {
        cases.push(vec![run(Actor::Root, id)]);
    }
    cases.push(vec![
        Step::get(Actor::Root, "/api/crons?fields=id"),
        Step::new(Actor::Root, Request::new("HEAD", PATH)),
        Step::get(Actor::Root, "/api/crons/__pbOTPCleanup__"),
        Step::new(Actor::Root, Request::post(PATH)),
        Step::new(Actor::Root, Request::post("/api/crons/")),
        Step::new(Actor::Root, Request::post("/api/crons/__pbOTPCleanup__/x")),
        Step::delete(Actor::Root, "/api/crons/__pbOTPCleanup__"),
    ]);
    cases
}

fn run(actor: Actor, id: &str) -> Step {
    Step::new(actor, Request::post(format!("{PATH}/{id}")))
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    vec![run(*rng.pick(&Actor::ALL), rng.pick::<&str>(&IDS))]
}
