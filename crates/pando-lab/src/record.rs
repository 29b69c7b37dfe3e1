//! What a lab has started, written down before anything can be forgotten.
//!
//! Whoever finds a folder whose lab was killed, stops by this what is left of it. So a process is in
//! it as soon as it runs, and goes only when it is gone. Between its start and the next write it is
//! known by its environment alone: [`Record::variable`].

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::folder::Folder;
use crate::network::Network;
use crate::node::Secrets;
use crate::process::Mark;

/// Names the lab and the node in the environment of each process.
pub(crate) const VARIABLE: &str = "PANDO_LAB";

/// The layout of the file.
const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) format: u32,
    /// Differs for each lab.
    pub(crate) id: String,
    /// Process numbers mean nothing once the machine was started anew.
    pub(crate) boot: String,
    pub(crate) rung: u32,
    pub(crate) secrets: Secrets,
    pub(crate) network: Option<Network>,
    pub(crate) nodes: Vec<NodeRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeRecord {
    pub(crate) name: String,
    /// Where it listens. It is given the same place again.
    pub(crate) address: std::net::SocketAddr,
    /// Those that were started or frozen and may still be there.
    pub(crate) processes: Vec<Mark>,
}

impl Record {
    pub(crate) fn new(id: String, boot: String, rung: u32, secrets: Secrets) -> Record {
        Record { format: FORMAT, id, boot, rung, secrets, network: None, nodes: Vec::new() }
    }

    /// The record in a folder, if there is one.
    pub(crate) fn read(folder: &Folder) -> Result<Option<Record>> {
        let path = folder.record();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context(format!("failed to read {}", path.display())),
        };
        let record: Record = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a lab's", path.display()))?;
        ensure!(record.format == FORMAT, "{} was made by another version", path.display());
        Ok(Some(record))
    }

    /// Puts it in the place of the one before, whole or not at all.
    pub(crate) fn write(&self, folder: &Folder) -> Result<()> {
        let path = folder.record();
        let fresh = path.with_extension("json.new");
        let write = || -> Result<()> {
            // It holds passwords.
            let mut options = fs::OpenOptions::new();
            let mut file =
                options.create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
            fs::rename(&fresh, &path)?;
            Ok(())
        };
        write().with_context(|| format!("failed to write {}", path.display()))
    }

    /// `NAME=value` in the environment of the node's processes.
    pub(crate) fn variable(&self, node: &str) -> String {
        format!("{VARIABLE}={}", self.value(node))
    }

    pub(crate) fn value(&self, node: &str) -> String {
        format!("{}/{node}", self.id)
    }

    /// Whether it tells of anything that may have to be stopped or removed.
    pub(crate) fn leaves_something(&self) -> bool {
        self.network.is_some() || self.nodes.iter().any(|node| !node.processes.is_empty())
    }
}
