//! One TCP connection: buffered reading of heads, bodies and chunks.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::Response;

/// No answer of a test is larger; past it the server is broken.
const BODY_BYTES_MAX: usize = 256 << 20;
const LINE_BYTES_MAX: usize = 64 << 10;
const READ_BYTES: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
}

impl Connection {
    pub(crate) fn open(addr: SocketAddr, timeout: Duration) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, timeout)
            .with_context(|| format!("failed to connect to {addr}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self { stream, buffer: Vec::new(), start: 0 })
    }

    /// False once the server has closed its side or sent something unasked.
    pub(crate) fn usable(&self) -> bool {
        if self.start < self.buffer.len() || self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let peeked = self.stream.peek(&mut [0]);
        let quiet = matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && quiet
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    pub(crate) fn set_read_timeout(&self, timeout: Duration) -> Result<()> {
        // Zero would mean "for ever" to the socket.
        Ok(self.stream.set_read_timeout(Some(timeout.max(Duration::from_millis(1))))?)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).context("failed to write the request")
    }

    pub(crate) fn read_response(&mut self, head_only: bool) -> Result<Response> {
        let mut response = self.read_head()?;
        while (100..200).contains(&response.status) {
            response = self.read_head()?;
        }
        if head_only || matches!(response.status, 204 | 304) {
            return Ok(response);
        }
        response.body = self.read_body(&response)?;
        Ok(response)
    }

    pub(crate) fn read_head(&mut self) -> Result<Response> {
        self.compact();
        let line = self.read_line()?;
        let mut words = line.splitn(3, ' ');
        ensure!(words.next().is_some_and(|word| word.starts_with("HTTP/1.")), "bad line {line:?}");
        let status = words.next().unwrap_or_default().parse().context("bad status")?;
        let mut headers = Vec::new();
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                return Ok(Response { status, headers, body: Vec::new() });
            }
            let (name, value) = line.split_once(':').context("header without colon")?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// The next chunk of a chunked body; `None` after the last one.
    ///
    /// After a time-out within a chunk the next call starts at that chunk again.
    pub(crate) fn read_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        self.compact();
        let chunk = self.parse_chunk();
        if chunk.is_err() {
            self.start = 0;
        }
        chunk
    }

    fn parse_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let line = self.read_line()?;
        let size_text = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size_text, 16)
            .with_context(|| format!("bad chunk size {line:?}"))?;
        if size == 0 {
            while !self.read_line()?.is_empty() {}
            return Ok(None);
        }
        let chunk = self.read_exact(size)?;
        ensure!(self.read_line()?.is_empty(), "chunk without its end");
        Ok(Some(chunk))
    }

    fn read_body(&mut self, response: &Response) -> Result<Vec<u8>> {
        if response.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            let mut body = Vec::new();
            while let Some(chunk) = self.read_chunk()? {
                body.extend_from_slice(&chunk);
                ensure!(body.len() <= BODY_BYTES_MAX, "answer of more than {BODY_BYTES_MAX} bytes");
            }
            return Ok(body);
        }
        if let Some(length) = response.header("content-length") {
            return self.read_exact(length.parse().context("bad content-length")?);
        }
        while self.fill()? {
            ensure!(self.buffer.len() <= BODY_BYTES_MAX, "answer too large");
        }
        Ok(self.buffer.split_off(self.start))
    }

    fn read_line(&mut self) -> Result<String> {
        let mut seen = 0;
        loop {
            let unread = &self.buffer[self.start..];
            if let Some(length) = unread[seen..].iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&unread[..seen + length]).into_owned();
                self.start += seen + length + 1;
                return Ok(line.trim_end_matches('\r').to_owned());
            }
            seen = unread.len();
            ensure!(seen <= LINE_BYTES_MAX, "line of more than {LINE_BYTES_MAX} bytes");
            if !self.fill()? {
                bail!("the server closed the connection");
            }
        }
    }

    fn read_exact(&mut self, count: usize) -> Result<Vec<u8>> {
        ensure!(count <= BODY_BYTES_MAX, "body of {count} bytes announced");
        while self.buffer.len() - self.start < count {
            if !self.fill()? {
                bail!("the server closed the connection within a body");
            }
        }
        let bytes = self.buffer[self.start..self.start + count].to_vec();
        self.start += count;
        Ok(bytes)
    }

    /// Forgets what has been read.
    fn compact(&mut self) {
        self.buffer.drain(..self.start);
        self.start = 0;
    }

    /// Reads once; false at the end of the stream.
    fn fill(&mut self) -> Result<bool> {
        let mut chunk = [0; READ_BYTES];
        let count = self.stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }
}
