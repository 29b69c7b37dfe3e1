//! All processes at one moment, and which of them belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};

use super::Mark;
use super::stat::{PPID, STARTTIME, Stat};

/// The processes that `pid` started, those included that have ended and are not waited for.
pub fn children(pid: u32) -> Result<Vec<u32>> {
    let table = Table::read(None)?;
    Ok(table.0.iter().filter(|(_, row)| row.parent == pid).map(|(child, _)| *child).collect())
}

/// The processes of a family: see [`Table::family`].
pub fn marked(variable: &str, known: &[Mark]) -> Result<Vec<Mark>> {
    let (name, value) = variable.split_once('=').context("a variable without value")?;
    Ok(Table::read(Some(name))?.family(value, known))
}

/// All processes, as they were when it was read.
#[derive(Debug)]
pub struct Table(BTreeMap<u32, Row>);

#[derive(Debug)]
struct Row {
    parent: u32,
    started: u64,
    /// The value of the variable that was asked for.
    value: Option<String>,
}

impl Table {
    /// Reads it, with one variable of each environment.
    pub fn read(variable: Option<&str>) -> Result<Table> {
        let mut table = BTreeMap::new();
        for entry in fs::read_dir("/proc").context("failed to list the processes")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse() else { continue };
            // It may end while we look.
            let Ok(stat) = Stat::read(pid) else { continue };
            let parent = u32::try_from(stat.number(PPID)?).context("bad process number")?;
            let value = variable.and_then(|name| value(pid, name));
            table.insert(pid, Row { parent, started: stat.number(STARTTIME)?, value });
        }
        Ok(Table(table))
    }

    /// The processes in whose environment the variable has that value, all that descend from those
    /// or from `known`, and `known`; those that run.
    ///
    /// A process may write over its environment, as those of PostgreSQL do, or leave its parent; one
    /// that does both must be known.
    pub fn family(&self, value: &str, known: &[Mark]) -> Vec<Mark> {
        let known = known.iter().filter(|mark| mark.runs()).copied();
        let marked = self.0.iter().filter(|(_, row)| row.value.as_deref() == Some(value));
        let mut found: BTreeSet<Mark> =
            marked.map(|(pid, row)| row.mark(*pid)).chain(known).collect();
        loop {
            let pids: BTreeSet<u32> = found.iter().map(|mark| mark.pid).collect();
            let before = found.len();
            let descendants = self.0.iter().filter(|(_, row)| pids.contains(&row.parent));
            found.extend(descendants.map(|(pid, row)| row.mark(*pid)));
            if found.len() == before {
                return found.into_iter().filter(|mark| mark.runs()).collect();
            }
        }
    }
}

impl Row {
    fn mark(&self, pid: u32) -> Mark {
        Mark { pid, started: self.started }
    }
}

/// A variable in the environment of a process, as it was when that started. Those of others cannot
/// be read.
fn value(pid: u32, name: &str) -> Option<String> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environ.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}
