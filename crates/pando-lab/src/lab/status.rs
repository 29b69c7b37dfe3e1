//! How a lab and its nodes are, at one moment.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::Lab;
use crate::node::Kind;
use crate::process::{self, Table};
use crate::record::VARIABLE;

/// A lab at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    pub rung: u32,
    pub title: &'static str,
    pub superuser: String,
    pub password: String,
    pub nodes: Vec<NodeStatus>,
    /// Pairs of names.
    pub cuts: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct NodeStatus {
    pub name: String,
    pub kind: Kind,
    /// Clients connect to it.
    pub entrance: bool,
    pub address: String,
    pub state: State,
    /// For how long it is in that state.
    pub since: Duration,
    pub process_count: usize,
    /// The process that was started; `None` if it has ended.
    pub pid: Option<u32>,
    /// Of all its processes that run.
    pub cpu_time: Duration,
    pub memory_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Starting,
    Ready,
    Frozen,
    /// Stopped or killed by the lab.
    Stopped,
    /// Ended by itself, or by somebody else.
    Ended,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Ready => "ready",
            State::Frozen => "frozen",
            State::Stopped => "stopped",
            State::Ended => "ended",
        }
    }
}

impl Lab {
    /// How everything is now.
    pub fn status(&mut self) -> Result<Status> {
        let table = Table::read(Some(VARIABLE))?;
        let nodes = (0..self.nodes.len()).map(|index| self.node_status(index, &table));
        let nodes = nodes.collect::<Result<Vec<_>>>()?;
        let (superuser, password) = self.superuser();
        Ok(Status {
            rung: self.rung.number(),
            title: self.rung.title(),
            superuser: superuser.to_owned(),
            password: password.to_owned(),
            nodes,
            cuts: self.cuts.iter().cloned().collect(),
        })
    }

    fn node_status(&mut self, index: usize, table: &Table) -> Result<NodeStatus> {
        let value = self.record.value(&self.world.sites[index].name);
        let family = table.family(&value, &self.known(index));
        let node = &mut self.nodes[index];
        let mut pid = None;
        for child in &mut node.children {
            if child.try_wait()?.is_none() {
                pid = pid.or(Some(child.id()));
            }
        }
        let state = match (pid, node.frozen) {
            (Some(_), true) => State::Frozen,
            (Some(_), false) if node.ready => State::Ready,
            (Some(_), false) => State::Starting,
            (None, _) if node.stopped => State::Stopped,
            (None, _) => State::Ended,
        };
        let site = &self.world.sites[index];
        // Processes may end while we look.
        let cpu_time = |mark: &process::Mark| process::cpu_time(mark.pid).unwrap_or_default();
        let memory = |mark: &process::Mark| process::rss_bytes(mark.pid).unwrap_or_default();
        Ok(NodeStatus {
            name: site.name.clone(),
            kind: site.kind,
            entrance: self.world.is_entrance(site.kind),
            address: site.address.to_string(),
            state,
            since: node.since.map(|since| since.elapsed()).unwrap_or_default(),
            process_count: family.len(),
            pid,
            cpu_time: family.iter().map(cpu_time).sum(),
            memory_bytes: family.iter().map(memory).sum(),
        })
    }
}

impl Status {
    /// For programs.
    pub fn json(&self) -> Value {
        let node = |node: &NodeStatus| {
            json!({
                "name": node.name,
                "kind": node.kind.prefix(),
                "title": node.kind.title(),
                "entrance": node.entrance,
                "address": node.address,
                "state": node.state.word(),
                "since_ms": node.since.as_millis() as u64,
                "pid": node.pid,
                "processes": node.process_count,
                "cpu_ms": node.cpu_time.as_millis() as u64,
                "memory_bytes": node.memory_bytes,
            })
        };
        json!({
            "rung": self.rung,
            "title": self.title,
            "superuser": { "email": self.superuser, "password": self.password },
            "nodes": self.nodes.iter().map(node).collect::<Vec<_>>(),
            "cuts": self.cuts,
        })
    }
}
