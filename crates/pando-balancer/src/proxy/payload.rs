//! The body of a request: small ones are read before an upstream is asked.
//!
//! So an upstream never waits for a slow client, head and body go in one piece, and the request
//! can be sent again.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::header::EXPECT;
use http::request::Parts;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use crate::answers::OwnAnswer;
use crate::outgoing::{self, BodyLength};
use crate::settings::Settings;
use crate::upstream::{Broken, Outgoing};

/// See [the module](self).
pub(crate) struct Payload {
    pub(crate) length: BodyLength,
    kept: Kept,
    /// The client waits for a word before it sends.
    pub(crate) expect: bool,
}

enum Kept {
    Nothing,
    Whole(Bytes),
    Stream(Incoming),
    /// It was a stream and has been given away.
    Gone,
}

impl Payload {
    pub(crate) async fn read(
        head: &Parts,
        body: Incoming,
        settings: &Settings,
    ) -> Result<Payload, OwnAnswer> {
        let length = outgoing::body_length(head, body.is_end_stream());
        let kept = match length {
            BodyLength::None | BodyLength::Known(0) => Kept::Nothing,
            BodyLength::Known(length) if length <= settings.replay_bytes_max => {
                Kept::Whole(read_whole(body, length, settings).await?)
            }
            BodyLength::Known(_) | BodyLength::Chunked => Kept::Stream(body),
        };
        let streams = matches!(kept, Kept::Stream(_));
        Ok(Payload { length, kept, expect: streams && head.headers.contains_key(EXPECT) })
    }

    /// Whether it can still be sent.
    pub(crate) fn replayable(&self) -> bool {
        !matches!(self.kept, Kept::Gone)
    }

    /// What is sent now. A stream can be sent only once.
    pub(crate) fn take(&mut self) -> Outgoing {
        match std::mem::replace(&mut self.kept, Kept::Gone) {
            Kept::Nothing => {
                self.kept = Kept::Nothing;
                Outgoing::Nothing
            }
            Kept::Whole(bytes) => {
                self.kept = Kept::Whole(bytes.clone());
                Outgoing::Whole(bytes)
            }
            Kept::Stream(body) => Outgoing::Stream {
                body,
                chunked: self.length == BodyLength::Chunked,
                waits: self.expect,
            },
            Kept::Gone => Outgoing::Nothing,
        }
    }
}

/// Reads a body that announced `length`, which hyper enforces.
async fn read_whole(
    mut body: Incoming,
    length: u64,
    settings: &Settings,
) -> Result<Bytes, OwnAnswer> {
    let mut first: Option<Bytes> = None;
    let mut joined = BytesMut::new();
    loop {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let in_time = timeout(settings.patience.client, frame).await;
        let frame = in_time.map_err(|_elapsed| OwnAnswer::from(&Broken::ClientTooSlow))?;
        match frame {
            None => break,
            Some(Err(error)) => return Err(OwnAnswer::from(&Broken::Client(error))),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                match &first {
                    // Most come in one piece.
                    None if joined.is_empty() => first = Some(data),
                    _ => {
                        if let Some(first) = first.take() {
                            joined.reserve(usize::try_from(length).unwrap_or(0));
                            joined.extend_from_slice(&first);
                        }
                        joined.extend_from_slice(&data);
                    }
                }
            }
        }
    }
    Ok(first.unwrap_or_else(|| joined.freeze()))
}
