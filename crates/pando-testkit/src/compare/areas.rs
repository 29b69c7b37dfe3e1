//! The areas of the API that are compared: hand-written cases first, then generated ones.

mod auth;
mod batch;
mod collections;
mod create;
mod crons;
mod delete;
mod files;
mod filter;
mod list;
mod logs;
mod realtime;
mod routes;
mod settings;
mod update;
mod upload;
mod values;
mod view;
pub mod views;

use super::Options;
use super::dataset::Dataset;
use super::scenario::{Scenario, Step};
use crate::rng::Rng;

/// One area.
#[derive(Debug)]
pub struct Area {
    pub name: &'static str,
    /// Its share of all steps, relative to the others.
    weight: usize,
    /// Cases written by hand; each list of steps is one scenario.
    catalog: fn(&Dataset) -> Vec<Vec<Step>>,
    /// One more scenario from the seed.
    random: fn(&Dataset, &mut Rng) -> Vec<Step>,
}

/// All areas in the order in which they run: first those that only read.
pub const AREAS: &[Area] = &[
    filter::AREA,
    list::AREA,
    view::AREA,
    files::AREA,
    routes::AREA,
    logs::AREA,
    crons::AREA,
    auth::AREA,
    // Sorts by ids, so no record may have one yet that a server made up.
    views::AREA,
    create::AREA,
    update::AREA,
    upload::AREA,
    batch::AREA,
    realtime::AREA,
    delete::AREA,
    collections::AREA,
    settings::AREA,
];

/// The scenarios of a run.
pub(super) fn generate(dataset: &Dataset, options: &Options) -> Vec<Scenario> {
    let chosen = |area: &&Area| options.only.as_ref().is_none_or(|only| only == area.name);
    let weights: usize = AREAS.iter().filter(chosen).map(|area| area.weight).sum();
    let mut scenarios = Vec::new();
    for area in AREAS.iter().filter(chosen) {
        let budget = (options.requests * area.weight).div_ceil(weights);
        area.fill(budget, dataset, options.seed, &mut scenarios);
    }
    scenarios
}

impl Area {
    fn fill(&self, budget: usize, dataset: &Dataset, seed: u64, scenarios: &mut Vec<Scenario>) {
        let mut rng = Rng::new(seed).fork(self.name);
        let mut catalog = (self.catalog)(dataset);
        let catalog_steps: usize = catalog.iter().map(Vec::len).sum();
        if catalog_steps > budget {
            // A slice: each seed takes other cases.
            rng.shuffle(&mut catalog);
        }
        let mut used = 0;
        let mut catalog = catalog.into_iter();
        while used < budget {
            let steps = catalog.next().unwrap_or_else(|| (self.random)(dataset, &mut rng));
            used += steps.len();
            scenarios.push(Scenario { area: self.name, steps });
        }
    }
}

impl Dataset {
    /// Any record of a collection.
    fn any(&self, collection: &str, rng: &mut Rng) -> &str {
        rng.pick(&self.ids[collection]).as_str()
    }

    /// The record of a collection at that place, counted round.
    fn nth(&self, collection: &str, index: usize) -> &str {
        let ids = &self.ids[collection];
        &ids[index % ids.len()]
    }
}

/// The path of a collection's records.
fn records(collection: &str) -> String {
    format!("/api/collections/{collection}/records")
}

/// The path of one record.
fn record(collection: &str, id: &str) -> String {
    format!("/api/collections/{collection}/records/{id}")
}

/// An id for a record that a test creates: fifteen characters, told apart by label and number.
fn new_id(label: &str, number: usize) -> String {
    let id = format!("{label}{number:0>15}");
    format!("{}{}", &id[..label.len()], &id[id.len() - (15 - label.len())..])
}
