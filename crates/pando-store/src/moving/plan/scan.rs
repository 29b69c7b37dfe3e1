//! Looks at every value: what cannot be stored, and what will be stored in another form.

use std::collections::BTreeMap;

use bytes::BytesMut;
use pando_schema::SqlValue;
use rusqlite::types::ValueRef;

use super::Plan;
use crate::moving::cells;
use crate::moving::error::MoveError;
use crate::moving::rows::Piece;
use crate::moving::source::Source;
use crate::moving::table::Table;

/// Rows that are looked at in one read of the database.
const PIECE_ROWS: usize = 4_000;

/// Characters of a value that are shown.
const SHOWN_MAX: usize = 60;

/// Values of one field of which the same is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub collection: String,
    pub field: String,
    pub what: String,
    pub count: u64,
    /// The id of the first record.
    pub example_id: String,
    /// Its value now, cut off if it is long.
    pub before: String,
    /// Its value after the move; empty for an obstacle.
    pub after: String,
}

/// What was seen of a table.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) rows: usize,
    pub(super) bytes: u64,
    /// By field and what there is to say.
    normalised: BTreeMap<(usize, String), Finding>,
    obstacles: BTreeMap<(usize, String), Finding>,
}

impl Scan {
    /// Looks at the next rows.
    pub(super) fn piece(
        &mut self,
        source: &Source,
        table: &Table,
        after: i64,
    ) -> Result<Piece, MoveError> {
        let mut count = 0;
        let mut room = BytesMut::new();
        source.each_row(table, after, |row| {
            count += 1;
            self.rows += 1;
            room.clear();
            for index in 0..table.columns.len() {
                self.cell(table, index, row, &mut room)?;
            }
            self.bytes += u64::try_from(room.len()).unwrap_or(u64::MAX);
            Ok(count < PIECE_ROWS)
        })
    }

    fn cell(
        &mut self,
        table: &Table,
        index: usize,
        row: &rusqlite::Row<'_>,
        room: &mut BytesMut,
    ) -> Result<(), MoveError> {
        let cell = row.get_ref(index + 1)?;
        let (group, what, after) = match table.columns[index].kind.stored(cell) {
            Ok(stored) => {
                cells::put(&stored, room);
                let Some(what) = change(cell, &stored) else { return Ok(()) };
                (&mut self.normalised, what.to_owned(), shown_value(&stored))
            }
            Err(obstacle) => (&mut self.obstacles, obstacle.to_string(), String::new()),
        };
        let finding = group.entry((index, what.clone())).or_insert_with(|| Finding {
            collection: table.name.clone(),
            field: table.columns[index].name.clone(),
            what,
            count: 0,
            example_id: row.get_ref(table.id_index() + 1).map(shown_cell).unwrap_or_default(),
            before: shown_cell(cell),
            after,
        });
        finding.count += 1;
        Ok(())
    }

    pub(super) fn finish(self, plan: &mut Plan) {
        plan.normalised.extend(self.normalised.into_values());
        plan.obstacles.extend(self.obstacles.into_values());
    }
}

/// What happens to a value that is stored in another form.
fn change(cell: ValueRef<'_>, stored: &SqlValue) -> Option<&'static str> {
    match (cell, stored) {
        (ValueRef::Null, SqlValue::Null) => None,
        (ValueRef::Null, _) => Some("NULL becomes the empty value"),
        (ValueRef::Text(bytes), SqlValue::Text(text)) if bytes == text.as_bytes() => None,
        (ValueRef::Integer(number), SqlValue::Int(stored)) if number == *stored => None,
        #[expect(clippy::cast_precision_loss, reason = "a loss is what is looked for")]
        #[expect(clippy::cast_possible_truncation, reason = "compared with what it came from")]
        (ValueRef::Integer(number), SqlValue::Real(stored))
            if number as f64 == *stored && *stored as i64 == number =>
        {
            None
        }
        (ValueRef::Integer(_), SqlValue::Real(_)) => {
            Some("digits beyond the 15 that numbers have are rounded, as clients see them")
        }
        (ValueRef::Real(number), SqlValue::Real(stored)) if number == *stored => None,
        // SQLite turns texts that are numbers into numbers in columns of this kind.
        (ValueRef::Integer(_) | ValueRef::Real(_), SqlValue::Text(_)) => None,
        (ValueRef::Blob(bytes), SqlValue::Text(text)) if bytes == text.as_bytes() => {
            Some("bytes become text")
        }
        (ValueRef::Text(_) | ValueRef::Blob(_), SqlValue::Null) => Some("becomes null"),
        (_, SqlValue::Text(_)) => Some("is stored as clients see it"),
        (_, SqlValue::Real(_)) => Some("becomes a number"),
        (_, SqlValue::Int(_)) => Some("becomes true or false"),
        (_, SqlValue::Null) => Some("becomes null"),
    }
}

fn shown_cell(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => cut(&String::from_utf8_lossy(bytes)),
    }
}

fn shown_value(value: &SqlValue) -> String {
    match value {
        SqlValue::Null => "null".to_owned(),
        SqlValue::Int(number) => (*number != 0).to_string(),
        SqlValue::Real(number) => number.to_string(),
        SqlValue::Text(text) => cut(text),
    }
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
