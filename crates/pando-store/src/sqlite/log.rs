//! How long the write-ahead log is, and when it is to be written back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::StoreError;

/// Pages in the log from which on it is written back; SQLite's own choice.
const PAGES_BEFORE_BACK: u32 = 1_000;

/// Follows the log of one connection.
pub(crate) struct LogLength {
    pages: Arc<AtomicU32>,
    /// The length at which to write it back.
    due_pages: u32,
}

impl LogLength {
    /// Follows the log of `db`, instead of SQLite's writing it back inside a commit.
    pub(crate) fn of(db: &mut rusqlite::Connection) -> Result<LogLength, StoreError> {
        let pages = Arc::new(AtomicU32::new(0));
        let noted = Arc::clone(&pages);
        db.wal_hook(Some(move |_log: &mut rusqlite::hooks::Wal, length| {
            noted.store(u32::try_from(length).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(LogLength { pages, due_pages: PAGES_BEFORE_BACK })
    }

    /// Whether the log is to be written back now.
    pub(crate) fn is_due(&mut self) -> bool {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < PAGES_BEFORE_BACK {
            self.due_pages = PAGES_BEFORE_BACK;
        }
        pages >= self.due_pages
    }

    /// Waits until the log starts over, or has grown by as much again where a slow reader still
    /// needs it.
    pub(crate) fn postpone(&mut self) {
        self.due_pages = self.pages.load(Ordering::Relaxed).saturating_add(PAGES_BEFORE_BACK);
    }
}
