//! How much of its memory and its files the process uses.
//!
//! Source: proc_pid_statm(5), cgroups(7) `memory.max`, proc_meminfo(5).

use std::fs;

use pando_topology::Pressure;
use rustix::process::{Resource, getrlimit};

/// Shares of what there is. `memory_bytes_max` is the operator's limit; 0 takes the system's.
pub(crate) fn measure(memory_bytes_max: u64) -> Pressure {
    let memory_max = match memory_bytes_max {
        0 => system_memory_bytes(),
        bytes => Some(bytes),
    };
    let files_max = getrlimit(Resource::Nofile).current;
    Pressure { memory: share(resident_bytes(), memory_max), files: share(open_files(), files_max) }
}

fn share(used: Option<u64>, most: Option<u64>) -> f64 {
    match (used, most) {
        (Some(used), Some(most)) if most > 0 => used as f64 / most as f64,
        // What is not known is no reason to refuse anybody.
        _ => 0.0,
    }
}

fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size() as u64)
}

/// The highest number of an open file is close enough, and found without listing all of them.
fn open_files() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("FDSize:"))?;
    // The size of the table is a power of two at least as large as the highest number.
    let table: u64 = line.trim().parse().ok()?;
    let limit = getrlimit(Resource::Nofile).current?;
    match table < limit / 2 {
        true => Some(table),
        false => Some(fs::read_dir("/proc/self/fd").ok()?.count() as u64),
    }
}

/// The limit of the control group if there is one, else the memory of the machine.
fn system_memory_bytes() -> Option<u64> {
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = group.and_then(|text| text.trim().parse().ok());
    limit.or_else(|| {
        let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
        let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
        kib.checked_mul(1 << 10)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn something_is_used_but_not_all() {
        let pressure = super::measure(0);
        assert!((0.0..0.9).contains(&pressure.memory) && pressure.memory > 0.0, "{pressure:?}");
        assert!((0.0..0.9).contains(&pressure.files), "{pressure:?}");
        assert!(super::measure(1 << 20).memory > 1.0, "a test needs more than a mebibyte");
    }
}
