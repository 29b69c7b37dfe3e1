//! What Linux tells about a process, and signals to it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// `USER_HZ`: the unit of `/proc/PID/stat`, 100 on every Linux architecture Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time from `/proc/PID/stat`; exact to 10 ms.
pub(super) fn cpu_time(pid: u32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    // The second field is a name in brackets that may itself hold brackets and blanks.
    let (_, rest) = text.rsplit_once(')').context("bad stat line")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // utime and stime are fields 14 and 15 of the line (man 5 proc), 11 and 12 after the name.
    let ticks = |index: usize| -> Result<u64> {
        fields.get(index).context("short stat line")?.parse().context("bad stat line")
    };
    let total = ticks(11)? + ticks(12)?;
    Ok(Duration::from_millis(total * 1000 / TICKS_PER_SECOND))
}

/// Resident memory from `/proc/PID/status`.
pub(super) fn rss_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The highest resident memory so far ("high water mark").
pub(super) fn rss_peak_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, name: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().context("bad status line")?;
    Ok(kibibytes * 1024)
}

/// Sends SIGTERM. The shell's own `kill` is there even where no `kill` program is installed.
pub(super) fn terminate(pid: u32) -> Result<()> {
    let status = Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status()?;
    ensure!(status.success(), "failed to send SIGTERM to {pid}");
    Ok(())
}
