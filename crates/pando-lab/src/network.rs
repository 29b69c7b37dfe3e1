//! A network for the lab alone: a namespace for each node, and a bridge between them on which this
//! machine has an address, too. So nodes can be cut off from each other, and clients on this machine
//! reach them all the same.
//!
//! A cut gives both sides a wrong hardware address for the other: what they send to each other is
//! lost without a word, as on a broken network, on connections that are open, too. It needs no
//! packet filter.
//!
//! Invariant: every name begins with the lab's own prefix, so `remove` finds what is left of it and
//! nothing else.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::command::run;

/// The Debian package that has `ip`.
pub(crate) const PACKAGE: &str = "iproute2";

/// Each lab takes one of `10.214.0.0/24` to `10.214.255.0/24` that is not in use.
const SUBNETS: [u8; 2] = [10, 214];

/// Of this machine in each subnet; nodes come after it.
const OWN_HOST: u8 = 1;
const FIRST_NODE: u8 = 10;
const NODES_MAX: u8 = 200;

/// Belongs to nobody: from the range for documentation (RFC 7042), marked as local.
const WRONG_ADDRESS: &str = "02:00:5e:00:53:00";

/// A node's view of the network inside its namespace.
const DEVICE: &str = "eth0";

/// The network of a lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Network {
    /// What all names begin with: at most 8 letters, since names of devices have 15.
    pub(crate) prefix: String,
    pub(crate) subnet: u8,
}

/// A node's part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
}

impl Namespace {
    /// What to write before a command so that it runs inside. Needs root.
    pub(crate) fn prefix(&self) -> Vec<OsString> {
        ["ip", "netns", "exec", &self.name].map(OsString::from).to_vec()
    }
}

/// Whether this machine lets us make one; otherwise why not.
pub(crate) fn check() -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "a network of its own needs root\nhint: start the lab as root, or without --isolate"
    );
    ensure!(installed(), "no `ip` program\nhint: apt-get install {PACKAGE}");
    Ok(())
}

pub(crate) fn installed() -> bool {
    run(Command::new("ip").arg("-V")).is_ok()
}

impl Network {
    /// Makes the bridge. `id` is the lab's and differs from those of all others.
    pub(crate) fn create(id: &str) -> Result<Network> {
        let taken = ip(&["-4", "-oneline", "address", "show"])? + &ip(&["-4", "route", "show"])?;
        let start = id.bytes().fold(0_u8, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte));
        let free = (0..=u8::MAX).map(|step| start.wrapping_add(step)).find(|subnet| {
            let [a, b] = SUBNETS;
            !taken.contains(&format!(" {a}.{b}.{subnet}."))
        });
        let subnet = free.context("all networks of labs are in use")?;
        let network = Network { prefix: format!("pl{:.6}", id), subnet };
        let made = network.create_bridge();
        if made.is_err() {
            network.remove();
        }
        made.map(|()| network).context("failed to make a network\nhint: try it without --isolate")
    }

    fn create_bridge(&self) -> Result<()> {
        let bridge = &self.prefix;
        ip(&["link", "add", bridge, "type", "bridge"])?;
        let own = format!("{}/24", self.address(OWN_HOST));
        ip(&["address", "add", &own, "dev", bridge])?;
        ip(&["link", "set", bridge, "up"]).map(drop)
    }

    fn address(&self, host: u8) -> Ipv4Addr {
        let [a, b] = SUBNETS;
        Ipv4Addr::new(a, b, self.subnet, host)
    }

    /// Makes the namespace of the node that is the `index`th of its lab.
    pub(crate) fn join(&self, index: usize) -> Result<Namespace> {
        let index = u8::try_from(index).ok().filter(|index| *index < NODES_MAX);
        let index = index.with_context(|| format!("more than {NODES_MAX} nodes"))?;
        let name = format!("{}-{index}", self.prefix);
        let address = self.address(FIRST_NODE + index);
        ip(&["netns", "add", &name])?;
        ip(&["link", "add", &name, "type", "veth", "peer", "name", DEVICE, "netns", &name])?;
        ip(&["link", "set", &name, "master", &self.prefix])?;
        ip(&["link", "set", &name, "up"])?;
        let inside = |words: &[&str]| ip(&[&["-netns", &name], words].concat());
        inside(&["address", "add", &format!("{address}/24"), "dev", DEVICE])?;
        inside(&["link", "set", DEVICE, "up"])?;
        inside(&["link", "set", "lo", "up"])?;
        Ok(Namespace { name, address })
    }

    /// Loses everything between a node and another, or this machine.
    pub(crate) fn cut(&self, node: &Namespace, other: Option<&Namespace>) -> Result<()> {
        let address = other.map_or_else(|| self.address(OWN_HOST), |other| other.address);
        self.misdirect(Some(node), address)?;
        self.misdirect(other, node.address)
    }

    /// Undoes a cut; without one it does nothing.
    pub(crate) fn heal(&self, node: &Namespace, other: Option<&Namespace>) {
        let address = other.map_or_else(|| self.address(OWN_HOST), |other| other.address);
        // An entry that is not there cannot be removed.
        let _ = self.neighbour(Some(node), &["del", &address.to_string()], &[]);
        let _ = self.neighbour(other, &["del", &node.address.to_string()], &[]);
    }

    fn misdirect(&self, from: Option<&Namespace>, to: Ipv4Addr) -> Result<()> {
        let wrong = ["lladdr", WRONG_ADDRESS, "nud", "permanent"];
        self.neighbour(from, &["replace", &to.to_string()], &wrong)
    }

    /// Changes what one side (`None`: this machine) knows of an address.
    fn neighbour(&self, side: Option<&Namespace>, what: &[&str], how: &[&str]) -> Result<()> {
        let words = match side {
            Some(node) => {
                [&["-netns", &node.name, "neighbour"], what, how, &["dev", DEVICE]].concat()
            }
            None => [&["neighbour"], what, how, &["dev", &self.prefix]].concat(),
        };
        ip(&words).map(drop)
    }

    /// Removes everything of this network, as far as it is there. No process may be left in it.
    pub(crate) fn remove(&self) {
        let list = ip(&["netns", "list"]).unwrap_or_default();
        let names = list.lines().filter_map(|line| line.split(' ').next());
        let start = format!("{}-", self.prefix);
        for name in names.filter(|name| name.starts_with(&start)) {
            let _ = ip(&["netns", "delete", name]);
        }
        let _ = ip(&["link", "delete", &self.prefix]);
    }
}

fn ip(words: &[&str]) -> Result<String> {
    run(Command::new("ip").args(words))
}
