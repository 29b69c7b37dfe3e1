//! The SQLite column of a field.
//!
//! Source: the `ColumnType` functions in PocketBase `core/field_*.go`.

use crate::{Field, FieldKind};

/// The default is a last resort for rows that are inserted by hand.
const PRIMARY_KEY: &str = "TEXT PRIMARY KEY DEFAULT ('r'||lower(hex(randomblob(7)))) NOT NULL";
const TEXT: &str = "TEXT DEFAULT '' NOT NULL";
const LIST: &str = "JSON DEFAULT '[]' NOT NULL";

impl Field {
    /// Type, default and constraints of the field's column in SQLite, as PocketBase declares it.
    pub fn column_definition(&self) -> &'static str {
        match &self.kind {
            FieldKind::Text { primary_key: true, .. } => PRIMARY_KEY,
            FieldKind::Text { .. }
            | FieldKind::Editor { .. }
            | FieldKind::Email { .. }
            | FieldKind::Url { .. }
            | FieldKind::Date { .. }
            | FieldKind::Autodate { .. }
            | FieldKind::Password { .. } => TEXT,
            FieldKind::Number { .. } => "NUMERIC DEFAULT 0 NOT NULL",
            FieldKind::Bool { .. } => "BOOLEAN DEFAULT FALSE NOT NULL",
            FieldKind::Json { .. } => "JSON DEFAULT NULL",
            FieldKind::GeoPoint { .. } => r#"JSON DEFAULT '{"lon":0,"lat":0}' NOT NULL"#,
            FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. } => {
                if self.multiple() {
                    LIST
                } else {
                    TEXT
                }
            }
        }
    }
}
