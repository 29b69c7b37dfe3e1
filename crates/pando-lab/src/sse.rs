//! A client of PocketBase's realtime protocol: server-sent events plus `POST /api/realtime`.
//!
//! *Source*: PocketBase's realtime API page; WHATWG HTML, section server-sent events.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::http::{Connection, HttpClient, Request, Response};

/// One event: `id`, `event` and `data` lines put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    pub id: String,
    pub name: String,
    pub data: String,
}

/// An open stream of events.
#[derive(Debug)]
pub struct SseClient {
    addr: SocketAddr,
    connection: Connection,
    client_id: String,
    head: Response,
    text: Vec<u8>,
}

impl SseClient {
    /// Connects and waits for `PB_CONNECT`.
    pub fn connect(addr: SocketAddr, deadline: Duration) -> Result<Self> {
        let mut connection = Connection::open(addr, deadline)?;
        let request = Request::get("/api/realtime").header("Accept", "text/event-stream");
        connection.write(&request.to_bytes(addr))?;
        let head = connection.read_head()?;
        ensure!(head.status == 200, "realtime answered {}", head.status);
        let text = Vec::new();
        let mut client = Self { addr, connection, client_id: String::new(), head, text };
        let event = client.next_event(deadline)?.context("no PB_CONNECT in time")?;
        ensure!(event.name == "PB_CONNECT", "first event is {event:?}");
        let data: Value = serde_json::from_str(&event.data)?;
        client.client_id = data["clientId"].as_str().context("no clientId")?.to_owned();
        ensure!(event.id == client.client_id, "event id is not the client id: {event:?}");
        Ok(client)
    }

    /// The id that `POST /api/realtime` wants.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The socket, for who reads the events in another way (chunks and all).
    pub fn into_stream(self) -> TcpStream {
        self.connection.into_stream()
    }

    /// Status and headers of the stream.
    pub fn head(&self) -> &Response {
        &self.head
    }

    /// Replaces this client's subscriptions; gives the server's answer.
    pub fn subscribe(&self, subscriptions: &[&str], token: Option<&str>) -> Result<Response> {
        HttpClient::new(self.addr).send(&self.subscription(subscriptions, token))
    }

    /// The request that replaces them; any server of the application may be asked.
    pub fn subscription(&self, subscriptions: &[&str], token: Option<&str>) -> Request {
        let body = json!({ "clientId": self.client_id, "subscriptions": subscriptions });
        let request = Request::post("/api/realtime").json(&body);
        match token {
            Some(token) => request.token(token),
            None => request,
        }
    }

    /// The server that has the stream.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The next event, or `None` if none came within `deadline`.
    pub fn next_event(&mut self, deadline: Duration) -> Result<Option<SseEvent>> {
        let started = Instant::now();
        loop {
            if let Some(event) = self.take_event() {
                return Ok(Some(event));
            }
            let left = deadline.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            self.connection.set_read_timeout(left)?;
            match self.connection.read_chunk() {
                Ok(Some(chunk)) => self.text.extend_from_slice(&chunk),
                Ok(None) => bail!("the server ended the realtime stream"),
                Err(error) if timed_out(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn take_event(&mut self) -> Option<SseEvent> {
        let end = self.text.windows(2).position(|pair| pair == b"\n\n")?;
        let block: Vec<u8> = self.text.drain(..end + 2).collect();
        let mut event = SseEvent { id: String::new(), name: String::new(), data: String::new() };
        for line in String::from_utf8_lossy(&block).lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            match field {
                "id" => event.id = value.to_owned(),
                "event" => event.name = value.to_owned(),
                "data" => event.data.push_str(value),
                _ => {}
            }
        }
        Some(event)
    }
}

fn timed_out(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| matches!(error.kind(), TimedOut | WouldBlock))
}
