//! The body of a realtime response: events as they come (WHATWG, server-sent events).

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use pando_bus::Attendance;
use tokio::sync::mpsc;

use super::Hub;

/// Events that are written at once, if so many wait.
const EVENTS_PER_WRITE_MAX: usize = 64;

/// The stream of one client. Dropping it disconnects the client.
pub(crate) struct EventStream {
    hub: Hub,
    id: Arc<str>,
    frames: mpsc::Receiver<Bytes>,
    greeted: bool,
    /// As long as it is held, the bus brings what there is to tell.
    attendance: Option<Attendance>,
}

impl EventStream {
    pub(super) fn new(hub: Hub, id: Arc<str>, frames: mpsc::Receiver<Bytes>) -> EventStream {
        EventStream { hub, id, frames, greeted: false, attendance: None }
    }

    /// The stream, for which somebody attends.
    pub(crate) fn attended(mut self, attendance: Attendance) -> EventStream {
        self.attendance = Some(attendance);
        self
    }

    /// The next events as text, `None` when the stream is over. The first one tells the client
    /// its id.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let id = &self.id;
        if !self.greeted {
            self.greeted = true;
            let text = format!("id:{id}\nevent:PB_CONNECT\ndata:{{\"clientId\":\"{id}\"}}\n\n");
            return Poll::Ready(Some(text.into()));
        }
        let mut frames = Vec::new();
        if ready!(self.frames.poll_recv_many(context, &mut frames, EVENTS_PER_WRITE_MAX)) == 0 {
            return Poll::Ready(None);
        }
        let id_line = 4 + id.len();
        let length = frames.iter().map(|frame| id_line + frame.len()).sum();
        let mut text = BytesMut::with_capacity(length);
        for frame in frames {
            text.extend_from_slice(b"id:");
            text.extend_from_slice(id.as_bytes());
            text.extend_from_slice(b"\n");
            text.extend_from_slice(&frame);
        }
        Poll::Ready(Some(text.freeze()))
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.hub.disconnect(&self.id);
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EventStream")
            .field("greeted", &self.greeted)
            .finish_non_exhaustive()
    }
}
