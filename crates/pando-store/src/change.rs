//! What a commit changed, for those who watch.

use std::sync::Arc;

use pando_schema::Record;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
}

/// One record that a commit created, updated or deleted.
#[derive(Debug, Clone)]
pub struct Change {
    pub action: Action,
    /// The record after the change; for a delete, as it was before.
    pub record: Arc<Record>,
}
