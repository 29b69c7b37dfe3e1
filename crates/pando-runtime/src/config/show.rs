//! The effective configuration as TOML, and the reference page, from the same declarations.

use std::fmt::Write as _;

use toml::Value;

use super::{Key, Keys, Origins};

/// The column in which `config show --origin` writes the origins, when the value leaves room.
const ORIGIN_COLUMN: usize = 44;

/// A table with its values.
pub struct TableView {
    name: &'static str,
    doc: &'static [&'static str],
    rows: Vec<(&'static Key, Value)>,
}

impl TableView {
    pub fn of<T: Keys>(table: &T) -> TableView {
        TableView { name: T::NAME, doc: T::DOC, rows: T::KEYS.iter().zip(table.values()).collect() }
    }
}

/// The tables as a `pando.toml` that reads back to the same settings; secrets are comments.
/// With `origins`, a comment behind each key says where its value was given.
pub fn render_toml(tables: &[TableView], origins: Option<&Origins>) -> String {
    let mut text = String::new();
    for table in tables {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "[{}]", table.name);
        for (key, value) in &table.rows {
            // A hidden value must not be read back.
            let comment = if key.secret { "# " } else { "" };
            let line = format!("{comment}{} = {value}", key.name);
            let _ = match origins {
                None => writeln!(text, "{line}"),
                Some(origins) => {
                    let origin = shown_origin(table.name, key, origins);
                    writeln!(text, "{line:<ORIGIN_COLUMN$} # {origin}")
                }
            };
        }
    }
    text
}

/// The reference page of all keys, in Markdown. `tables` hold the defaults.
pub fn render_reference(tables: &[TableView]) -> String {
    let mut text = String::new();
    for table in tables {
        let _ = writeln!(text, "\n## [{}]\n", table.name);
        write_doc(&mut text, table.doc);
        for (key, value) in &table.rows {
            let _ = writeln!(text, "\n### {}.{}\n", table.name, key.name);
            write_doc(&mut text, key.doc);
            let _ = write!(text, "\nMust be {}. ", key.expects);
            let _ = match key.secret {
                true => write!(
                    text,
                    "Not set by default. May be given as `{}_file`, the path of a file. ",
                    key.name
                ),
                false => write!(text, "Default: `{value}`. "),
            };
            let variable = format!("PANDO_{}__{}", table.name, key.name).to_uppercase();
            let _ = writeln!(text, "Environment: `{variable}`.");
        }
    }
    text
}

fn shown_origin(table: &str, key: &Key, origins: &Origins) -> String {
    let name = format!("{table}.{}", key.name);
    let file = format!("{name}_file");
    let from_file = key.secret && origins.0.contains_key(&file);
    origins.of(if from_file { &file } else { &name }).to_string()
}

fn write_doc(text: &mut String, doc: &[&str]) {
    for line in doc {
        let _ = writeln!(text, "{}", line.strip_prefix(' ').unwrap_or(line));
    }
}
