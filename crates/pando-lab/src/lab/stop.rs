//! Stops nodes and the whole lab, in order or at once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Lab;
use crate::process::{Mark, marked};
use crate::sweep::kill_family;
use crate::wait::wait_for;

/// Web servers drain for at most 10 seconds; a database writes what it has.
const STOP_WITHIN: Duration = Duration::from_secs(30);

impl Lab {
    /// Stops a node in order: a web server answers what it has begun.
    pub fn stop(&mut self, name: &str) -> Result<()> {
        let index = self.index(name)?;
        self.ask_to_stop(index)?;
        self.await_end(index)
    }

    /// Ends all processes of a node at once, as a crash of its machine would.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let index = self.index(name)?;
        self.nodes[index].stopped = true;
        kill_family(&self.variable(index), &self.known(index))?;
        self.bury(index)
    }

    /// Stops all nodes in order, those first that need others, and removes what the lab made on the
    /// machine. Data and logs stay in the folder.
    pub fn down(mut self) -> Result<()> {
        let mut left: Vec<usize> = (0..self.nodes.len()).collect();
        while !left.is_empty() {
            let needed = |index: &usize| {
                let kind = self.world.sites[*index].kind;
                left.iter().any(|other| self.world.sites[*other].kind.needs().contains(&kind))
            };
            let (later, now): (Vec<usize>, Vec<usize>) =
                left.iter().partition(|index| needed(index));
            assert!(!now.is_empty(), "kinds that need each other");
            for index in &now {
                self.ask_to_stop(*index)?;
            }
            for index in &now {
                self.await_end(*index)?;
            }
            left = later;
        }
        self.leave()
    }

    fn ask_to_stop(&mut self, index: usize) -> Result<()> {
        self.thaw_node(index)?;
        let node = &mut self.nodes[index];
        (node.stopped, node.ready) = (true, false);
        let signal = self.world.sites[index].kind.stop_signal();
        for child in &self.nodes[index].children {
            if let Ok(mark) = Mark::of(child.id()) {
                mark.signal(signal)?;
            }
        }
        Ok(())
    }

    fn await_end(&mut self, index: usize) -> Result<()> {
        let what = format!("the end of {}", self.world.sites[index].name);
        let ended =
            wait_for(&what, STOP_WITHIN, || Ok(self.family(index)?.is_empty().then_some(())));
        if ended.is_err() {
            kill_family(&self.variable(index), &self.known(index))?;
        }
        self.bury(index)?;
        ended.context("it was killed")
    }

    /// After the end of a node's processes.
    fn bury(&mut self, index: usize) -> Result<()> {
        let node = &mut self.nodes[index];
        for mut child in node.children.drain(..) {
            child.wait().context("failed to wait for a process")?;
        }
        (node.ready, node.frozen) = (false, false);
        node.since = Some(Instant::now());
        self.remember(index, None)
    }

    /// All processes of a node.
    pub(super) fn family(&self, index: usize) -> Result<Vec<Mark>> {
        marked(&self.variable(index), &self.known(index))
    }

    /// Those of its processes that are written down.
    pub(super) fn known(&self, index: usize) -> Vec<Mark> {
        let name = &self.world.sites[index].name;
        let node = self.record.nodes.iter().find(|node| node.name == *name);
        node.map(|node| node.processes.clone()).unwrap_or_default()
    }

    /// When no process is left.
    fn leave(&mut self) -> Result<()> {
        if let Some(network) = self.network.take() {
            network.remove();
        }
        self.record.network = None;
        self.record.write(&self.folder)?;
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
        Ok(())
    }

    fn kill_all(&mut self) -> Result<()> {
        for index in 0..self.nodes.len() {
            kill_family(&self.variable(index), &self.known(index))?;
            self.bury(index)?;
        }
        self.leave()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // After `down` there is nothing left to do. What fails here the guard tries again.
        if self.guard.is_some() {
            let _ = self.kill_all();
        }
    }
}
