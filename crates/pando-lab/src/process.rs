//! What Linux tells about processes, and signals to them.

mod mark;
mod stat;
mod table;

pub use mark::{Mark, boot_id};
pub use rustix::process::Signal;
pub use stat::{cpu_time, family_cpu_time, rss_bytes, rss_peak_bytes};
pub use table::{Table, children, marked};

use std::time::Duration;

use anyhow::Result;

use crate::wait::wait_for;

/// Sends a signal to processes; those that are gone are passed over.
pub fn signal(signal: Signal, pids: &[u32]) -> Result<()> {
    for pid in pids {
        if let Ok(mark) = Mark::of(*pid) {
            mark.signal(signal)?;
        }
    }
    Ok(())
}

/// How long the kernel may take to stop all threads of a process.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

/// Stops processes (SIGSTOP) and waits until none of their threads runs on.
pub fn freeze(pids: &[u32]) -> Result<()> {
    signal(Signal::STOP, pids)?;
    wait_for("the stop of a process", STOPPED_WITHIN, || {
        Ok(pids.iter().all(|pid| stat::all_stopped(*pid)).then_some(()))
    })
}

#[cfg(test)]
mod tests;
