//! Loads JSON on top of existing values, by the rules of Go's `encoding/json/v2`: a missing key
//! keeps the value, `null` clears it, unknown keys are ignored, a wrong type is an error.
//!
//! Source: Go's `encoding/json/v2`, as PocketBase 0.40 uses it for collections and settings.

use serde_json::{Map, Value};
use thiserror::Error;

/// A value of the wrong type. The text is Go's, since PocketBase shows it when an import fails.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("json: cannot unmarshal {found} into Go {wanted}{}{}", within(.path), after_colon(.detail))]
pub struct Malformed {
    found: &'static str,
    wanted: &'static str,
    /// JSON pointer of the value.
    path: String,
    detail: String,
}

fn within(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" within {path:?}") }
}

fn after_colon(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

impl Malformed {
    pub(crate) fn new(value: &Value, wanted: &'static str, path: &str) -> Malformed {
        let found = match value {
            Value::Null => "JSON null",
            Value::Bool(_) => "JSON boolean",
            Value::Number(_) => "JSON number",
            Value::String(_) => "JSON string",
            Value::Array(_) => "JSON array",
            Value::Object(_) => "JSON object",
        };
        Malformed { found, wanted, path: path.to_owned(), detail: String::new() }
    }

    pub(crate) fn because(mut self, detail: String) -> Malformed {
        self.detail = detail;
        self
    }
}

/// How the keys of an object are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyMatch {
    Exact,
    /// Case, `-` and `_` do not matter, unless a key matches exactly.
    Loose,
}

/// A JSON object being loaded, and where it stands in the whole text.
pub(crate) struct Loader<'a> {
    object: &'a Map<String, Value>,
    path: String,
    keys: KeyMatch,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(object: &'a Map<String, Value>, keys: KeyMatch) -> Loader<'a> {
        Loader { object, path: String::new(), keys }
    }

    /// `value` as an object; `None` when it is `null`.
    pub(crate) fn of(
        value: &'a Value,
        wanted: &'static str,
        path: String,
        keys: KeyMatch,
    ) -> Result<Option<Loader<'a>>, Malformed> {
        match value {
            Value::Object(object) => Ok(Some(Loader { object, path, keys })),
            Value::Null => Ok(None),
            other => Err(Malformed::new(other, wanted, &path)),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        let exact = self.object.get(key);
        if exact.is_some() || self.keys == KeyMatch::Exact {
            return exact;
        }
        let wanted = fold(key);
        self.object.iter().find(|(name, _)| fold(name) == wanted).map(|(_, value)| value)
    }

    pub(crate) fn path_of(&self, key: &str) -> String {
        format!("{}/{key}", self.path)
    }

    pub(crate) fn text(&self, key: &str, target: &mut String) -> Result<(), Malformed> {
        match self.get(key) {
            None => {}
            Some(Value::Null) => target.clear(),
            Some(Value::String(text)) => target.clone_from(text),
            Some(other) => return Err(Malformed::new(other, "string", &self.path_of(key))),
        }
        Ok(())
    }

    pub(crate) fn optional_text(
        &self,
        key: &str,
        target: &mut Option<String>,
    ) -> Result<(), Malformed> {
        match self.get(key) {
            None => {}
            Some(Value::Null) => *target = None,
            Some(Value::String(text)) => *target = Some(text.clone()),
            Some(other) => return Err(Malformed::new(other, "string", &self.path_of(key))),
        }
        Ok(())
    }

    pub(crate) fn flag(&self, key: &str, target: &mut bool) -> Result<(), Malformed> {
        let mut flag = Some(*target);
        self.optional_flag(key, &mut flag)?;
        *target = flag.unwrap_or(false);
        Ok(())
    }

    pub(crate) fn optional_flag(
        &self,
        key: &str,
        target: &mut Option<bool>,
    ) -> Result<(), Malformed> {
        match self.get(key) {
            None => {}
            Some(Value::Null) => *target = None,
            Some(Value::Bool(flag)) => *target = Some(*flag),
            Some(other) => return Err(Malformed::new(other, "bool", &self.path_of(key))),
        }
        Ok(())
    }

    pub(crate) fn int(&self, key: &str, target: &mut i64) -> Result<(), Malformed> {
        let Some(value) = self.get(key) else { return Ok(()) };
        *target = match value {
            Value::Null => 0,
            Value::Number(number) => number.as_i64().ok_or_else(|| {
                Malformed::new(value, "int", &self.path_of(key)).because("invalid syntax".into())
            })?,
            other => return Err(Malformed::new(other, "int", &self.path_of(key))),
        };
        Ok(())
    }

    pub(crate) fn optional_number(
        &self,
        key: &str,
        target: &mut Option<f64>,
    ) -> Result<(), Malformed> {
        match self.get(key) {
            None => {}
            Some(Value::Null) => *target = None,
            Some(Value::Number(number)) => *target = number.as_f64(),
            Some(other) => return Err(Malformed::new(other, "float64", &self.path_of(key))),
        }
        Ok(())
    }

    pub(crate) fn texts(&self, key: &str, target: &mut Vec<String>) -> Result<(), Malformed> {
        let Some(value) = self.get(key) else { return Ok(()) };
        target.clear();
        for (index, item) in self.items(value, key, "[]string")?.iter().enumerate() {
            match item {
                Value::String(text) => target.push(text.clone()),
                Value::Null => target.push(String::new()),
                other => {
                    let path = format!("{}/{key}/{index}", self.path);
                    return Err(Malformed::new(other, "string", &path));
                }
            }
        }
        Ok(())
    }

    /// A date, kept in PocketBase's format; text that is no date empties it.
    pub(crate) fn date(&self, key: &str, target: &mut String) -> Result<(), Malformed> {
        self.text(key, target)?;
        if self.get(key).is_some() {
            *target = crate::normalize_date(target);
        }
        Ok(())
    }

    /// Loads the object under `key` with `load`; `null` resets `target`.
    pub(crate) fn object<T: Default>(
        &self,
        key: &str,
        wanted: &'static str,
        target: &mut T,
        load: impl FnOnce(&Loader<'a>, &mut T) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let Some(value) = self.get(key) else { return Ok(()) };
        match Loader::of(value, wanted, self.path_of(key), self.keys)? {
            Some(inner) => load(&inner, target),
            None => {
                *target = T::default();
                Ok(())
            }
        }
    }

    /// Loads the objects of the list under `key`, each on top of what `start` gives for it.
    pub(crate) fn objects<T: Default>(
        &self,
        key: &str,
        wanted: &'static str,
        target: &mut Vec<T>,
        start: impl Fn(&Loader<'a>) -> T,
        load: impl Fn(&Loader<'a>, &mut T) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let Some(value) = self.get(key) else { return Ok(()) };
        let mut loaded = Vec::new();
        for (index, item) in self.items(value, key, wanted)?.iter().enumerate() {
            let path = format!("{}/{key}/{index}", self.path);
            let mut element = T::default();
            if let Some(inner) = Loader::of(item, wanted, path, self.keys)? {
                element = start(&inner);
                load(&inner, &mut element)?;
            }
            loaded.push(element);
        }
        *target = loaded;
        Ok(())
    }

    fn items(
        &self,
        value: &'a Value,
        key: &str,
        wanted: &'static str,
    ) -> Result<&'a [Value], Malformed> {
        match value {
            Value::Array(items) => Ok(items),
            Value::Null => Ok(&[]),
            other => Err(Malformed::new(other, wanted, &self.path_of(key))),
        }
    }
}

fn fold(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// A number as Go prints it: without a fraction when it has none.
pub(crate) fn number_json(number: f64) -> Value {
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
        return Value::from(number as i64);
    }
    Value::from(number)
}

#[cfg(test)]
mod tests;
