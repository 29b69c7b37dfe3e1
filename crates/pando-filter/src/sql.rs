//! SQL text with its values kept apart, so that outside data never becomes text.
//!
//! Invariant: text enters only as `&'static str`, as a checked [`Ident`] or as a number.
//!
//! Placeholders are `?` for SQLite. For PostgreSQL they are `$1`, `$2`, … and each is cast where
//! it stands, by the kind of its value and nothing else: `$1::text` for [`SqlValue::Text`] and
//! [`SqlValue::Null`], `$1::int8` for [`SqlValue::Int`], `$1::float8` for [`SqlValue::Real`]. So a
//! driver knows the types of all parameters from the values alone and need not ask the server.

use std::fmt::Write as _;

use pando_schema::{Field, Value};

use crate::SqlValue;
use crate::postgres;

/// The database that a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    #[default]
    Sqlite,
    /// PostgreSQL 15 with the schema `pando` of helper functions.
    Postgres,
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
        let value = value.into();
        match self.dialect {
            Dialect::Sqlite => {
                self.text.push('?');
                self.values.push(value);
            }
            Dialect::Postgres => {
                // Writing into a String cannot fail.
                let _ = write!(self.text, "${}", self.values.len() + 1);
                self.text.push_str(match &value {
                    SqlValue::Null | SqlValue::Text(_) => "::text",
                    SqlValue::Int(_) => "::int8",
                    SqlValue::Real(_) => "::float8",
                });
                self.values.push(postgres::bindable(value));
            }
        }
        self
    }

    /// Appends a placeholder for what the column of `field` keeps when `value` is stored in it.
    pub fn bind_stored(&mut self, field: &Field, value: &Value) -> &mut Sql {
        match self.dialect {
            Dialect::Sqlite => self.bind(value.to_sql()),
            Dialect::Postgres => postgres::bind_stored(self, field, value),
        }
    }

    /// Appends a placeholder for the bucket of the record with that id: a `smallint`.
    pub fn bind_bucket(&mut self, id: &str) -> &mut Sql {
        self.bind(SqlValue::Int(crate::bucket(id).into()));
        match self.dialect {
            Dialect::Sqlite => self,
            Dialect::Postgres => self.push("::int2"),
        }
    }

    /// Appends that what stands before it is one of `items`; nothing is one of none.
    pub fn is_one_of(&mut self, items: &[String]) -> &mut Sql {
        match self.dialect {
            Dialect::Sqlite if items.len() == 1 => self.push(" = ").bind(items[0].as_str()),
            Dialect::Sqlite => {
                self.push(" IN (");
                for (index, item) in items.iter().enumerate() {
                    self.push(if index == 0 { "" } else { ", " }).bind(item.as_str());
                }
                self.push(")")
            }
            // One placeholder for any number of them, so that there is one plan.
            Dialect::Postgres => self.push(" = ANY(").bind_texts(items).push(")"),
        }
    }

    /// Appends one placeholder for an array of texts, which only PostgreSQL has.
    pub fn bind_texts(&mut self, items: &[String]) -> &mut Sql {
        self.bind(postgres::array_text(items)).push("::text[]")
    }

    /// Appends a quoted name.
    pub fn ident(&mut self, ident: &Ident) -> &mut Sql {
        self.quote(&ident.0);
        self
    }

    /// Appends the quoted name of a table or column, whatever is in it.
    pub fn quoted(&mut self, name: &str) -> &mut Sql {
        match self.dialect {
            Dialect::Sqlite => self.quote(&name.replace('`', "``")),
            Dialect::Postgres => self.quote(&name.replace('"', "\"\"")),
        }
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
        match self.dialect {
            // Back quotes: SQLite reads an unknown name in double quotes as a string.
            Dialect::Sqlite => {
                self.text.push('`');
                self.text.push_str(name);
                self.text.push('`');
            }
            Dialect::Postgres => {
                self.text.push('"');
                self.text.push_str(&postgres::name(name));
                self.text.push('"');
            }
        }
    }

    /// Appends the name of a column that every collection has, or that only some kinds have.
    pub(crate) fn column(&mut self, name: &'static str) -> &mut Sql {
        self.text.push('.');
        self.quote(name);
        self
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
            Dialect::Postgres => self.renumber(&other.text),
        }
        self.values.extend_from_slice(&other.values);
        self
    }

    /// Appends a statement's text, its placeholders counted on from those that are here.
    fn renumber(&mut self, text: &str) {
        let mut parts = text.split('$');
        self.text.push_str(parts.next().unwrap_or(""));
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = part.split_at(digits);
            self.text.push('$');
            // No dollar stands in a name or literal of ours, so a number always follows it.
            if let Ok(number) = number.parse::<usize>() {
                self.text.push_str(&(number + self.values.len()).to_string());
            }
            self.text.push_str(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Ident, Sql};
    use crate::SqlValue;

    #[test]
    fn parts_of_a_statement_count_on() {
        let mut part = Sql::new(Dialect::Postgres);
        part.ident(&Ident::parse("a").unwrap()).push(" = ").bind(SqlValue::Int(1));
        part.push(" OR x = ").bind(SqlValue::Null);
        let mut whole = Sql::new(Dialect::Postgres);
        whole.push("y < ").bind(SqlValue::Real(0.5)).push(" AND ").append(&part);
        assert_eq!(whole.text, r#"y < $1::float8 AND "a" = $2::int8 OR x = $3::text"#);
        assert_eq!(whole.values.len(), 3);
    }
}
