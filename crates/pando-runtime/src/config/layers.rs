//! Merges file, environment and flags into one map from key to value and origin.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use toml::{
    Value,
    de::{DeTable, DeValue},
};

use super::{
    Given, Origin, Origins, Problems, Sources, Table,
    sources::ENV_PREFIX,
    table::{Cell, CellValue},
};

/// A configuration file is written by hand; larger ones are a mistake.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The settings that were given, from all sources, until tables take them.
pub struct Layers {
    cells: BTreeMap<String, Cell>,
    known: Vec<String>,
    /// For checks that concern more than one table.
    pub problems: Problems,
}

impl Layers {
    /// Reads and merges all sources.
    pub fn read(sources: &Sources) -> Layers {
        let mut layers =
            Layers { cells: BTreeMap::new(), known: Vec::new(), problems: Problems::default() };
        if let Some(path) = &sources.file {
            layers.read_file(path);
        }
        for (variable, text) in &sources.env {
            layers.read_variable(variable, text);
        }
        for (key, flag, text) in &sources.flags {
            let origin = Origin::Flag { flag: (*flag).to_owned() };
            layers.put((*key).to_owned(), CellValue::Text(text.clone()), origin);
        }
        let origins = layers.cells.iter().map(|(key, cell)| (key.clone(), cell.origin.clone()));
        layers.problems.origins = Origins(origins.collect());
        layers
    }

    /// Takes the keys of table `T`, adds its problems and checks it.
    pub fn table<T: Table>(&mut self) -> T {
        for key in T::KEYS {
            self.known.push(format!("{}.{}", T::NAME, key.name));
            if key.secret {
                self.known.push(format!("{}.{}_file", T::NAME, key.name));
            }
        }
        let mut given =
            Given { table: T::NAME, cells: &mut self.cells, problems: &mut self.problems };
        let mut table = T::read(&mut given);
        table.settle(&self.problems.origins);
        table.check(&mut self.problems);
        table
    }

    /// Ends the reading: keys that no table took are problems too.
    pub fn finish(mut self) -> Result<Origins, Problems> {
        for (key, cell) in std::mem::take(&mut self.cells) {
            let problem = self.problems.add_at(&key, cell.origin, "is no known key");
            if let Some(near) = nearest(&key, &self.known) {
                problem.hint(format!("did you mean {near}?"));
            }
        }
        match self.problems.is_empty() {
            true => Ok(self.problems.origins),
            false => Err(self.problems),
        }
    }

    fn put(&mut self, key: String, value: CellValue, origin: Origin) {
        self.cells.insert(key, Cell { value, origin });
    }

    fn read_variable(&mut self, variable: &str, text: &str) {
        // One without `__` names no key: PANDO_CONFIG and the like.
        let Some((table, key)) =
            variable.strip_prefix(ENV_PREFIX).and_then(|rest| rest.split_once("__"))
        else {
            return;
        };
        let key = format!("{}.{}", table.to_lowercase(), key.to_lowercase());
        let origin = Origin::Env { variable: variable.to_owned() };
        self.put(key, CellValue::Text(text.to_owned()), origin);
    }

    fn read_file(&mut self, path: &Path) {
        let at = |line| Origin::File { path: path.to_owned(), line };
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("failed to read the configuration file: {error}");
                self.problems.add_at("", at(1), message);
                return;
            }
        };
        let line_of = |offset: usize| 1 + text[..offset].matches('\n').count();
        let document = match DeTable::parse(&text) {
            Ok(document) => document,
            Err(error) => {
                let line = line_of(error.span().map_or(0, |span| span.start.min(text.len())));
                self.problems.add_at("", at(line), error.message());
                return;
            }
        };
        for (name, value) in document.get_ref() {
            let DeValue::Table(table) = value.get_ref() else {
                let origin = at(line_of(name.span().start));
                let problem = self.problems.add_at(name.get_ref(), origin, "stands in no table");
                problem.hint("settings stand below a table line, such as [web]");
                continue;
            };
            for (key, value) in table {
                let origin = at(line_of(key.span().start));
                let key = format!("{}.{}", name.get_ref(), key.get_ref());
                self.put(key, CellValue::Toml(plain(value.get_ref())), origin);
            }
        }
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    match text.len() as u64 > FILE_BYTES_MAX {
        true => Err(std::io::Error::other("larger than 1 MiB")),
        false => Ok(text),
    }
}

/// The value without its position in the file.
fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str();
            // What does not fit is kept as text, which no number accepts.
            i64::from_str_radix(digits, number.radix())
                .map_or_else(|_| Value::String(digits.to_owned()), Value::Integer)
        }
        DeValue::Float(number) => {
            number.as_str().parse().map_or_else(|_| Value::Float(f64::NAN), Value::Float)
        }
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(value) => Value::Datetime(*value),
        DeValue::Array(items) => Value::Array(items.iter().map(|i| plain(i.get_ref())).collect()),
        DeValue::Table(table) => Value::Table(
            table.iter().map(|(k, v)| (k.get_ref().to_string(), plain(v.get_ref()))).collect(),
        ),
    }
}

/// The known key that `key` was most likely meant to be.
fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a String> {
    let (table, name) = key.split_once('.')?;
    let distance_to = |candidate: &str| {
        let (known_table, known_name) = candidate.split_once('.')?;
        let (tables, names) = (distance(table, known_table), distance(name, known_name));
        // More than a third of the letters wrong is another word.
        let near = tables <= table.len().div_ceil(3) && names <= name.len().div_ceil(3);
        near.then_some(tables + names)
    };
    known
        .iter()
        .filter_map(|candidate| Some((distance_to(candidate)?, candidate)))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The number of letters to insert, delete or replace (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[to.len()]
}
