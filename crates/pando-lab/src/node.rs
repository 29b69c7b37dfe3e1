//! What a node is: which processes it has, when it is ready, how it stops.
//!
//! The kinds are a closed set, so the compiler lists what a new one must say. A kind knows nothing
//! of the others but their sites.

mod balancer;
mod nats;
mod postgres;
mod web;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::folder::Folder;
use crate::network::Namespace;
use crate::postgres::Account;
use crate::process::Signal;

/// What runs on a node; in the order of the tiers, from the database to the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// NATS.
    Nats,
    /// `pando serve`.
    Web,
    /// `pando balancer`.
    Balancer,
}

/// Where a node is. It stays the same while the node is stopped.
#[derive(Clone, Debug)]
pub struct Site {
    pub name: String,
    pub kind: Kind,
    /// Where it listens.
    pub address: SocketAddr,
    /// Everything that it keeps.
    pub dir: PathBuf,
    /// What its processes print.
    pub log: PathBuf,
    pub(crate) namespace: Option<Namespace>,
}

/// What nodes know of the lab that they are in.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) folder: Folder,
    /// The `pando` program.
    pub(crate) pando: PathBuf,
    pub(crate) secrets: Secrets,
    /// Commits are synced to the disk.
    pub(crate) synced: bool,
    pub(crate) sites: Vec<Site>,
}

/// Made with the lab, kept in its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// Of the superuser of the application.
    pub(crate) password: String,
    /// Of the roles in PostgreSQL.
    pub(crate) database_password: String,
    /// What balancers and web servers share. Empty in the record of an older lab.
    #[serde(default)]
    pub(crate) balancer_secret: String,
}

/// The superuser of the application that the lab makes.
pub const SUPERUSER: &str = "lab@example.com";

/// A process to start.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// Program and arguments.
    pub(crate) words: Vec<OsString>,
    pub(crate) env: Vec<(&'static str, OsString)>,
    pub(crate) account: Account,
}

/// Which of these kinds clients of the application connect to. Balancers, where there are any, stand
/// before web servers.
pub(crate) fn entrance(kinds: impl Iterator<Item = Kind>) -> Option<Kind> {
    // The order of the kinds is that of the tiers, the database first.
    kinds.max().filter(|kind| match kind {
        Kind::Postgres | Kind::Nats => false,
        Kind::Web | Kind::Balancer => true,
    })
}

impl World {
    /// Whether clients connect to nodes of that kind.
    pub(crate) fn is_entrance(&self, kind: Kind) -> bool {
        entrance(self.sites.iter().map(|site| site.kind)) == Some(kind)
    }

    /// The sites of a kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(move |site| site.kind == kind)
    }
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Postgres, Kind::Nats, Kind::Web, Kind::Balancer];

    /// What the names of its nodes begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Kind::Postgres => "db",
            Kind::Nats => "bus",
            Kind::Web => "web",
            Kind::Balancer => "balancer",
        }
    }

    /// What people see.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Postgres => "PostgreSQL",
            Kind::Nats => "NATS",
            Kind::Web => "web server",
            Kind::Balancer => "load balancer",
        }
    }

    pub(crate) fn of_prefix(prefix: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }

    /// Kinds whose nodes must be ready before this one starts. It may link to all of them.
    pub(crate) fn needs(self) -> &'static [Kind] {
        match self {
            Kind::Postgres | Kind::Nats => &[],
            Kind::Web => &[Kind::Postgres, Kind::Nats],
            Kind::Balancer => &[Kind::Web],
        }
    }

    /// Where it listens if it has an address of its own.
    pub(crate) fn usual_port(self) -> u16 {
        match self {
            Kind::Postgres => 5432,
            Kind::Nats => 4222,
            Kind::Web => 8090,
            Kind::Balancer => 8080,
        }
    }

    /// What asks it to stop in order.
    pub(crate) fn stop_signal(self) -> Signal {
        match self {
            // Of its three ways to stop the one that ends the connections of clients.
            Kind::Postgres => Signal::INT,
            Kind::Nats | Kind::Web | Kind::Balancer => Signal::TERM,
        }
    }

    /// Whether the machine has what it needs; otherwise the packages that are missing.
    pub(crate) fn missing(self) -> Vec<&'static str> {
        match self {
            Kind::Postgres => postgres::missing(),
            Kind::Nats => nats::missing(),
            Kind::Web | Kind::Balancer => Vec::new(),
        }
    }

    /// Makes what must be there before the first start, once: a second time it does nothing.
    pub(crate) fn prepare(self, site: &Site, world: &World) -> Result<()> {
        match self {
            Kind::Postgres => postgres::prepare(site, world),
            Kind::Nats => nats::prepare(site),
            Kind::Web => web::prepare(site, world),
            Kind::Balancer => balancer::prepare(site),
        }
    }

    /// The processes to start, in this order.
    pub(crate) fn starts(self, site: &Site, world: &World) -> Result<Vec<Start>> {
        match self {
            Kind::Postgres => Ok(vec![postgres::start(site, world)?]),
            Kind::Nats => Ok(vec![nats::start(site)]),
            Kind::Web => Ok(vec![web::start(site, world)]),
            Kind::Balancer => Ok(vec![balancer::start(site, world)]),
        }
    }

    /// Whether it does its work now.
    pub(crate) fn ready(self, site: &Site) -> bool {
        match self {
            Kind::Postgres => postgres::ready(site),
            Kind::Nats => nats::ready(site),
            Kind::Web => web::ready(site),
            Kind::Balancer => balancer::ready(site),
        }
    }

    /// What is to be done once it is ready: a second time it does nothing.
    pub(crate) fn complete(self, site: &Site, world: &World) -> Result<()> {
        match self {
            Kind::Postgres => postgres::complete(site, world),
            Kind::Nats | Kind::Web | Kind::Balancer => Ok(()),
        }
    }
}
