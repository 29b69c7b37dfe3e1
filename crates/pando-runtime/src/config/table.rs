//! A table of the configuration: its keys, their words and defaults in one declaration.

use std::{collections::BTreeMap, fs};

use toml::Value;

use super::{Origin, Origins, Problems, Setting};

/// A secret file holds one password, key or token.
const SECRET_BYTES_MAX: usize = 64 << 10;

/// What is known about a key without reading any configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    /// Its doc comment, a line each.
    pub doc: &'static [&'static str],
    /// What a value must be, as in "must be …".
    pub expects: &'static str,
    pub secret: bool,
}

/// The keys of a table. Implemented by [`config_table!`](crate::config_table).
pub trait Keys: Default {
    const NAME: &'static str;
    const DOC: &'static [&'static str];
    const KEYS: &'static [Key];

    /// Takes what was given for this table; what is wrong becomes a problem and its default.
    fn read(given: &mut Given<'_>) -> Self;

    /// The values in the order of [`Keys::KEYS`], secrets hidden.
    fn values(&self) -> Vec<Value>;
}

/// A table that knows what is valid.
pub trait Table: Keys {
    /// Fills in defaults that depend on other keys; `origins` tells which keys were given.
    fn settle(&mut self, _origins: &Origins) {}

    /// Adds every mistake, not only the first, with the key that the operator must change.
    fn check(&self, problems: &mut Problems);
}

#[derive(Debug)]
pub(super) struct Cell {
    pub value: CellValue,
    pub origin: Origin,
}

#[derive(Debug)]
pub(super) enum CellValue {
    Toml(Value),
    Text(String),
}

/// What was given for one table.
pub struct Given<'a> {
    pub(super) table: &'static str,
    pub(super) cells: &'a mut BTreeMap<String, Cell>,
    pub(super) problems: &'a mut Problems,
}

impl Given<'_> {
    /// The value of `key`, or `default` if none or a wrong one was given.
    pub fn take<T: Setting>(&mut self, key: &str, default: T) -> T {
        let key = format!("{}.{key}", self.table);
        let direct = self.cells.remove(&key);
        if T::SECRET
            && let Some(file) = self.cells.remove(&format!("{key}_file"))
        {
            if direct.is_some() {
                self.problems.add(&key, format!("must not be given beside {key}_file"));
            }
            return self.take_from_file(&format!("{key}_file"), file).unwrap_or(default);
        }
        let Some(cell) = direct else { return default };
        let (value, shown) = match cell.value {
            CellValue::Toml(value) => (T::from_toml(&value), value),
            CellValue::Text(text) => (T::from_text(&text), Value::String(text)),
        };
        value.unwrap_or_else(|| {
            let not = if T::SECRET { String::new() } else { format!(", not {shown}") };
            self.problems.add(&key, format!("must be {}{not}", T::EXPECTS));
            default
        })
    }

    fn take_from_file<T: Setting>(&mut self, key: &str, cell: Cell) -> Option<T> {
        let path = match cell.value {
            CellValue::Text(path) | CellValue::Toml(Value::String(path)) => path,
            CellValue::Toml(_) => {
                self.problems.add(key, "must be the path of a file");
                return None;
            }
        };
        match fs::read_to_string(&path) {
            Ok(text) if text.len() > SECRET_BYTES_MAX => {
                self.problems.add(key, format!("names {path:?}, which is larger than 64 KiB"));
                None
            }
            Ok(text) => T::from_text(text.trim_end_matches(['\r', '\n'])),
            Err(error) => {
                self.problems.add(key, format!("names {path:?}, which cannot be read: {error}"));
                None
            }
        }
    }
}

/// Declares a table of the configuration: struct, defaults, words and reading in one place.
///
/// The doc comments are the reference page, so they speak to operators. The crate implements
/// [`Table`] beside it, to check the values.
///
/// ```ignore
/// config_table! {
///     /// The cache in front of the API.
///     pub struct EdgeConfig = "edge" {
///         /// Memory for cached responses.
///         pub memory_max: ByteSize = ByteSize::mib(64),
///     }
/// }
/// ```
#[macro_export]
macro_rules! config_table {
    (
        $(#[doc = $table_doc:literal])*
        $vis:vis struct $Table:ident = $name:literal {
            $(
                $(#[doc = $doc:literal])*
                pub $key:ident: $Type:ty = $default:expr,
            )*
        }
    ) => {
        $(#[doc = $table_doc])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $Table {
            $(
                $(#[doc = $doc])*
                pub $key: $Type,
            )*
        }

        impl Default for $Table {
            fn default() -> $Table {
                $Table { $($key: $default,)* }
            }
        }

        impl $crate::config::Keys for $Table {
            const NAME: &'static str = $name;
            const DOC: &'static [&'static str] = &[$($table_doc),*];
            const KEYS: &'static [$crate::config::Key] = &[
                $($crate::config::Key {
                    name: stringify!($key),
                    doc: &[$($doc),*],
                    expects: <$Type as $crate::config::Setting>::EXPECTS,
                    secret: <$Type as $crate::config::Setting>::SECRET,
                },)*
            ];

            fn read(given: &mut $crate::config::Given<'_>) -> $Table {
                let default = $Table::default();
                $Table { $($key: given.take(stringify!($key), default.$key),)* }
            }

            fn values(&self) -> Vec<$crate::config::Value> {
                vec![$($crate::config::Setting::to_toml(&self.$key)),*]
            }
        }
    };
}
