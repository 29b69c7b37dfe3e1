//! SQL text with its values kept apart, so that outside data never becomes text.
//!
//! Invariant: text enters only as `&'static str`, as a checked [`Ident`] or as a number.

use crate::SqlValue;

/// The database that a statement is for. All choices that depend on it are in this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    #[default]
    Sqlite,
}

/// Room for a statement that names the columns of a usual collection.
const TEXT_BYTES_USUAL: usize = 512;

/// A name that is safe to quote: ASCII letters, digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(Box<str>);

impl Ident {
    /// `None` if `text` is empty or has any other character.
    pub fn parse(text: &str) -> Option<Ident> {
        safe(text).then(|| Ident(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn safe(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A statement, or a part of one.
///
/// Equal queries give equal text, so that a cache of prepared statements works.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sql {
    pub dialect: Dialect,
    pub text: String,
    /// One value per placeholder in `text`, in order.
    pub values: Vec<SqlValue>,
}

impl Sql {
    pub fn new(dialect: Dialect) -> Sql {
        Sql { dialect, text: String::with_capacity(TEXT_BYTES_USUAL), values: Vec::new() }
    }

    /// Appends text. `&'static` keeps run-time strings, and so injection, out.
    pub fn push(&mut self, text: &'static str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder and keeps `value` for the driver.
    pub fn bind(&mut self, value: impl Into<SqlValue>) -> &mut Sql {
        self.values.push(value.into());
        match self.dialect {
            Dialect::Sqlite => self.text.push('?'),
        }
        self
    }

    /// Appends a quoted name.
    pub fn ident(&mut self, ident: &Ident) -> &mut Sql {
        self.quote(&ident.0);
        self
    }

    /// Appends a quoted name, or NULL for one that cannot be quoted safely.
    pub(crate) fn ident_or_null(&mut self, name: &str) -> &mut Sql {
        if safe(name) {
            self.quote(name);
        } else {
            self.text.push_str("NULL");
        }
        self
    }

    fn quote(&mut self, name: &str) {
        // Back quotes: SQLite reads an unknown name in double quotes as a string.
        let quote = match self.dialect {
            Dialect::Sqlite => '`',
        };
        self.text.push(quote);
        self.text.push_str(name);
        self.text.push(quote);
    }

    /// Appends a name without quotes, for use inside a literal.
    pub(crate) fn name(&mut self, ident: &Ident) -> &mut Sql {
        self.text.push_str(&ident.0);
        self
    }

    /// Appends an integer as text, for places that take no placeholder.
    pub fn integer(&mut self, number: i64) -> &mut Sql {
        self.text.push_str(&number.to_string());
        self
    }

    /// Appends another statement with its values.
    pub fn append(&mut self, other: &Sql) -> &mut Sql {
        match self.dialect {
            // Placeholders are anonymous here: their order is all that counts.
            Dialect::Sqlite => self.text.push_str(&other.text),
        }
        self.values.extend_from_slice(&other.values);
        self
    }
}
