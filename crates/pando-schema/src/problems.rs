//! What is wrong with the fields of a submitted record, collection or setting.
//!
//! Source: the validation library that PocketBase uses (codes and wording), PocketBase
//! `tools/router/error.go` (JSON form).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

/// One mistake: a stable code for programs and a sentence for people, as PocketBase words them.
///
/// The message may lack its capital and full stop; [`Problems::to_json`] adds them.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub code: &'static str,
    pub message: String,
    /// Values named in the message, for clients that translate it; shown as `params`.
    pub params: Map<String, Value>,
}

impl Problem {
    pub fn new(code: &'static str, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), params: Map::new() }
    }

    /// Adds a value that the message names.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// The mistake that an empty value is where one is needed.
    pub fn required() -> Problem {
        Problem::new("validation_required", "cannot be blank")
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "code": self.code, "message": sentence(&self.message) });
        if !self.params.is_empty() {
            let mut params = self.params.clone();
            params.sort_keys();
            json["params"] = Value::Object(params);
        }
        json
    }
}

/// A mistake in a value, or the mistakes in its parts (by name, or by index as text).
#[derive(Debug, Clone, PartialEq)]
pub enum ProblemTree {
    One(Problem),
    Parts(Problems),
}

/// All mistakes found, by field name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problems(pub BTreeMap<String, ProblemTree>);

impl Problems {
    /// Adds `problem`, unless `field` has one already: the first found is the one reported.
    pub fn add(&mut self, field: impl Into<String>, problem: Problem) {
        self.0.entry(field.into()).or_insert(ProblemTree::One(problem));
    }

    pub fn add_parts(&mut self, field: impl Into<String>, parts: Problems) {
        if !parts.is_empty() {
            self.0.entry(field.into()).or_insert(ProblemTree::Parts(parts));
        }
    }

    /// Adds the result of a check, if it found something.
    pub fn add_result(&mut self, field: &str, result: Result<(), ProblemTree>) {
        match result {
            Ok(()) => {}
            Err(ProblemTree::One(problem)) => self.add(field, problem),
            Err(ProblemTree::Parts(parts)) => self.add_parts(field, parts),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Err` with the problems, if there are any.
    pub fn into_result(self) -> Result<(), Problems> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The `data` of an error response: codes, whole sentences and params.
    pub fn to_json(&self) -> Map<String, Value> {
        let show = |(name, tree): (&String, &ProblemTree)| {
            let json = match tree {
                ProblemTree::One(problem) => problem.to_json(),
                ProblemTree::Parts(parts) => Value::Object(parts.to_json()),
            };
            (name.clone(), json)
        };
        self.0.iter().map(show).collect()
    }

    /// The bare messages, for logs and for the error of a collection import.
    pub fn messages(&self) -> Map<String, Value> {
        let show = |(name, tree): (&String, &ProblemTree)| {
            let json = match tree {
                ProblemTree::One(problem) => Value::String(problem.message.clone()),
                ProblemTree::Parts(parts) => Value::Object(parts.messages()),
            };
            (name.clone(), json)
        };
        self.0.iter().map(show).collect()
    }
}

impl fmt::Display for Problems {
    /// All in one sentence, as the validation library of PocketBase words them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, tree)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            match tree {
                ProblemTree::One(problem) => write!(f, "{separator}{name}: {}", problem.message)?,
                ProblemTree::Parts(parts) => write!(f, "{separator}{name}: ({parts})")?,
            }
        }
        f.write_str(if self.is_empty() { "" } else { "." })
    }
}

impl From<Problem> for ProblemTree {
    fn from(problem: Problem) -> ProblemTree {
        ProblemTree::One(problem)
    }
}

impl From<Problems> for ProblemTree {
    fn from(parts: Problems) -> ProblemTree {
        ProblemTree::Parts(parts)
    }
}

/// `text` with a capital and a full stop, as PocketBase shows every message.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let mut sentence: String = first.to_uppercase().collect();
    sentence.push_str(chars.as_str());
    if !text.ends_with(['.', '?', '!']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests;
