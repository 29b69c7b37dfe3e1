//! Stops what a lab has left that was killed: every process of it and no other, and its network.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::folder::{Folder, Lock};
use crate::process::{Mark, Signal, boot_id, marked};
use crate::record::Record;
use crate::wait::wait_for;

/// Processes that are killed are gone when the kernel has freed their memory.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// Stops it all at once, without asking. Returns how many processes there were.
pub(crate) fn sweep(folder: &Folder, _lock: &Lock) -> Result<usize> {
    let Some(mut record) = Record::read(folder)? else { return Ok(0) };
    let count = if record.boot == boot_id()? { kill_all(&record)? } else { 0 };
    if let Some(network) = record.network.take() {
        network.remove();
    }
    for node in &mut record.nodes {
        node.processes.clear();
    }
    record.write(folder)?;
    Ok(count)
}

fn kill_all(record: &Record) -> Result<usize> {
    let mut count = 0;
    for node in &record.nodes {
        count += kill_family(&record.variable(&node.name), &node.processes)?;
    }
    Ok(count)
}

/// Kills the processes of a node until there are none: one may start another while we look.
pub(crate) fn kill_family(variable: &str, known: &[Mark]) -> Result<usize> {
    let mut known = known.to_vec();
    let mut count = 0;
    wait_for("the end of killed processes", GONE_WITHIN, || {
        let family = marked(variable, &known)?;
        for mark in &family {
            // A stopped process dies of it, too.
            if mark.signal(Signal::KILL)? && !known.contains(mark) {
                known.push(*mark);
            }
        }
        count = count.max(family.len());
        Ok(family.is_empty().then_some(()))
    })
    .context("some processes cannot be killed")?;
    Ok(count)
}
