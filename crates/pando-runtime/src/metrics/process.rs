//! Metrics of the process itself, read from `/proc` when they are asked for.
//!
//! Names as in Prometheus' client guidelines. What the system does not offer is left out.
//! Source: proc_pid_stat(5).

use std::{
    fmt::Write as _,
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

use super::registry::write_head;

pub(super) fn render(out: &mut String) {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu_seconds = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    counter(out, "process_cpu_seconds_total", "User and system CPU time.", cpu_seconds);
    if let Some(count) = open_files() {
        gauge(out, "process_open_fds", "Open file descriptors.", count as f64);
    }
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        gauge(out, "process_max_fds", "Limit on open file descriptors.", limit as f64);
    }
    let Some(stat) = Stat::read() else { return };
    gauge(out, "process_resident_memory_bytes", "Resident memory.", stat.resident_bytes as f64);
    gauge(out, "process_virtual_memory_bytes", "Virtual memory.", stat.virtual_bytes as f64);
    gauge(out, "process_threads", "Threads.", stat.threads as f64);
    if let Some(started_at) = started_at(stat.started_after_boot_seconds) {
        gauge(out, "process_start_time_seconds", "Start, in Unix time.", started_at);
    }
}

struct Stat {
    threads: u64,
    started_after_boot_seconds: f64,
    virtual_bytes: u64,
    resident_bytes: u64,
}

impl Stat {
    fn read() -> Option<Stat> {
        Stat::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Stat> {
        // The second field is the program's name in brackets, which may hold spaces and brackets.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        // Field numbers as in the manual page; the third is the first one here.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Stat {
            threads: field(20)?,
            started_after_boot_seconds: field(22)? as f64 / clock_ticks_per_second() as f64,
            virtual_bytes: field(23)?,
            resident_bytes: field(24)?.checked_mul(page_size() as u64)?,
        })
    }
}

fn started_at(after_boot_seconds: f64) -> Option<f64> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_ascii_whitespace().next()?.parse().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
    Some((now - uptime + after_boot_seconds).round())
}

fn open_files() -> Option<usize> {
    // The listing itself has one open.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
}

fn counter(out: &mut String, name: &str, help: &str, value: f64) {
    write_head(out, name, help, "counter");
    let _ = writeln!(out, "{name} {value}");
}

fn gauge(out: &mut String, name: &str, help: &str, value: f64) {
    write_head(out, name, help, "gauge");
    let _ = writeln!(out, "{name} {value}");
}

#[cfg(test)]
mod tests {
    use super::Stat;

    #[test]
    fn a_program_name_with_brackets_and_spaces() {
        let text = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 1000 8192 3 1 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.threads, stat.virtual_bytes), (9, 8192));
        assert_eq!(stat.resident_bytes, 3 * rustix::param::page_size() as u64);
    }

    #[test]
    fn a_cut_off_line_gives_nothing() {
        assert!(Stat::parse("7 (a) S 1 7").is_none());
        assert!(Stat::parse("").is_none());
    }
}
