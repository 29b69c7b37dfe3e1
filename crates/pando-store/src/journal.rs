//! The journal: what servers on one database learn from each other, all of them in the same order.
//!
//! Each commit that changes records leaves an entry in the database, and so does what one server
//! has to tell the others. Entries are numbered; a number that never gets an entry belongs to a
//! transaction that was undone.
//!
//! Invariant: entries about one record are in the order of the commits that changed it.

mod codec;

use std::sync::Arc;

use crate::Change;

/// What an entry tells may be this large; beyond that, who watches must read afresh.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 20;

/// A message from one server to others may be this large.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// What stands in one entry.
#[derive(Debug, Clone)]
pub enum Body {
    /// Records that a commit changed.
    Changes(Arc<[Change]>),
    /// What a server tells the others.
    Message(Arc<str>),
    /// Nothing but that collections or settings may have changed.
    Nothing,
    /// More changes than an entry can hold.
    TooMany,
}

/// An entry as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub number: u64,
    /// The server that wrote it.
    pub server: Arc<str>,
    /// The version of collections and settings that its writer knew or made.
    pub version: u64,
    /// The body as JSON.
    pub text: Arc<str>,
}

impl Entry {
    /// Whether it is about records.
    pub fn tells_changes(&self) -> bool {
        self.text.starts_with(codec::CHANGES)
    }
}

/// What this server has written.
#[derive(Debug, Clone)]
pub enum Own {
    /// A commit or a message. Without an entry, no other server is there to learn of it.
    Written { entry: Option<Entry>, body: Body },
    /// A number that never gets an entry.
    Void(u64),
}

pub use codec::BadEntry;
