//! Malformed and smuggling input for a proxy: raw bytes in, and what reached the upstream.
//!
//! Each case names the clause of the RFC that it is about and the outcome that is safe. The
//! upstream behind the proxy is a thread of ours that writes down all that it gets, so that it does
//! not matter what the proxy says but what it does.
//!
//! *Invariant*: a case is judged unsafe if anything reached the upstream that could be understood
//! in two ways, whatever the case itself allows.

mod cases;
mod http2;
mod run;
mod seen;
mod upstream;

pub use run::{Outcome, Target, run, run_part};
pub use upstream::Upstream;

/// What a proxy may do with the bytes of a client.
#[derive(Clone, Copy)]
pub(crate) enum Safe {
    /// Refuse: an answer from 400 on or the end of the connection; nothing reaches the upstream.
    Refused,
    /// Refuse, or pass on that many requests, with these bodies.
    Harmless(&'static [&'static str]),
    /// Pass on exactly that many requests, with these bodies.
    Passed(&'static [&'static str]),
    /// The same, and what reached the upstream looks so.
    PassedAs(&'static [&'static str], fn(&[seen::Seen]) -> Result<(), String>),
}

/// What a client gets for the bytes of an upstream.
#[derive(Clone, Copy)]
pub(crate) enum Answered {
    /// 502, or a connection that ends without an answer: never the upstream's answer.
    BadGateway,
    /// The status and the body.
    Given(u16, &'static str),
    /// Either of them.
    GivenOrBad(u16, &'static str),
    /// The head came, and the end of the connection tells that the body is not whole.
    CutShort,
    /// Whatever the client gets, what the upstream sent beyond its answer must reach nobody.
    NotPoisoned,
}

/// Bytes of a client.
pub(crate) struct RequestCase {
    pub(crate) name: &'static str,
    pub(crate) clause: &'static str,
    pub(crate) send: Vec<u8>,
    pub(crate) safe: Safe,
    pub(crate) http2: bool,
}

/// Bytes of an upstream, after a request that is right.
pub(crate) struct AnswerCase {
    pub(crate) name: &'static str,
    pub(crate) clause: &'static str,
    pub(crate) method: &'static str,
    pub(crate) answer: Vec<u8>,
    /// The upstream closes the connection after it.
    pub(crate) closes: bool,
    pub(crate) safe: Answered,
}
