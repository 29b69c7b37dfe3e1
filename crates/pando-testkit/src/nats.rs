//! A real NATS server, which the test may break.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{self, Signal};
use crate::wait_for;

const START_WITHIN: Duration = Duration::from_secs(20);

/// A running server; gone when dropped.
#[derive(Debug)]
pub struct Nats {
    child: Child,
    addr: SocketAddr,
}

impl Nats {
    /// Starts one on a free port of this machine.
    pub fn start() -> Result<Nats> {
        let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a free port")?;
        let addr = listener.local_addr()?;
        drop(listener);
        Nats::start_at(addr)
    }

    fn start_at(addr: SocketAddr) -> Result<Nats> {
        let child = Command::new("nats-server")
            .args(["--addr", &addr.ip().to_string(), "--port", &addr.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start nats-server\nhint: apt-get install nats-server")?;
        let nats = Nats { child, addr };
        wait_for("the start of NATS", START_WITHIN, || {
            Ok(TcpStream::connect(addr).is_ok().then_some(()))
        })?;
        Ok(nats)
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("nats://{}", self.addr)
    }

    /// Holds it up: connections stay open, nothing is delivered.
    pub fn freeze(&self) -> Result<()> {
        process::signal(Signal::STOP, &[self.child.id()])
    }

    /// Lets it go on.
    pub fn thaw(&self) -> Result<()> {
        process::signal(Signal::CONT, &[self.child.id()])
    }

    /// Ends it and starts it again at the same place.
    pub fn restart(&mut self) -> Result<()> {
        self.end();
        *self = Nats::start_at(self.addr)?;
        Ok(())
    }

    fn end(&mut self) {
        // Ended already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.end();
    }
}
