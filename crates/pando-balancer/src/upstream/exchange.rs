//! A request and its answer on a link: both ways at the same time, each as fast as its reader.
//!
//! *Invariants*: nothing of a message's framing comes from the other side of the proxy; a link
//! goes back to the pool only if the whole request was sent, the whole answer was read, and not a
//! byte is left over.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use hyper::body::{Body as _, Frame, Incoming};
use pando_topology::Stage;

use super::chunks::{Chunks, Piece};
use super::head::{self, Framing, Head, Malformed};
use super::link::Link;
use crate::fields;

/// More interim answers to one request are a fault.
const INTERIM_MAX: u32 = 16;
/// How long the body of a request that says `Expect: 100-continue` waits for the upstream's word.
/// RFC 9110 10.1.1 lets us go on without it.
const CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// A chunk up to that size is copied behind its size.
const COPIED_BYTES_MAX: usize = 4 << 10;

/// What is to be sent as the body of a request.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Nothing,
    /// All of it is here, so it can be sent again.
    Whole(Bytes),
    /// As it comes from the client; `chunked` when its length is not known.
    Stream {
        body: Incoming,
        chunked: bool,
        waits: bool,
    },
}

/// How long each side may do nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The client, which sends a body.
    pub(crate) client: Duration,
    /// The upstream, until its answer begins.
    pub(crate) answer: Duration,
    /// The upstream, during its answer.
    pub(crate) stream: Duration,
}

/// What matters of a request for its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// It asks for another protocol.
    pub(crate) upgrade: bool,
    /// It can be asked elsewhere, so there is no use in waiting for an upstream that is down.
    pub(crate) impatient: bool,
}

/// Why an exchange ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("failed to write to the upstream")]
    Write(#[source] io::Error),
    #[error("failed to read from the upstream")]
    Read(#[source] io::Error),
    #[error("the upstream closed the connection without an answer")]
    Closed,
    #[error("the upstream closed the connection within its answer")]
    CutShort,
    #[error("the upstream took too long")]
    TooSlow,
    #[error("the upstream is down")]
    Down,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the client ended its request early")]
    Client(#[source] hyper::Error),
    #[error("the client took too long to send its request")]
    ClientTooSlow,
}

/// A request under way, then its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) link: Link,
    outgoing: Outgoing,
    asked: Asked,
    patience: Patience,
    interim_count: u32,
    /// A large chunk of the request was sent without its end.
    chunk_open: bool,
    /// Anything of an answer has come.
    heard: bool,
    /// Sending has failed; the answer may come all the same.
    deaf: Option<Broken>,
    waiting: Waiting,
    reading: Reading,
}

/// Whom the alarm is set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Nobody,
    Client,
    Continue,
    Answer,
    Stream,
}

/// Where the answer's body is.
#[derive(Debug)]
enum Reading {
    Head,
    Length(u64),
    Chunks(Chunks),
    Close,
    Done,
}

impl Exchange {
    /// Sends the head in `link.output` and then `outgoing`.
    pub(crate) fn new(
        mut link: Link,
        outgoing: Outgoing,
        asked: Asked,
        patience: Patience,
    ) -> Exchange {
        let outgoing = match outgoing {
            Outgoing::Whole(bytes) => {
                link.payload = bytes;
                Outgoing::Nothing
            }
            other => other,
        };
        Exchange {
            link,
            outgoing,
            asked,
            patience,
            interim_count: 0,
            chunk_open: false,
            heard: false,
            deaf: None,
            waiting: Waiting::Nobody,
            reading: Reading::Head,
        }
    }

    /// How far it had come when it failed.
    pub(crate) fn stage(&self, broken: &Broken) -> Stage {
        match broken {
            _ if self.heard => Stage::Sent,
            Broken::Closed | Broken::Read(_) | Broken::Write(_) if self.link.served > 0 => {
                Stage::Stale
            }
            _ => Stage::Sent,
        }
    }

    /// The head of the final answer. `interim` gets those before it.
    pub(crate) fn poll_head(
        &mut self,
        context: &mut Context<'_>,
        interim: &mut impl FnMut(Head),
    ) -> Poll<Result<Head, Broken>> {
        let mut moved = false;
        loop {
            let sent = self.poll_send(context, &mut moved)?;
            let held_back = self.waits_for_continue();
            match self.poll_answer(context, interim, &mut moved) {
                Poll::Ready(outcome) => return Poll::Ready(outcome),
                // The body may go now.
                Poll::Pending if held_back && !self.waits_for_continue() => {}
                Poll::Pending => {
                    let waiting = self.whom_for(sent);
                    return self.wait(context, waiting, moved).map(Err);
                }
            }
        }
    }

    /// The next part of the body of the answer; `None` at its end.
    pub(crate) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let mut moved = false;
        if self.sending() {
            // An upstream that answers early may still want the rest.
            let _ = self.poll_send(context, &mut moved)?;
        }
        loop {
            match self.take_frame() {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if matches!(self.reading, Reading::Done) => return Poll::Ready(None),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
            match self.link.poll_read(context) {
                Poll::Ready(Ok(0)) if matches!(self.reading, Reading::Close) => {
                    self.reading = Reading::Done;
                    return Poll::Ready(None);
                }
                Poll::Ready(Ok(0)) => return Poll::Ready(Some(Err(Broken::CutShort))),
                Poll::Ready(Ok(_)) => moved = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(Broken::Read(error)))),
                Poll::Pending => {
                    return self.wait(context, Waiting::Stream, moved).map(|it| Some(Err(it)));
                }
            }
        }
    }

    /// Whether the whole answer has been read.
    pub(crate) fn done(&self) -> bool {
        matches!(self.reading, Reading::Done)
    }

    /// The whole body, if all of it is here already.
    pub(crate) fn take_whole(&mut self) -> Option<Bytes> {
        match self.reading {
            Reading::Length(length) if self.link.input.len() as u64 >= length => {
                self.reading = Reading::Done;
                // Not longer than the input.
                Some(self.link.input.split_to(length as usize).freeze())
            }
            _ => None,
        }
    }

    /// Whether the link can serve another request.
    pub(crate) fn reusable(&self) -> bool {
        self.done() && !self.sending() && self.deaf.is_none() && self.link.input.is_empty()
    }

    /// The link, and what came behind the head of the answer: the other protocol.
    pub(crate) fn into_link(self) -> Link {
        self.link
    }

    /// The number of bytes that are still to come, if it is known.
    pub(crate) fn length_left(&self) -> Option<u64> {
        match self.reading {
            Reading::Length(left) => Some(left),
            Reading::Done => Some(0),
            Reading::Head | Reading::Chunks(_) | Reading::Close => None,
        }
    }

    fn waits_for_continue(&self) -> bool {
        matches!(self.outgoing, Outgoing::Stream { waits: true, .. })
    }

    fn sending(&self) -> bool {
        !self.link.written() || !matches!(self.outgoing, Outgoing::Nothing)
    }

    /// Sends as much as goes. A failure is kept for later: the answer may explain it.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        moved: &mut bool,
    ) -> Result<Poll<()>, Broken> {
        if self.deaf.is_some() {
            return Ok(Poll::Ready(()));
        }
        loop {
            match self.link.poll_write(context, moved) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.deaf = Some(Broken::Write(error));
                    return Ok(Poll::Ready(()));
                }
                Poll::Pending => return Ok(Poll::Pending),
            }
            let Outgoing::Stream { body, chunked, waits } = &mut self.outgoing else {
                return Ok(Poll::Ready(()));
            };
            if *waits {
                return Ok(Poll::Pending);
            }
            let chunked = *chunked;
            match Pin::new(body).poll_frame(context) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(None) => {
                    if chunked {
                        self.end_chunk();
                        self.link.output.extend_from_slice(b"0\r\n\r\n");
                    }
                    self.outgoing = Outgoing::Nothing;
                }
                Poll::Ready(Some(Err(error))) => return Err(Broken::Client(error)),
                Poll::Ready(Some(Ok(frame))) => {
                    *moved = true;
                    self.take_in(frame, chunked);
                }
            }
        }
    }

    /// Puts a part of the request's body into the link.
    fn take_in(&mut self, frame: Frame<Bytes>, chunked: bool) {
        match frame.into_data() {
            Ok(data) if data.is_empty() => {}
            Ok(data) if chunked => self.put_chunk(data),
            Ok(data) => self.link.payload = data,
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                if chunked {
                    self.end_chunk();
                    let output = &mut self.link.output;
                    output.extend_from_slice(b"0\r\n");
                    write_trailers(output, &trailers);
                    output.extend_from_slice(b"\r\n");
                }
                self.outgoing = Outgoing::Nothing;
            }
        }
    }

    /// A small chunk is copied, so that it goes in one piece; the end of a large one, which is not,
    /// goes before what follows it.
    fn put_chunk(&mut self, data: Bytes) {
        self.end_chunk();
        let output = &mut self.link.output;
        write_chunk_size(output, data.len());
        if data.len() <= COPIED_BYTES_MAX {
            output.extend_from_slice(&data);
            output.extend_from_slice(b"\r\n");
        } else {
            self.link.payload = data;
            self.chunk_open = true;
        }
    }

    fn end_chunk(&mut self) {
        if std::mem::take(&mut self.chunk_open) {
            self.link.output.extend_from_slice(b"\r\n");
        }
    }

    fn poll_answer(
        &mut self,
        context: &mut Context<'_>,
        interim: &mut impl FnMut(Head),
        moved: &mut bool,
    ) -> Poll<Result<Head, Broken>> {
        loop {
            while let Some(head) = self.take_head()? {
                let status = head.parts.status;
                if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
                    return Poll::Ready(Ok(self.begin(head)));
                }
                self.interim_count += 1;
                if self.interim_count > INTERIM_MAX {
                    return Poll::Ready(Err(Malformed::Interim.into()));
                }
                if status == StatusCode::CONTINUE {
                    self.go_on();
                    *moved = true;
                } else {
                    interim(head);
                }
            }
            match ready!(self.link.poll_read(context)) {
                Ok(0) => return Poll::Ready(Err(self.deaf.take().unwrap_or(Broken::Closed))),
                Ok(_) => {
                    self.heard = true;
                    *moved = true;
                }
                Err(error) => {
                    let broken = self.deaf.take().unwrap_or(Broken::Read(error));
                    return Poll::Ready(Err(broken));
                }
            }
        }
    }

    fn take_head(&mut self) -> Result<Option<Head>, Malformed> {
        head::take(&mut self.link.input, &self.asked.method, self.asked.upgrade)
    }

    fn begin(&mut self, head: Head) -> Head {
        self.reading = match head.framing {
            Framing::Empty | Framing::Length(0) => Reading::Done,
            Framing::Length(length) => Reading::Length(length),
            Framing::Chunked => Reading::Chunks(Chunks::default()),
            Framing::Close => Reading::Close,
        };
        head
    }

    /// The upstream wants the body.
    fn go_on(&mut self) {
        if let Outgoing::Stream { waits, .. } = &mut self.outgoing {
            *waits = false;
        }
    }

    fn take_frame(&mut self) -> Result<Option<Frame<Bytes>>, Malformed> {
        let input = &mut self.link.input;
        match &mut self.reading {
            Reading::Head | Reading::Done => Ok(None),
            Reading::Length(_) | Reading::Close if input.is_empty() => Ok(None),
            Reading::Close => Ok(Some(Frame::data(input.split().freeze()))),
            Reading::Length(left) => {
                let there = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= there as u64;
                if *left == 0 {
                    self.reading = Reading::Done;
                }
                Ok(Some(Frame::data(input.split_to(there).freeze())))
            }
            Reading::Chunks(chunks) => match chunks.next(input)? {
                None => Ok(None),
                Some(Piece::Data(data)) => Ok(Some(Frame::data(data))),
                Some(Piece::End(trailers)) => {
                    self.reading = Reading::Done;
                    let trailers = sound_trailers(trailers);
                    Ok((!trailers.is_empty()).then(|| Frame::trailers(trailers)))
                }
            },
        }
    }

    fn whom_for(&self, sent: Poll<()>) -> Waiting {
        match (&self.outgoing, sent.is_pending() && self.link.written()) {
            (Outgoing::Stream { waits: true, .. }, true) => Waiting::Continue,
            (Outgoing::Stream { waits: false, .. }, true) => Waiting::Client,
            _ => Waiting::Answer,
        }
    }

    /// Waits for `waiting`, whose time begins anew when something has `moved`. Ready when it is
    /// over.
    fn wait(&mut self, context: &mut Context<'_>, waiting: Waiting, moved: bool) -> Poll<Broken> {
        if moved || waiting != self.waiting {
            self.waiting = waiting;
            self.link.alarm.set(match waiting {
                Waiting::Nobody | Waiting::Answer => self.patience.answer,
                Waiting::Client => self.patience.client,
                Waiting::Continue => CONTINUE_WAIT,
                Waiting::Stream => self.patience.stream,
            });
        } else if self.link.alarm.rings() {
            match waiting {
                Waiting::Client => return Poll::Ready(Broken::ClientTooSlow),
                Waiting::Nobody | Waiting::Answer | Waiting::Stream => {
                    return Poll::Ready(Broken::TooSlow);
                }
                Waiting::Continue => {
                    self.go_on();
                    self.waiting = Waiting::Nobody;
                    context.waker().wake_by_ref();
                }
            }
        }
        if self.asked.impatient && !self.heard && self.link.upstream.down() {
            return Poll::Ready(Broken::Down);
        }
        self.link.alarm.watch(context);
        Poll::Pending
    }
}

fn write_chunk_size(output: &mut Vec<u8>, size: usize) {
    use std::io::Write as _;
    // Writing into a Vec cannot fail.
    let _ = write!(output, "{size:x}\r\n");
}

fn write_trailers(output: &mut Vec<u8>, trailers: &HeaderMap) {
    for (name, value) in trailers.iter().filter(|(name, _)| fields::sound_trailer(name)) {
        output.extend_from_slice(name.as_str().as_bytes());
        output.extend_from_slice(b": ");
        output.extend_from_slice(value.as_bytes());
        output.extend_from_slice(b"\r\n");
    }
}

fn sound_trailers(mut trailers: HeaderMap) -> HeaderMap {
    let unsound: Vec<_> =
        trailers.keys().filter(|name| !fields::sound_trailer(name)).cloned().collect();
    for name in unsound {
        trailers.remove(name);
    }
    trailers
}
