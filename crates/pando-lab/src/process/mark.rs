//! One process and no other: its number alone may belong to somebody else by tomorrow.

use std::fs;

use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::stat::{STARTTIME, Stat};

/// A process, as long as the machine is not started anew: see [`boot_id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    pub pid: u32,
    /// Clock ticks from the start of the machine to that of the process.
    pub started: u64,
}

impl Mark {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Result<Mark> {
        Ok(Mark { pid, started: Stat::read(pid)?.number(STARTTIME)? })
    }

    /// Whether it runs, or has ended and is not waited for.
    pub fn exists(self) -> bool {
        Mark::of(self.pid).is_ok_and(|now| now == self)
    }

    /// Whether it runs.
    pub fn runs(self) -> bool {
        self.exists() && Stat::read(self.pid).is_ok_and(|stat| !stat.ended())
    }

    /// Sends a signal to this process; false if it is gone.
    pub fn signal(self, signal: Signal) -> Result<bool> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return Ok(false);
        };
        // From here on the number cannot change hands without us noticing.
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(false) };
        if !self.exists() {
            return Ok(false);
        }
        match pidfd_send_signal(process, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error)
                .with_context(|| format!("failed to send {signal:?} to process {}", self.pid)),
        }
    }
}

/// Differs each time that the machine is started.
pub fn boot_id() -> Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    Ok(id.context("failed to read the boot id")?.trim().to_owned())
}
