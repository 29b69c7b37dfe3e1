//! The head of an upstream's answer, and where its body ends.
//!
//! An answer that two programs could frame differently is no answer: the connection is dropped and
//! the client gets 502.
//!
//! Source: RFC 9112 4, 5, 6; RFC 9110 7.6.1 and 15.
//! *Invariant*: what is returned has no field that concerns this connection only.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, response};

use crate::fields::{self, Nominated};

/// The largest head of an answer.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;
const FIELDS_MAX: usize = 100;

/// Why an answer cannot be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the head of the answer is no HTTP")]
    Head,
    #[error("the head of the answer is too large")]
    HeadSize,
    #[error("the status of the answer is out of range")]
    Status,
    #[error("the length of the answer is ambiguous")]
    Length,
    #[error("the answer's transfer encoding is not understood")]
    Encoding,
    #[error("the upstream changed the protocol unasked")]
    Unasked,
    #[error("a chunk of the answer is malformed")]
    Chunk,
    #[error("too many interim answers")]
    Interim,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// It has none.
    Empty,
    Length(u64),
    Chunked,
    /// With the connection.
    Close,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) parts: response::Parts,
    pub(crate) framing: Framing,
    /// The connection can be used again afterwards.
    pub(crate) keeps: bool,
}

/// Takes a head out of `input`, or `None` if it has not all come. `method` is the request's;
/// `upgrade` whether it asked for another protocol.
pub(crate) fn take(
    input: &mut BytesMut,
    method: &Method,
    upgrade: bool,
) -> Result<Option<Head>, Malformed> {
    let Some(end) = end_of_head(input) else {
        return if input.len() > HEAD_BYTES_MAX { Err(Malformed::HeadSize) } else { Ok(None) };
    };
    if end > HEAD_BYTES_MAX {
        return Err(Malformed::HeadSize);
    }
    parse(&input.split_to(end).freeze(), method, upgrade).map(Some)
}

/// The length of the head with its empty line.
fn end_of_head(input: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let line_end = from + input[from..].iter().position(|byte| *byte == b'\n')?;
        from = line_end + 1;
        match &input[from..] {
            [b'\r', b'\n', ..] => return Some(from + 2),
            [b'\n', ..] => return Some(from + 1),
            _ => {}
        }
    }
}

fn parse(head: &Bytes, method: &Method, upgrade: bool) -> Result<Head, Malformed> {
    let mut space = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut parsed, head, &mut space) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Malformed::HeadSize),
        Ok(_) | Err(_) => return Err(Malformed::Head),
    }
    let code = parsed.code.filter(|code| (100..600).contains(code)).ok_or(Malformed::Status)?;
    let status = StatusCode::from_u16(code).map_err(|_| Malformed::Status)?;
    let http_11 = parsed.version == Some(1);
    let mut reading =
        Reading { fields: HeaderMap::with_capacity(parsed.headers.len()), ..Reading::default() };
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Malformed::Head)?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value));
        reading.take(name, value.map_err(|_| Malformed::Head)?)?;
    }
    reading.finish(status, http_11, method, upgrade)
}

/// The fields so far.
#[derive(Default)]
struct Reading {
    fields: HeaderMap,
    length: Option<u64>,
    chunked: bool,
    nominated: Nominated,
    upgrade: Option<HeaderValue>,
}

impl Reading {
    fn take(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), Malformed> {
        match name {
            CONTENT_LENGTH => {
                let length = fields::parse_length(value.as_bytes()).ok_or(Malformed::Length)?;
                if self.length.replace(length).is_some() {
                    return Err(Malformed::Length);
                }
            }
            TRANSFER_ENCODING => {
                if self.chunked || !value.as_bytes().eq_ignore_ascii_case(b"chunked") {
                    return Err(Malformed::Encoding);
                }
                self.chunked = true;
            }
            CONNECTION => self.nominated.add(&value),
            UPGRADE => self.upgrade = Some(value),
            name if fields::hop_by_hop(&name) => {}
            name => {
                self.fields.append(name, value);
            }
        }
        Ok(())
    }

    fn finish(
        mut self,
        status: StatusCode,
        http_11: bool,
        method: &Method,
        upgrade: bool,
    ) -> Result<Head, Malformed> {
        if self.chunked && (self.length.is_some() || !http_11) {
            return Err(Malformed::Length);
        }
        if status == StatusCode::SWITCHING_PROTOCOLS && !upgrade {
            return Err(Malformed::Unasked);
        }
        let bodiless = status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED;
        let framing = match (bodiless || method == Method::HEAD, self.chunked, self.length) {
            (true, ..) => Framing::Empty,
            (false, true, _) => Framing::Chunked,
            (false, false, Some(length)) => Framing::Length(length),
            (false, false, None) => Framing::Close,
        };
        let keeps = match http_11 {
            true => !self.nominated.close,
            false => self.nominated.keep_alive && !self.nominated.close,
        };
        self.nominated.remove_from(&mut self.fields);
        // Of what has no body, only the length that GET would tell is passed on.
        let tells_length = !bodiless || status == StatusCode::NOT_MODIFIED;
        if let Some(length) = self.length.filter(|_| tells_length) {
            self.fields.insert(CONTENT_LENGTH, length.into());
        }
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            self.fields.extend(self.upgrade.map(|protocol| (UPGRADE, protocol)));
        }
        let mut parts = response::Response::new(()).into_parts().0;
        parts.status = status;
        parts.headers = self.fields;
        Ok(Head { parts, framing, keeps: keeps && framing != Framing::Close })
    }
}

#[cfg(test)]
mod tests;
