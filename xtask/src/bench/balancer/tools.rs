//! The programs that make load, the upstream, and a certificate: none of them is ours.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pando_testkit::proxy::free_addr;
use pando_testkit::{HttpClient, Request, wait_for};
use tempfile::TempDir;

/// An nginx that answers at once: `/` with 130 bytes, `/large` with 10,000.
#[derive(Debug)]
pub(super) struct Upstream {
    child: Child,
    addr: SocketAddr,
    _dir: TempDir,
}

impl Upstream {
    pub(super) fn start() -> Result<Upstream> {
        let (addr, dir) = (free_addr()?, tempfile::tempdir()?);
        let place = dir.path().display();
        let (small, large) = ("x".repeat(130), "y".repeat(10_000));
        fs::write(dir.path().join("large"), large)?;
        let config = format!(
            "worker_processes 1;\ndaemon off;\npid {place}/pid;\nerror_log stderr error;\nuser root;\n\
             events {{ worker_connections 8192; }}\nhttp {{\naccess_log off;\n\
             keepalive_requests 1000000000;\nkeepalive_timeout 600s;\nopen_file_cache max=10;\n\
             server {{\nlisten {addr} backlog=4096;\n\
             location / {{ return 200 \"{small}\"; }}\n\
             location = /large {{ root {place}; }}\n}}\n}}\n"
        );
        fs::write(dir.path().join("nginx.conf"), config)?;
        let child = Command::new("/usr/sbin/nginx")
            .arg("-c")
            .arg(dir.path().join("nginx.conf"))
            .arg("-p")
            .arg(dir.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start nginx")?;
        let upstream = Upstream { child, addr, _dir: dir };
        wait_for("the upstream", Duration::from_secs(10), || {
            let answer = HttpClient::new(addr).send(&Request::get("/large"));
            Ok(answer.is_ok_and(|answer| answer.body.len() == 10_000).then_some(()))
        })?;
        Ok(upstream)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // Its worker ends with it only if it is asked politely.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Chain and key of a certificate for `localhost`, ECDSA on P-256.
pub(super) fn certificate(dir: &Path) -> Result<(PathBuf, PathBuf)> {
    let (chain, key) = (dir.join("localhost.crt"), dir.join("localhost.key"));
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "30", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .output()
        .context("failed to run openssl")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok((chain, key))
}

/// What a generator of load saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) requests: u64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// `wrk` on one thread.
pub(super) fn wrk(url: &str, connections: usize, time: Duration, closing: bool) -> Result<Seen> {
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{}s", time.as_secs())]);
    command.args(["--latency", "--timeout", "10s"]);
    if closing {
        command.args(["-H", "Connection: close"]);
    }
    let output = command.arg(url).output().context("failed to run wrk")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(!text.contains("Non-2xx"), "some answers were no success:\n{text}");
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in"));
    let requests = requests.and_then(|(count, _)| count.parse().ok());
    let percentile = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.and_then(|value| milliseconds(value.trim()))
    };
    Ok(Seen {
        requests: requests.with_context(|| format!("wrk said:\n{text}"))?,
        p50_ms: percentile("50%").context("no median")?,
        p99_ms: percentile("99%").context("no 99th percentile")?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = match text {
        text if text.ends_with("us") => (text.strip_suffix("us")?, 0.001),
        text if text.ends_with("ms") => (text.strip_suffix("ms")?, 1.0),
        text => (text.strip_suffix('s')?, 1_000.0),
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// `h2load`: HTTP/2 over TLS, so many streams at once on each connection; requests that succeeded.
pub(super) fn h2load(url: &str, connections: usize, streams: usize, time: Duration) -> Result<u64> {
    let output = Command::new("h2load")
        .args(["-t1", &format!("-c{connections}"), &format!("-m{streams}")])
        .args([&format!("-D{}", time.as_secs()), "--warm-up-time=0", url])
        .output()
        .context("failed to run h2load")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with("requests:"));
    let line = line.with_context(|| format!("h2load said:\n{text}"))?;
    ensure!(line.contains(" 0 failed, 0 errored"), "{line}");
    ensure!(text.contains("protocol: h2"), "it was no HTTP/2:\n{text}");
    let count = line.split(", ").find_map(|part| part.strip_suffix(" succeeded"));
    count.and_then(|count| count.parse().ok()).with_context(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn times_of_wrk_are_read() {
        let read = ["431.00us", "1.20ms", "1.01s", "x"].map(milliseconds);
        assert_eq!(read, [Some(0.431), Some(1.2), Some(1_010.0), None]);
    }
}
