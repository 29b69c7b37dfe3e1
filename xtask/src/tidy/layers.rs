//! Who may import whom: floors, the order inside a floor, and one owner per outside library.
//!
//! *Source*: the code map in ARCHITECTURE.md.

use super::crates::{Crate, Dependency};

/// The floor of the crates that decide and do nothing else.
pub(super) const PURE_FLOOR: u64 = 1;
/// The floor of the roles, which speak to each other over the network only.
const ROLE_FLOOR: u64 = 3;
const FLOORS: std::ops::RangeInclusive<u64> = 1..=5;

/// Servers and clients for tests; no product code may need them.
const TESTKIT: &str = "pando-testkit";
/// Its `compare` and `bench` are the testkit's own front ends.
const TESTKIT_USERS: [&str; 1] = ["xtask"];

/// Inside a floor a crate imports only what stands above it here, so no cycle can start.
const ORDER: [&str; 24] = [
    "pando-history",
    "pando-schema",
    "pando-filter",
    "pando-topology",
    "pando-httpcache",
    "pando-zone",
    "pando-capacity",
    "pando-store",
    "pando-cache",
    "pando-queue",
    "pando-bus",
    "pando-blob",
    "pando-runtime",
    "pando-dns",
    "pando-edge",
    "pando-balancer",
    "pando-web",
    "pando-dashboard",
    "pando-worker",
    "pando-bucket",
    "pando-lab",
    "pando-testkit",
    "pando",
    "xtask",
];

/// Outside libraries that one crate hides from all others, and who may use them in tests.
const OWNERS: [(&str, &[&str], &[&str]); 6] = [
    ("rusqlite", &["pando-store"], &["pando-filter"]),
    ("tokio-postgres", &["pando-store"], &[]),
    ("redis", &["pando-cache"], &[]),
    ("async-nats", &["pando-bus", "pando-queue"], &[]),
    ("object_store", &["pando-blob"], &[]),
    ("image", &["pando-blob"], &[]),
];

/// The problems of all crates together.
pub(super) fn check(crates: &[Crate]) -> Vec<String> {
    let mut problems = Vec::new();
    for one in crates {
        match one.floor {
            Some(floor) if FLOORS.contains(&floor) => {}
            _ => problems.push(format!(
                "{}: set package.metadata.pando.floor to a number of {FLOORS:?}",
                one.name
            )),
        }
        if place(&one.name).is_none() {
            problems.push(format!("{}: give it a place in the order of xtask's tidy", one.name));
        }
        for dependency in &one.dependencies {
            problems.extend(check_testkit(one, dependency));
            problems.extend(check_pure(one, dependency));
            problems.extend(check_owner(one, dependency));
            let ours = crates.iter().find(|other| other.name == dependency.name);
            problems.extend(ours.and_then(|other| check_floors(one, other)));
        }
    }
    problems
}

fn place(name: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == name)
}

fn check_floors(one: &Crate, other: &Crate) -> Option<String> {
    // Tests may use the testkit wherever it stands; `check_testkit` knows the rest.
    if other.name == TESTKIT {
        return None;
    }
    let (floor, below) = (one.floor?, other.floor?);
    let names = format!("{} (floor {floor}) imports {} (floor {below})", one.name, other.name);
    if below > floor {
        return Some(format!("{names}: a crate imports from lower floors only"));
    }
    if below == floor && floor == ROLE_FLOOR {
        return Some(format!("{names}: roles never import each other"));
    }
    if below == floor && place(&other.name) >= place(&one.name) {
        return Some(format!("{names}: on its own floor only from crates that stand before it"));
    }
    None
}

fn check_testkit(one: &Crate, dependency: &Dependency) -> Option<String> {
    let allowed = dependency.dev || TESTKIT_USERS.contains(&one.name.as_str());
    let problem = dependency.name == TESTKIT && !allowed;
    problem.then(|| format!("{}: {TESTKIT} may only be a dev-dependency", one.name))
}

fn check_pure(one: &Crate, dependency: &Dependency) -> Option<String> {
    let impure = dependency.name == "hyper" || dependency.name.starts_with("tokio");
    let problem = one.floor == Some(PURE_FLOOR) && impure && !dependency.dev;
    problem.then(|| format!("{}: a pure crate cannot depend on {}", one.name, dependency.name))
}

fn check_owner(one: &Crate, dependency: &Dependency) -> Option<String> {
    let (library, owners, testers) =
        OWNERS.iter().find(|(library, ..)| *library == dependency.name)?;
    let is = |names: &[&str]| names.contains(&one.name.as_str());
    let allowed = is(owners) || (dependency.dev && is(testers));
    (!allowed).then(|| format!("{}: {library} belongs to {} alone", one.name, owners.join(", ")))
}

#[cfg(test)]
mod tests;
