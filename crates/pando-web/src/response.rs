//! What a handler answers with.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::body::{Frame, SizeHint};
use pando_blob::ObjectReader;
use pando_schema::Picker;
use serde_json::Value as Json;
use tokio::sync::mpsc;

use crate::ApiError;
use crate::realtime::EventStream;
use crate::request::Request;

pub(crate) type Response = http::Response<Body>;

/// The body of a response: all at once, or as it comes.
#[derive(Debug, Default)]
pub(crate) enum Body {
    #[default]
    Empty,
    Full(Bytes),
    /// Parts of files and text between them, one after the other. A file that cannot be read to
    /// its end cuts the connection off, so that the client never takes half for the whole.
    Pieces {
        pieces: VecDeque<Piece>,
        bytes_left: u64,
    },
    /// Chunks that others send, until the sender is dropped.
    Stream {
        chunks: mpsc::Receiver<std::io::Result<Bytes>>,
        length: Option<u64>,
    },
    /// Realtime events, until the hub ends them.
    Events(EventStream),
}

/// A part of a body.
#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Bytes),
    File(ObjectReader),
}

impl Piece {
    fn bytes_left(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::File(reader) => reader.remaining_bytes(),
        }
    }
}

impl Body {
    pub(crate) fn pieces(pieces: impl IntoIterator<Item = Piece>) -> Body {
        let pieces: VecDeque<Piece> = pieces.into_iter().collect();
        let bytes_left = pieces.iter().map(Piece::bytes_left).sum();
        Body::Pieces { pieces, bytes_left }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match &mut *self {
            Body::Empty => Poll::Ready(None),
            Body::Full(_) => match std::mem::take(&mut *self) {
                Body::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                _ => Poll::Ready(None),
            },
            Body::Pieces { pieces, bytes_left } => {
                let chunk = ready!(poll_pieces(pieces, context));
                if let Some(Ok(bytes)) = &chunk {
                    *bytes_left -= bytes.len() as u64;
                }
                Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data)))
            }
            Body::Events(events) => {
                events.poll_next(context).map(|text| text.map(|text| Ok(Frame::data(text))))
            }
            Body::Stream { chunks, .. } => {
                chunks.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Empty => true,
            Body::Pieces { bytes_left, .. } => *bytes_left == 0,
            Body::Full(_) | Body::Stream { .. } | Body::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Empty => SizeHint::with_exact(0),
            Body::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Pieces { bytes_left, .. } => SizeHint::with_exact(*bytes_left),
            Body::Stream { length: Some(length), .. } => SizeHint::with_exact(*length),
            Body::Stream { length: None, .. } | Body::Events(_) => SizeHint::default(),
        }
    }
}

fn poll_pieces(
    pieces: &mut VecDeque<Piece>,
    context: &mut Context<'_>,
) -> Poll<Option<std::io::Result<Bytes>>> {
    loop {
        match pieces.front_mut() {
            None => return Poll::Ready(None),
            Some(Piece::Bytes(bytes)) => {
                let bytes = std::mem::take(bytes);
                pieces.pop_front();
                if !bytes.is_empty() {
                    return Poll::Ready(Some(Ok(bytes)));
                }
            }
            Some(Piece::File(reader)) => match ready!(reader.poll_next(context)) {
                Some(chunk) => return Poll::Ready(Some(chunk.map_err(std::io::Error::other))),
                None => {
                    pieces.pop_front();
                }
            },
        }
    }
}

/// Marks an answer that other sites may show in a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frameable;

/// A JSON answer from text that is JSON already.
pub(crate) fn json_text(status: StatusCode, text: impl Into<Bytes>) -> Response {
    let mut response = http::Response::new(Body::Full(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(crate) fn json(status: StatusCode, value: &Json) -> Response {
    json_text(status, value.to_string())
}

pub(crate) fn no_content() -> Response {
    let mut response = http::Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

pub(crate) fn failure(error: &ApiError) -> Response {
    let mut response = json(error.status, &error.body());
    if let Some(seconds) = error.retry_after_seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// What the `fields` parameter of a request picks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// The answer itself.
    Answer,
    /// The items of a page; what is around them stays.
    Items,
}

/// `response` with only those fields of its JSON that the request's `fields` parameter names.
pub(crate) fn picked(request: &Request, response: Response, from: Pick) -> Response {
    let wanted = request.query.first("fields");
    if wanted.is_empty() || !response.status().is_success() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = match body {
        Body::Full(text) => text,
        other => return http::Response::from_parts(parts, other),
    };
    match pick(wanted, &text, from) {
        Ok(text) => http::Response::from_parts(parts, Body::Full(text)),
        Err(error) => failure(&ApiError::bad_request("").caused_by(error)),
    }
}

fn pick(wanted: &str, text: &[u8], from: Pick) -> anyhow::Result<Bytes> {
    let picker = Picker::parse(wanted)?;
    let mut answer: Json = serde_json::from_slice(text)?;
    match from {
        Pick::Answer => picker.pick(&mut answer),
        Pick::Items => {
            if let Some(items) = answer.get_mut("items") {
                picker.pick(items);
            }
        }
    }
    Ok(answer.to_string().into())
}
