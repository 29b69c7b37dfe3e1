//! What Linux tells about processes, and signals to them.

mod mark;
mod stat;
mod table;

pub use mark::{Mark, boot_id};
pub use rustix::process::Signal;
pub use stat::{cpu_time, family_cpu_time, rss_bytes, rss_peak_bytes};
pub use table::{Table, children, marked};

use anyhow::Result;

/// Sends a signal to processes; those that are gone are passed over.
pub fn signal(signal: Signal, pids: &[u32]) -> Result<()> {
    for pid in pids {
        if let Ok(mark) = Mark::of(*pid) {
            mark.signal(signal)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
