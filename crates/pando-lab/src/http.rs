//! A blocking HTTP/1.1 client that keeps its connection and can also send malformed bytes.
//!
//! *Invariant*: a request is never sent twice, so a test may count what the server received.
//! *Source*: RFC 9112 (message format, chunked coding).

mod encode;
mod message;
mod multipart;
mod stream;

pub use encode::encode;
pub use message::{Request, Response};
pub use multipart::Multipart;
pub(crate) use stream::Connection;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};

/// How long one read or write may take unless the caller says otherwise.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// One client with at most one open connection.
#[derive(Debug)]
pub struct HttpClient {
    addr: SocketAddr,
    timeout: Duration,
    connection: Option<Connection>,
}

impl HttpClient {
    /// A client of the server at `addr`; connects with the first request.
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, timeout: TIMEOUT_DEFAULT, connection: None }
    }

    /// The same client with another limit per read and write.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Where this client connects to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Makes sure that there is a connection. If this fails, no request was sent.
    pub fn connect(&mut self) -> Result<()> {
        if !self.connection.as_ref().is_some_and(Connection::usable) {
            self.connection = Some(Connection::open(self.addr, self.timeout)?);
        }
        Ok(())
    }

    /// Sends one request and reads its whole answer.
    pub fn send(&mut self, request: &Request) -> Result<Response> {
        let head_only = request.method.eq_ignore_ascii_case("HEAD");
        self.exchange(&request.to_bytes(self.addr), head_only)
            .with_context(|| format!("failed to send {} {}", request.method, request.target))
    }

    /// Sends bytes as they are (well-formed or not) and reads one answer.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<Response> {
        self.exchange(bytes, bytes.starts_with(b"HEAD "))
    }

    /// Closes the connection; the next request opens a new one.
    pub fn close(&mut self) {
        self.connection = None;
    }

    fn exchange(&mut self, bytes: &[u8], head_only: bool) -> Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.usable() => connection,
            _ => Connection::open(self.addr, self.timeout)?,
        };
        let written = connection.write(bytes);
        // A server may refuse early (413, 400) and close while we still write: its answer counts.
        let response = match connection.read_response(head_only) {
            Ok(response) => response,
            Err(error) => {
                written?;
                return Err(error);
            }
        };
        if written.is_ok() && response.keeps_connection() {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
