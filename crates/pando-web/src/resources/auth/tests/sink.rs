//! A mail server that takes everything and keeps it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pando_testkit::wait_for;

/// What no test waits for in vain.
pub(super) const LONG: Duration = Duration::from_secs(30);

/// What came over one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Delivery {
    pub(super) commands: Vec<String>,
    /// Headers and parts, with the lines of quoted-printable text put together again.
    pub(super) text: String,
}

impl Delivery {
    /// What follows `before` in the mail, up to the next character that no token has.
    pub(super) fn token_after(&self, before: &str) -> String {
        let (_, rest) = self.text.split_once(before).unwrap();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
        rest[..end.unwrap_or(rest.len())].to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let mut lines = self.text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
    }
}

#[derive(Debug)]
pub(super) struct Sink {
    pub(super) port: u16,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl Sink {
    pub(super) fn start() -> Sink {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let deliveries = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&deliveries);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let delivery = receive(stream.unwrap());
                kept.lock().unwrap().push(delivery);
            }
        });
        Sink { port, deliveries }
    }

    pub(super) fn count(&self) -> usize {
        self.deliveries.lock().unwrap().len()
    }

    /// The mail that came after `count` others.
    pub(super) fn nth(&self, count: usize) -> Delivery {
        let come = || Ok(self.deliveries.lock().unwrap().get(count).cloned());
        wait_for("a mail", LONG, come).unwrap()
    }
}

/// One connection from greeting to `QUIT`.
fn receive(stream: TcpStream) -> Delivery {
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut answers = stream.try_clone().unwrap();
    let mut say = |line: &str| answers.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut delivery = Delivery::default();
    let mut data = false;
    say("220 sink");
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        if data {
            match line.as_str() {
                "." => {
                    data = false;
                    say("250 taken");
                }
                line => match line.strip_suffix('=') {
                    Some(part) => delivery.text.push_str(part),
                    None => delivery.text.push_str(&format!("{line}\n")),
                },
            }
            continue;
        }
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" => say("250-sink\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME"),
            "AUTH" => say("235 welcome"),
            "DATA" => {
                data = true;
                say("354 go on");
            }
            "QUIT" => say("221 bye"),
            _ => say("250 fine"),
        }
        delivery.commands.push(line);
    }
    delivery
}
