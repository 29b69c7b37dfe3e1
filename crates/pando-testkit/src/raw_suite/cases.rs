//! The cases of HTTP/1.1.

mod answers;
mod fields;
mod framing;
mod targets;

use super::{AnswerCase, RequestCase, Safe};

pub(super) use answers::cases as answers;

/// Bytes of clients.
pub(super) fn requests() -> Vec<RequestCase> {
    [targets::cases(), fields::cases(), framing::cases()].into_iter().flatten().collect()
}

fn case(
    name: &'static str,
    clause: &'static str,
    send: impl AsRef<[u8]>,
    safe: Safe,
) -> RequestCase {
    RequestCase { name, clause, send: send.as_ref().to_vec(), safe, http2: false }
}

/// A GET with these field lines beside its `Host`.
fn get(fields: &str) -> String {
    format!("GET /x HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n")
}

/// A POST with these field lines beside its `Host`, and what follows its head.
fn post(fields: &str, rest: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n{rest}")
}

/// What an attacker hides behind a request.
const EVIL: &str = "GET /evil HTTP/1.1\r\nHost: a.example\r\n\r\n";
