//! Keys that take one of a few words.

use pando_runtime::config::{Setting, Value};

/// How an upstream is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    PeakEwma,
    RoundRobin,
    LeastRequests,
    Hash,
}

impl Setting for Choice {
    const EXPECTS: &'static str = "\"peak-ewma\", \"round-robin\", \"least-requests\" or \"hash\"";

    fn from_text(text: &str) -> Option<Choice> {
        match text {
            "peak-ewma" => Some(Choice::PeakEwma),
            "round-robin" => Some(Choice::RoundRobin),
            "least-requests" => Some(Choice::LeastRequests),
            "hash" => Some(Choice::Hash),
            _ => None,
        }
    }

    fn to_toml(&self) -> Value {
        Value::String(self.name().to_owned())
    }
}

impl Choice {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Choice::PeakEwma => "peak-ewma",
            Choice::RoundRobin => "round-robin",
            Choice::LeastRequests => "least-requests",
            Choice::Hash => "hash",
        }
    }
}

/// Which version of the PROXY protocol is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyProtocol {
    Off,
    V1,
    V2,
}

impl Setting for ProxyProtocol {
    const EXPECTS: &'static str = "\"off\", \"v1\" or \"v2\"";

    fn from_text(text: &str) -> Option<ProxyProtocol> {
        match text {
            "off" => Some(ProxyProtocol::Off),
            "v1" => Some(ProxyProtocol::V1),
            "v2" => Some(ProxyProtocol::V2),
            _ => None,
        }
    }

    fn to_toml(&self) -> Value {
        let name = match self {
            ProxyProtocol::Off => "off",
            ProxyProtocol::V1 => "v1",
            ProxyProtocol::V2 => "v2",
        };
        Value::String(name.to_owned())
    }
}
