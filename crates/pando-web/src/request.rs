//! A request as the handlers see it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use pando_blob::Staging;
use pando_schema::Record;

use crate::ApiError;
use crate::arriving::Arriving;
use crate::submission::{self, Submission};

/// One HTTP request, or one request inside a batch.
#[derive(Debug)]
pub(crate) struct Request {
    pub method: Method,
    /// Path and query as they were sent.
    pub uri: http::Uri,
    /// The parts of the path between slashes, decoded.
    pub segments: Vec<String>,
    pub query: Query,
    pub headers: HeaderMap,
    /// The address of the peer, which may be a proxy.
    pub remote_ip: IpAddr,
    /// Who sent it, if a valid token came with it.
    pub auth: Option<Arc<Record>>,
    /// Whether it is one of a batch.
    pub in_batch: bool,
    body: Body,
    /// The body as it came, if it is small enough to be kept for another try.
    kept: Option<Bytes>,
    /// How long its body may take to arrive.
    body_timeout: Duration,
}

#[derive(Debug)]
enum Body {
    Unread(Arriving),
    Read(Submission),
}

impl Request {
    pub(crate) fn new(
        parts: http::request::Parts,
        body: Arriving,
        remote_ip: IpAddr,
        body_timeout: Duration,
    ) -> Request {
        Request {
            method: parts.method,
            segments: segments(parts.uri.path()),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            uri: parts.uri,
            headers: parts.headers,
            remote_ip,
            auth: None,
            in_batch: false,
            body: Body::Unread(body),
            kept: None,
            body_timeout,
        }
    }

    /// A request of a batch, with its body read already.
    pub(crate) fn inner(
        &self,
        method: Method,
        uri: http::Uri,
        headers: HeaderMap,
        body: Submission,
    ) -> Request {
        Request {
            method,
            segments: segments(uri.path()),
            query: Query::parse(uri.query().unwrap_or_default()),
            uri,
            headers,
            remote_ip: self.remote_ip,
            auth: self.auth.clone(),
            in_batch: true,
            body: Body::Read(body),
            kept: None,
            body_timeout: self.body_timeout,
        }
    }

    /// Reads the body, of at most `bytes_max`, unless it was read before. Files in it go to
    /// `staging`.
    ///
    /// Fails with 413 if it is larger, with 400 if it is not what its content type says.
    pub(crate) async fn submission(
        &mut self,
        staging: &Staging,
        bytes_max: u64,
    ) -> Result<&mut Submission, ApiError> {
        if let Body::Unread(_) = self.body {
            let unread = std::mem::replace(&mut self.body, Body::Read(Submission::default()));
            if let Body::Unread(incoming) = unread {
                let read =
                    submission::read(&self.headers, &self.query, incoming, staging, bytes_max);
                let in_time = tokio::time::timeout(self.body_timeout, read).await;
                let (submission, bytes) = in_time.map_err(|_elapsed| too_slow())??;
                self.kept = bytes.filter(|bytes| bytes.len() <= KEPT_BYTES_MAX);
                self.body = Body::Read(submission);
            }
        }
        match &mut self.body {
            Body::Read(submission) => Ok(submission),
            Body::Unread(_) => Err(ApiError::bad_request("")),
        }
    }

    /// Makes it as it was when it came, for another try. False if its body is not there any more.
    pub(crate) fn rewind(&mut self) -> bool {
        if let Body::Read(_) = self.body {
            let Some(bytes) = &self.kept else { return false };
            let Ok(submission) = submission::again(&self.headers, &self.query, bytes) else {
                return false;
            };
            self.body = Body::Read(submission);
        }
        self.segments = segments(self.uri.path());
        self.auth = None;
        true
    }

    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether a superuser sent it.
    pub(crate) fn by_superuser(&self) -> bool {
        self.auth.as_ref().is_some_and(|auth| is_superuser(auth))
    }
}

/// Bodies up to this size are kept while the request runs.
const KEPT_BYTES_MAX: usize = 1 << 20;

fn too_slow() -> ApiError {
    let words = "The request body took too long to arrive.";
    ApiError::new(http::StatusCode::REQUEST_TIMEOUT, words)
}

/// Whether `record` is a superuser, to whom no rule applies.
pub(crate) fn is_superuser(record: &Record) -> bool {
    record.collection.name == SUPERUSERS
}

/// The collection of those to whom no rule applies.
pub(crate) const SUPERUSERS: &str = "_superusers";

/// The parameters of a query string, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    /// Whether something was left out.
    broken: bool,
}

/// Of more parameters than this Go's `net/url` takes none.
const PARAMETERS_MAX: usize = 10_000;

impl Query {
    /// Pairs that cannot be decoded are left out, as Go's `net/url` does.
    pub(crate) fn parse(text: &str) -> Query {
        let mut query = Query::default();
        if text.len() >= PARAMETERS_MAX && text.split('&').count() > PARAMETERS_MAX {
            return Query { broken: true, ..query };
        }
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            match decode_pair(pair) {
                Some(pair) => query.pairs.push(pair),
                None => query.broken = true,
            }
        }
        query
    }

    /// Whether nothing was left out.
    pub(crate) fn complete(&self) -> bool {
        !self.broken
    }

    /// The first value called `name`, else the empty text.
    pub(crate) fn first(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn decode_pair(pair: &str) -> Option<(String, String)> {
    if pair.contains(';') {
        return None;
    }
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((decode(name, Plus::Space)?, decode(value, Plus::Space)?))
}

/// What a plus sign stands for: a space in a query, itself in a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plus {
    Space,
    Plus,
}

/// The parts of `path`, without the first slash. A part that cannot be decoded stays as it is.
fn segments(path: &str) -> Vec<String> {
    let parts = path.strip_prefix('/').unwrap_or(path).split('/');
    parts.map(|part| decode(part, Plus::Plus).unwrap_or_else(|| part.to_owned())).collect()
}

/// Percent-decodes `text`. `None` if an escape is incomplete. Bytes that are not UTF-8 become
/// replacement characters.
fn decode(text: &str, plus: Plus) -> Option<String> {
    if !text.contains(['%', '+']) {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => break,
            [b'%', high, low, rest @ ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
                rest
            }
            [b'%', ..] => return None,
            [b'+', rest @ ..] if plus == Plus::Space => {
                bytes.push(b' ');
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
    Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_order_and_drops_what_cannot_be_decoded() {
        let query = Query::parse("a=1&b=x+y%26&a=2&bad=%zz&c;d=1&&e");
        let pairs: Vec<_> = query.iter().collect();
        assert_eq!(pairs, [("a", "1"), ("b", "x y&"), ("a", "2"), ("e", "")]);
        assert_eq!(query.first("a"), "1");
        assert!(!query.complete() && Query::parse("a=%20&&b").complete());
        let many = |count: usize| Query::parse(&vec!["a"; count].join("&"));
        assert_eq!((many(10_000).iter().count(), many(10_001).iter().count()), (10_000, 0));
    }

    #[test]
    fn path_segments_are_decoded_one_by_one() {
        assert_eq!(segments("/api/a%2Fb/c+d/"), ["api", "a/b", "c+d", ""]);
    }
}
