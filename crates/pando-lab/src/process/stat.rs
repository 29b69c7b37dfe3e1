//! Time and memory of a process: `/proc/PID/stat` and `/proc/PID/status`.
//!
//! *Source*: man 5 proc.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::children;

/// `USER_HZ`: the unit of `/proc/PID/stat`, 100 on every Linux architecture Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time; exact to 10 ms.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = Stat::read(pid)?;
    Ok(stat.ticks(UTIME)? + stat.ticks(STIME)?)
}

/// How often a family is looked at until none of its processes ends meanwhile.
const LOOKS_MAX: usize = 100;

/// User and system time of a process and of its children, those included that have ended and were
/// waited for.
pub fn family_cpu_time(pid: u32) -> Result<Duration> {
    for _ in 0..LOOKS_MAX {
        let before = children(pid)?;
        let mut total = Duration::ZERO;
        for child in &before {
            total += cpu_time(*child).unwrap_or_default();
        }
        let stat = Stat::read(pid)?;
        for field in [UTIME, STIME, CUTIME, CSTIME] {
            total += stat.ticks(field)?;
        }
        // One that ended in between would count twice, or not at all.
        if children(pid)? == before {
            return Ok(total);
        }
    }
    bail!("the children of {pid} come and go too fast to be counted")
}

/// Fields of `/proc/PID/stat` (man 5 proc), counted after the name, which is the second.
const STATE: usize = 0;
pub(super) const PPID: usize = 1;
const UTIME: usize = 11;
const STIME: usize = 12;
const CUTIME: usize = 13;
const CSTIME: usize = 14;
pub(super) const STARTTIME: usize = 19;
const BAD: &str = "bad stat line";

/// The line of `/proc/PID/stat` after the name, which may itself hold brackets and blanks.
pub(super) struct Stat(String);

impl Stat {
    pub(super) fn read(pid: u32) -> Result<Stat> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"));
        let text = text.context("the process is gone")?;
        let (_, rest) = text.rsplit_once(')').context(BAD)?;
        Ok(Stat(rest.to_owned()))
    }

    /// Whether the process has ended and is not waited for.
    pub(super) fn ended(&self) -> bool {
        matches!(self.field(STATE), Ok("Z" | "X"))
    }

    /// A field as a number.
    pub(super) fn number(&self, index: usize) -> Result<u64> {
        self.field(index)?.parse().context(BAD)
    }

    fn field(&self, index: usize) -> Result<&str> {
        self.0.split_whitespace().nth(index).context("short stat line")
    }

    fn ticks(&self, index: usize) -> Result<Duration> {
        Ok(Duration::from_millis(self.number(index)? * 1000 / TICKS_PER_SECOND))
    }
}

/// Resident memory from `/proc/PID/status`.
pub fn rss_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The highest resident memory so far ("high water mark").
pub fn rss_peak_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, name: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().context("bad status line")?;
    Ok(kibibytes * 1024)
}
