//! A running lab: its nodes, and what can be done to them.
//!
//! Invariants: a process that a lab started is in its record until it is gone; a dropped lab has no
//! processes; nothing is signalled but what bears the lab's mark or descends from it.

mod faults;
mod places;
mod start;
mod status;
mod stop;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::folder::{Folder, Lock};
use crate::guard::Guard;
use crate::network::{self, Network};
use crate::node::{Kind, SUPERUSER, Site, World};
use crate::packages;
use crate::plan::{Planned, Rung};
use crate::process::boot_id;
use crate::record::Record;
use crate::spawner::Spawner;
use crate::sweep::sweep;

pub use faults::CLIENTS;
pub use status::{NodeStatus, State, Status};

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct Options {
    pub rung: Rung,
    /// Where everything is kept.
    pub dir: PathBuf,
    /// The `pando` program that the nodes run.
    pub pando: PathBuf,
    /// How many web servers, if not as many as the rung usually has.
    pub web_count: Option<u32>,
    /// NATS brings what web servers tell each other, not the database.
    pub nats: bool,
    /// How many load balancers, if not as many as the rung usually has.
    pub balancer_count: Option<u32>,
    /// Each node gets a network of its own, so that it can be cut off. Needs root.
    pub isolate: bool,
    /// Databases sync their commits to the disk, as they must everywhere but in tests.
    pub synced: bool,
    /// Data that an earlier lab left in the folder are deleted.
    pub fresh: bool,
    /// Packages that are missing are installed. Needs root and `apt-get`.
    pub install: bool,
}

impl Options {
    /// The usual ones.
    pub fn new(rung: Rung, dir: impl Into<PathBuf>, pando: impl Into<PathBuf>) -> Options {
        Options {
            rung,
            dir: dir.into(),
            pando: pando.into(),
            web_count: None,
            nats: false,
            balancer_count: None,
            isolate: false,
            synced: true,
            fresh: false,
            install: false,
        }
    }
}

/// A moment of the start, for who watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The folder is this lab's: orders may be taken there.
    Begun,
    /// Processes that a lab had left were stopped.
    Swept(usize),
    Installing(Vec<&'static str>),
    /// There will be that many nodes.
    Planned(usize),
    Preparing(String),
    Starting(String),
    /// Told again and again.
    Waiting(String),
    Ready(String, Duration),
}

/// Who watches a start; false gives it up.
pub type Tell<'a> = &'a mut dyn FnMut(Progress) -> bool;

/// A lab that runs. Dropping it kills everything in it.
#[derive(Debug)]
pub struct Lab {
    folder: Folder,
    rung: Rung,
    world: World,
    nodes: Vec<Node>,
    network: Option<Network>,
    /// What is cut off from what, by name; the smaller name first.
    cuts: BTreeSet<(String, String)>,
    record: Record,
    spawner: Spawner,
    guard: Option<Guard>,
    _lock: Lock,
}

/// A node of a running lab; its site is in the world, under the same index.
#[derive(Debug, Default)]
struct Node {
    children: Vec<Child>,
    ready: bool,
    frozen: bool,
    /// It was told to stop or was killed by the lab.
    stopped: bool,
    /// Since it is as it is.
    since: Option<Instant>,
}

impl Lab {
    /// Starts everything, tells how far it is, and returns when all nodes are ready. If one fails, or
    /// nobody wants to hear of it any more, what was started is stopped.
    pub fn up(options: &Options, mut tell: impl FnMut(Progress) -> bool) -> Result<Lab> {
        ensure!(options.pando.is_file(), "no program {}", options.pando.display());
        let folder = Folder::new(&options.dir)?;
        folder.create()?;
        let Some(lock) = folder.try_lock()? else {
            bail!("a lab runs in {}\nhint: pando lab down", folder.path().display());
        };
        let go_on = tell(Progress::Begun);
        ensure!(go_on, start::GIVEN_UP);
        let swept = sweep(&folder, &lock)?;
        if swept > 0 {
            tell(Progress::Swept(swept));
        }
        let planned = options.rung.nodes(options.web_count, options.nats, options.balancer_count);
        ensure!(
            planned.iter().any(|node| node.kind == Kind::Web),
            "a lab needs at least one web server"
        );
        let several = |kind| planned.iter().filter(|node| node.kind == kind).count() > 1;
        let bus = planned.iter().any(|node| node.kind == Kind::Nats);
        let one_alone = options.rung == Rung::One && (several(Kind::Web) || bus);
        ensure!(!one_alone, "{} is one web server alone\nhint: --rung 3 has several", options.rung);
        packages::provide(&planned, options, &mut tell)?;
        let record = start::begin(options, &folder)?;
        let spawner = Spawner::new()?;
        let guard = Guard::start(&options.pando, &folder, &spawner)?;
        let mut lab = Lab {
            rung: options.rung,
            world: World {
                folder: folder.clone(),
                pando: std::path::absolute(&options.pando)?,
                secrets: record.secrets.clone(),
                synced: options.synced,
                sites: Vec::new(),
            },
            nodes: Vec::new(),
            network: None,
            cuts: BTreeSet::new(),
            record,
            spawner,
            guard: Some(guard),
            _lock: lock,
            folder,
        };
        if options.isolate {
            lab.isolate()?;
        }
        lab.settle(&planned)?;
        tell(Progress::Planned(planned.len()));
        let all: Vec<usize> = (0..planned.len()).collect();
        lab.start_nodes(&all, &mut tell)?;
        Ok(lab)
    }

    fn isolate(&mut self) -> Result<()> {
        network::check()?;
        let network = Network::create(&self.record.id)?;
        self.record.network = Some(network.clone());
        self.record.write(&self.folder)?;
        self.network = Some(network);
        Ok(())
    }

    /// Adds a node to a running lab and starts it; its name.
    pub fn add(&mut self, kind: Kind) -> Result<String> {
        ensure!(
            kind == Kind::Web && self.rung != Rung::One,
            "a {} cannot be added to {}\nhint: web servers can, from rung 2 on",
            kind.title(),
            self.rung
        );
        let numbers = self.world.of_kind(kind).filter_map(|site| {
            site.name.rsplit_once('-').and_then(|(_, number)| number.parse::<u32>().ok())
        });
        let planned = Planned::new(kind, numbers.max().unwrap_or_default() + 1);
        self.settle(std::slice::from_ref(&planned))?;
        self.start_nodes(&[self.nodes.len() - 1], &mut |_| true)?;
        Ok(planned.name())
    }

    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// The superuser's address and password.
    pub fn superuser(&self) -> (&str, &str) {
        (SUPERUSER, &self.world.secrets.password)
    }

    /// Where clients connect, whether it answers or not.
    pub fn entrances(&self) -> Vec<SocketAddr> {
        let sites = self.world.sites.iter().filter(|site| self.world.is_entrance(site.kind));
        sites.map(|site| site.address).collect()
    }

    /// Where a node is.
    pub fn site(&self, name: &str) -> Result<&Site> {
        Ok(&self.world.sites[self.index(name)?])
    }

    /// The environment that tells PostgreSQL's programs how to connect as superuser.
    pub fn database_environment(&self) -> Result<Vec<(&'static str, String)>> {
        let site = self.world.of_kind(Kind::Postgres).next();
        let site = site.with_context(|| format!("{} has no PostgreSQL", self.rung))?;
        Ok(vec![
            ("PGHOST", site.address.ip().to_string()),
            ("PGPORT", site.address.port().to_string()),
            ("PGUSER", crate::postgres::USER.to_owned()),
            ("PGPASSWORD", self.world.secrets.database_password.clone()),
            ("PGDATABASE", "pando".to_owned()),
        ])
    }

    fn index(&self, name: &str) -> Result<usize> {
        let found = self.world.sites.iter().position(|site| site.name == name);
        found.with_context(|| {
            let names: Vec<&str> = self.world.sites.iter().map(|site| site.name.as_str()).collect();
            format!("no node {name:?}\nhint: {}", names.join(", "))
        })
    }

    fn variable(&self, index: usize) -> String {
        self.record.variable(&self.world.sites[index].name)
    }
}

/// A record for a new lab, with what the one before it in the folder had made.
fn new_record(rung: Rung, before: Option<Record>) -> Result<Record> {
    let letters = "abcdefghijkmnpqrstuvwxyz23456789";
    let id = secret(16, "0123456789abcdef");
    let boot = boot_id()?;
    Ok(match before {
        Some(mut before) => {
            if before.secrets.balancer_secret.is_empty() {
                before.secrets.balancer_secret = secret(32, letters);
            }
            Record { id, boot, rung: rung.number(), network: None, ..before }
        }
        None => {
            let secrets = crate::node::Secrets {
                password: secret(20, letters),
                database_password: secret(24, letters),
                balancer_secret: secret(32, letters),
            };
            Record::new(id, boot, rung.number(), secrets)
        }
    })
}

fn secret(length: usize, alphabet: &str) -> String {
    use rand::Rng as _;
    let alphabet = alphabet.as_bytes();
    let mut random = rand::rng();
    let mut draw = || char::from(alphabet[random.random_range(0..alphabet.len())]);
    (0..length).map(|_| draw()).collect()
}
