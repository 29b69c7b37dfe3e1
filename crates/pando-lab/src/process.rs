//! What Linux tells about a process, and signals to it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// `USER_HZ`: the unit of `/proc/PID/stat`, 100 on every Linux architecture Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time; exact to 10 ms.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = Stat::read(pid)?;
    Ok(stat.ticks(UTIME)? + stat.ticks(STIME)?)
}

/// User and system time of a process and of its children, those included that have ended and were
/// waited for.
pub(crate) fn family_cpu_time(pid: u32) -> Result<Duration> {
    // The children first: one that ends in between is counted twice rather than not at all.
    let mut total = Duration::ZERO;
    for child in children(pid)? {
        // One that is gone by now is in its parent's figure.
        total += cpu_time(child).unwrap_or_default();
    }
    let stat = Stat::read(pid)?;
    for field in [UTIME, STIME, CUTIME, CSTIME] {
        total += stat.ticks(field)?;
    }
    Ok(total)
}

/// The processes that `pid` started and that run.
pub(crate) fn children(pid: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(candidate) = entry?.file_name().to_string_lossy().parse() else { continue };
        // It may end while we look.
        let parent = Stat::read(candidate).and_then(|stat| stat.field(PPID)?.parse().context(BAD));
        if parent.is_ok_and(|parent: u32| parent == pid) {
            children.push(candidate);
        }
    }
    Ok(children)
}

/// Fields of `/proc/PID/stat` (man 5 proc), counted after the name, which is the second.
const PPID: usize = 1;
const UTIME: usize = 11;
const STIME: usize = 12;
const CUTIME: usize = 13;
const CSTIME: usize = 14;
const BAD: &str = "bad stat line";

/// The line of `/proc/PID/stat` after the name, which may itself hold brackets and blanks.
struct Stat(String);

impl Stat {
    fn read(pid: u32) -> Result<Stat> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"));
        let text = text.context("the process is gone")?;
        let (_, rest) = text.rsplit_once(')').context(BAD)?;
        Ok(Stat(rest.to_owned()))
    }

    fn field(&self, index: usize) -> Result<&str> {
        self.0.split_whitespace().nth(index).context("short stat line")
    }

    fn ticks(&self, index: usize) -> Result<Duration> {
        let ticks: u64 = self.field(index)?.parse().context(BAD)?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }
}

/// Resident memory from `/proc/PID/status`.
pub(crate) fn rss_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The highest resident memory so far ("high water mark").
pub(crate) fn rss_peak_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, name: &str) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().context("bad status line")?;
    Ok(kibibytes * 1024)
}

/// Sends a signal, such as `TERM`, to processes; those that are gone are passed over. The shell's
/// own `kill` is there even where no `kill` program is installed.
pub(crate) fn signal(name: &str, pids: &[u32]) -> Result<()> {
    for pid in pids {
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status()?;
        let gone = || !Path::new("/proc").join(pid.to_string()).exists();
        ensure!(status.success() || gone(), "failed to send SIG{name} to {pid}");
    }
    Ok(())
}
