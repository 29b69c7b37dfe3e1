//! Fires the same generated requests at PocketBase and at Pando and tells every difference.
//!
//! One seeded data set is made by the real PocketBase and copied for both sides. Scenarios run in
//! step on both; what a server makes up itself is replaced by placeholders before comparing.

mod areas;
mod dataset;
mod deviations;
mod diff;
mod normalize;
mod report;
mod scenario;
mod side;

pub use areas::{AREAS, views};
pub use dataset::{Dataset, definitions};
pub use deviations::{BALANCER_DEVIATIONS, DEVIATIONS, Deviation, POSTGRES_DEVIATIONS};
pub use report::{Count, Difference, Report};

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::balanced::{Front, Wire};
use crate::postgres::Postgres;
use crate::server::{Product, Program, Server};
use normalize::Normalizer;
use scenario::{Scenario, Step};
use side::Side;

/// What to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// About how many steps to run in all areas together; each area runs at least one scenario.
    pub requests: usize,
    pub seed: u64,
    /// Only this area.
    pub only: Option<String>,
    /// The server on the right; the left one is always the oracle.
    pub right: Program,
    /// Where the server on the right has its records.
    pub engine: Engine,
    /// How many servers there are on the right; more than one on PostgreSQL only.
    pub servers: usize,
    /// A load balancer before them, and how requests reach it. On PostgreSQL only.
    pub front: Option<Wire>,
}

/// Where records live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In the data directory.
    Sqlite,
    /// In a database of a server of this process. Pando only.
    Postgres,
}

impl Options {
    /// A small comparison on SQLite.
    pub fn new(right: Program) -> Self {
        Self {
            requests: 300,
            seed: 1,
            only: None,
            right,
            engine: Engine::Sqlite,
            servers: 1,
            front: None,
        }
    }
}

/// Runs one comparison.
pub fn run(options: &Options) -> Result<Report> {
    if let Some(area) = &options.only {
        ensure!(
            AREAS.iter().any(|known| known.name == area),
            "unknown area {area:?}\nhint: one of {}",
            AREAS.iter().map(|area| area.name).collect::<Vec<_>>().join(", ")
        );
    }
    let dataset = Dataset::build(options.seed).context("failed to make the data set")?;
    let mut scenarios = areas::generate(&dataset, options);
    if options.engine == Engine::Postgres {
        // Not sent to either, so that both go on with the same records.
        for scenario in &mut scenarios {
            scenario.steps.retain(|step| !deviations::sends_nul(step));
        }
    }
    if options.front == Some(Wire::Http2) {
        // Raw bytes of HTTP/1.1 would be those of the bridge.
        for scenario in &mut scenarios {
            scenario.steps.retain(|step| !matches!(step.action, scenario::Action::SendRaw(_)));
        }
    }
    let mut sides = Sides::start(&dataset, options)?;
    let mut report = Report { seed: options.seed, ..Report::default() };
    for scenario in &scenarios {
        sides.play(scenario, &mut report);
        if let Some(reason) = sides.dead() {
            report.aborted = Some(reason);
            break;
        }
    }
    Ok(report)
}

struct Sides {
    left: Side,
    right: Side,
    engine: Engine,
    step_count: usize,
    /// Before the servers on the right.
    front: Option<Front>,
    /// Ends with its last user.
    _postgres: Option<Arc<Postgres>>,
}

impl Sides {
    fn start(dataset: &Dataset, options: &Options) -> Result<Self> {
        let left = Server::start(Product::Oracle, &dataset.copy("left")?)?;
        let postgres = match options.engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Postgres::start()?),
        };
        let start_front = |wire| Front::start(options.right.binary(), wire);
        let front = options.front.map(start_front).transpose()?;
        let right = match &postgres {
            None => vec![Server::launch(&options.right, &dataset.copy("right")?)?],
            Some(server) => start_on_database(dataset, options, server, front.as_ref())?,
        };
        let normalizer = Normalizer::new(dataset.known.clone());
        let mut left = Side::new(vec![left], None, normalizer.clone(), options.seed);
        let before = front.as_ref().map(Front::addr);
        let mut right = Side::new(right, before, normalizer, options.seed);
        left.login().context("the oracle refused a login")?;
        if right.login().is_err() {
            // The auth area reports why; the other areas can still be compared.
            right.borrow_tokens(&left);
        }
        Ok(Self { left, right, engine: options.engine, step_count: 0, front, _postgres: postgres })
    }

    fn play(&mut self, scenario: &Scenario, report: &mut Report) {
        for step in &scenario.steps {
            self.step_count += 1;
            let started = Instant::now();
            let left = self.left.take(step);
            let right = self.right.take(step);
            self.left.align(&mut self.right);
            self.judge(scenario.area, step, left, right, report);
            report.areas.entry(scenario.area).or_default().elapsed += started.elapsed();
        }
    }

    fn judge(
        &self,
        area: &'static str,
        step: &Step,
        left: Value,
        right: Value,
        report: &mut Report,
    ) {
        let count = report.areas.entry(area).or_default();
        count.steps += 1;
        if left == right {
            count.agreed += 1;
        } else if let Some(deviation) = deviations::find(self.kind(), step, &left, &right) {
            count.deviations += 1;
            *report.deviations.entry(deviation.name).or_default() += 1;
        } else {
            let (number, step) = (self.step_count, step.clone());
            report.differences.push(Difference { area, number, step, left, right });
        }
    }

    /// Where the records are, and whether a balancer stands before the servers.
    fn kind(&self) -> (Engine, bool) {
        (self.engine, self.front.is_some())
    }

    fn dead(&mut self) -> Option<String> {
        for (name, side) in [("left", &mut self.left), ("right", &mut self.right)] {
            if let Some(server) = side.dead() {
                return Some(format!("the {name} server died; it printed:\n{}", server.log()));
            }
        }
        None
    }
}

/// Starts the servers on the right with the data set in a new database.
fn start_on_database(
    dataset: &Dataset,
    options: &Options,
    server: &Postgres,
    front: Option<&Front>,
) -> Result<Vec<Server>> {
    let database = server.new_database()?;
    let program = options.right.clone().on_database(&server.url(&database));
    let dir = dataset
        .copy_to_database("right", &program, (server, &database))
        .context("failed to bring the data set into PostgreSQL")?;
    match front {
        Some(front) => front.launch(&program, &dir, options.servers),
        None => program.launch_several(&dir, options.servers),
    }
}
