//! HTTP/1.1 on one side, HTTP/2 over TLS on the other: nghttpx, for clients that speak only the
//! first. It shares no code with what is tested.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::proxy::free_addr;
use crate::wait_for;

const START_WITHIN: Duration = Duration::from_secs(20);

/// A running bridge; gone when dropped.
#[derive(Debug)]
pub struct Bridge {
    child: Child,
    addr: SocketAddr,
}

impl Bridge {
    /// A bridge to the HTTPS listener at `to`, whose certificate may be anyone's.
    pub fn start(to: SocketAddr) -> Result<Bridge> {
        let addr = free_addr()?;
        let (ip, port) = (to.ip(), to.port());
        let child = Command::new("nghttpx")
            .args(["--conf=/dev/null", "--single-process", "--workers=1", "--log-level=FATAL"])
            .arg(format!("--frontend={},{};no-tls", addr.ip(), addr.port()))
            .arg(format!("--backend={ip},{port};;proto=h2;tls;sni=localhost"))
            // It shall change nothing but the protocol.
            .args(["--insecure", "--no-via", "--no-server-rewrite", "--no-location-rewrite"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start nghttpx\nhint: apt-get install nghttp2-proxy")?;
        let bridge = Bridge { child, addr };
        wait_for("the start of nghttpx", START_WITHIN, || {
            Ok(TcpStream::connect(addr).is_ok().then_some(()))
        })?;
        Ok(bridge)
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // Ended already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
