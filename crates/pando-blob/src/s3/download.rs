//! Reads objects: the head of one at once, the rest as it is asked for.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ETAG, IF_MATCH, RANGE};
use http::{HeaderValue, Method, StatusCode};
use hyper::body::Incoming;

use super::client::{Attempts, Call};
use super::describe::attributes_of;
use super::{Client, S3Error};
use crate::object::{Content, WHOLE_BYTES_MAX};
use crate::{Attributes, BlobError, Object};

/// An object whose beginning is at hand.
pub(crate) struct Remote {
    client: Arc<Client>,
    key: String,
    /// All reads are of this version of it.
    version: Option<HeaderValue>,
    head: Bytes,
}

/// Opens an object. Small ones are read whole, in the same request.
pub(super) async fn open(client: &Arc<Client>, key: &str) -> Result<Object, BlobError> {
    let mut attempts = client.attempts();
    loop {
        match try_open(client, key).await {
            Ok(object) => return Ok(object),
            Err(error) if is_unsatisfiable(&error) => return open_empty(client, key).await,
            Err(error) if attempts.another(&error).await => {}
            Err(error) => return Err(BlobError::bucket("read", key, error)),
        }
    }
}

async fn try_open(client: &Arc<Client>, key: &str) -> Result<Object, S3Error> {
    let range = HeaderValue::try_from(format!("bytes=0-{}", WHOLE_BYTES_MAX - 1));
    let headers = vec![(RANGE, range.expect("digits"))];
    let answer = client.attempt(&Call { headers, ..Call::new(Method::GET, key) }).await?;
    let whole = answer.status() == StatusCode::OK;
    let (parts, body) = answer.into_parts();
    let attributes = attributes_of(&parts.headers).ok_or_else(|| client.malformed("no size"))?;
    // A server that knows no ranges sends everything; the rest is asked for again.
    let head = match whole && attributes.size_bytes > WHOLE_BYTES_MAX {
        true => Bytes::new(),
        false => client.read(body).await?,
    };
    if head.len() as u64 == attributes.size_bytes {
        return Ok(Object { attributes, content: Content::Memory(head) });
    }
    if !whole && head.len() as u64 != attributes.size_bytes.min(WHOLE_BYTES_MAX) {
        return Err(client.malformed("another length than announced"));
    }
    let version = parts.headers.get(ETAG).cloned();
    let remote = Remote { client: Arc::clone(client), key: key.to_owned(), version, head };
    Ok(Object { attributes, content: Content::Remote(Arc::new(remote)) })
}

/// An empty object has no first byte to ask for.
async fn open_empty(client: &Client, key: &str) -> Result<Object, BlobError> {
    let attributes = attributes(client, key).await?;
    match attributes.size_bytes {
        0 => Ok(Object { attributes, content: Content::Memory(Bytes::new()) }),
        _ => Err(BlobError::bucket("read", key, client.malformed("no ranges of an object"))),
    }
}

/// What is known of an object.
pub(super) async fn attributes(client: &Client, key: &str) -> Result<Attributes, BlobError> {
    let failed = |error| BlobError::bucket("inspect", key, error);
    let answer = client.send(&Call::new(Method::HEAD, key)).await.map_err(failed)?;
    attributes_of(answer.headers()).ok_or_else(|| failed(client.malformed("no size")))
}

/// The entity tag of an object, without quotes.
pub(super) async fn tag(client: &Client, key: &str) -> Result<String, BlobError> {
    let answer = client.send(&Call::new(Method::HEAD, key)).await;
    let answer = answer.map_err(|error| BlobError::bucket("inspect", key, error))?;
    let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    Ok(tag.trim_matches('"').to_owned())
}

fn is_unsatisfiable(error: &S3Error) -> bool {
    matches!(error, S3Error::Refused { status: 416, .. })
}

/// A range of an object on its way.
pub(crate) struct Download {
    remote: Arc<Remote>,
    at: u64,
    end: u64,
    body: Option<Incoming>,
    attempts: Attempts,
}

impl Download {
    pub(crate) fn new(remote: &Arc<Remote>, range: Range<u64>) -> Download {
        let (remote, attempts) = (Arc::clone(remote), remote.client.attempts());
        Download { remote, at: range.start, end: range.end, body: None, attempts }
    }

    /// The next piece; never empty. Must not be asked for at the end. Where a connection breaks it
    /// goes on in another one.
    pub(crate) async fn next(&mut self) -> Result<Bytes, BlobError> {
        let head = &self.remote.head;
        if let Some(start) = usize::try_from(self.at).ok().filter(|at| *at < head.len()) {
            let end = usize::try_from(self.end).unwrap_or(usize::MAX).min(head.len());
            self.at = end as u64;
            return Ok(head.slice(start..end));
        }
        loop {
            match self.try_next().await {
                Ok(piece) => {
                    self.at += piece.len() as u64;
                    self.attempts = self.remote.client.attempts();
                    return Ok(piece);
                }
                Err(error) => {
                    self.body = None;
                    if !self.attempts.another(&error).await {
                        return Err(BlobError::bucket("read", &self.remote.key, error));
                    }
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Bytes, S3Error> {
        let client = Arc::clone(&self.remote.client);
        let mut body = match self.body.take() {
            Some(body) => body,
            None => self.request().await?,
        };
        loop {
            let piece = client.piece_of(&mut body).await?;
            let piece = piece.ok_or_else(|| client.broken("the answer ended too soon"))?;
            let piece = piece.map_err(|error| client.broken(error))?;
            let Ok(mut data) = piece.into_data() else { continue };
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            data.truncate(left);
            if !data.is_empty() {
                self.body = Some(body);
                return Ok(data);
            }
        }
    }

    async fn request(&self) -> Result<Incoming, S3Error> {
        let Remote { client, key, version, .. } = &*self.remote;
        let range = HeaderValue::try_from(format!("bytes={}-{}", self.at, self.end - 1));
        let mut headers = vec![(RANGE, range.expect("digits"))];
        headers.extend(version.clone().map(|version| (IF_MATCH, version)));
        let answer = client.attempt(&Call { headers, ..Call::new(Method::GET, key) }).await?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => Ok(answer.into_body()),
            _ => Err(client.malformed("no ranges of an object")),
        }
    }
}
