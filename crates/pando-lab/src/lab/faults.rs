//! Faults that end by themselves or are ended again: a freeze, a cut.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Lab;
use crate::network::Namespace;
use crate::process::Signal;
use crate::wait::wait_for;

/// Clients on this machine, as a party that a node can be cut off from.
pub const CLIENTS: &str = "clients";

const FROZEN_WITHIN: Duration = Duration::from_secs(10);

impl Lab {
    /// Holds all processes of a node up, as a machine does that is paused: connections stay open
    /// and nothing answers.
    pub fn freeze(&mut self, name: &str) -> Result<()> {
        let index = self.index(name)?;
        ensure!(!self.nodes[index].frozen, "{name} is frozen already");
        ensure!(
            !self.family(index)?.is_empty(),
            "{name} does not run\nhint: pando lab start {name}"
        );
        // A process that is not stopped yet may start another one.
        let mut stopped = Vec::new();
        wait_for("the freeze", FROZEN_WITHIN, || {
            let family = self.family(index)?;
            // Written down before it happens: a stopped process that has lost its parent and its
            // environment could not be found otherwise.
            self.remember(index, family.iter().copied())?;
            let mut fresh = false;
            for mark in family {
                if !stopped.contains(&mark) && mark.signal(Signal::STOP)? {
                    stopped.push(mark);
                    fresh = true;
                }
            }
            Ok((!fresh).then_some(()))
        })?;
        let node = &mut self.nodes[index];
        node.frozen = true;
        node.since = Some(Instant::now());
        Ok(())
    }

    /// Ends a freeze.
    pub fn thaw(&mut self, name: &str) -> Result<()> {
        let index = self.index(name)?;
        ensure!(self.nodes[index].frozen, "{name} is not frozen");
        self.thaw_node(index)
    }

    pub(super) fn thaw_node(&mut self, index: usize) -> Result<()> {
        if !self.nodes[index].frozen {
            return Ok(());
        }
        for mark in self.family(index)? {
            mark.signal(Signal::CONT)?;
        }
        let node = &mut self.nodes[index];
        node.frozen = false;
        node.since = Some(Instant::now());
        self.remember(index, None)
    }

    /// Loses all that a node and another, or [`CLIENTS`], send to each other. Without another it is
    /// cut off from all other nodes; clients reach it all the same.
    pub fn cut(&mut self, name: &str, from: Option<&str>) -> Result<()> {
        let network = self.network.clone().with_context(|| no_network("cut"))?;
        for (node, other) in self.pairs(name, from)? {
            network.cut(self.namespace(&node)?, self.party(&other)?)?;
            self.cuts.insert(ordered(node, other));
        }
        Ok(())
    }

    /// Undoes cuts: of a node, of a node and another, or all.
    pub fn heal(&mut self, name: Option<&str>, from: Option<&str>) -> Result<()> {
        let network = self.network.clone().with_context(|| no_network("heal"))?;
        if let Some(name) = name {
            self.pairs(name, from)?;
        }
        let healed = |cut: &&(String, String)| {
            let touches =
                |wanted: Option<&str>| wanted.is_none_or(|name| cut.0 == name || cut.1 == name);
            touches(name) && touches(from)
        };
        let healed: Vec<(String, String)> = self.cuts.iter().filter(healed).cloned().collect();
        for (node, other) in healed {
            let (node_site, other_site) =
                if node == CLIENTS { (&other, &node) } else { (&node, &other) };
            network.heal(self.namespace(node_site)?, self.party(other_site)?);
            self.cuts.remove(&(node, other));
        }
        Ok(())
    }

    fn pairs(&self, name: &str, from: Option<&str>) -> Result<Vec<(String, String)>> {
        self.index(name)?;
        let others: Vec<String> = match from {
            Some(CLIENTS) => vec![CLIENTS.to_owned()],
            Some(other) => {
                self.index(other)?;
                vec![other.to_owned()]
            }
            None => self.world.sites.iter().map(|site| site.name.clone()).collect(),
        };
        if others == [name.to_owned()] {
            bail!("{name} cannot be cut off from itself");
        }
        let others = others.into_iter().filter(|other| other != name);
        Ok(others.map(|other| (name.to_owned(), other)).collect())
    }

    fn namespace(&self, name: &str) -> Result<&Namespace> {
        self.site(name)?.namespace.as_ref().with_context(|| no_network("cut"))
    }

    /// `None` stands for this machine.
    fn party(&self, name: &str) -> Result<Option<&Namespace>> {
        if name == CLIENTS { Ok(None) } else { self.namespace(name).map(Some) }
    }
}

fn ordered(a: String, b: String) -> (String, String) {
    if a < b { (a, b) } else { (b, a) }
}

fn no_network(what: &str) -> String {
    format!(
        "{what}: the nodes share this machine's network\nhint: start the lab as root with --isolate"
    )
}
