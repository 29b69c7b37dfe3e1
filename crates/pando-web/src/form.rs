//! Small bodies of known members, such as a login.
//!
//! Source: PocketBase `tools/router/event.go` (`BindBody` into a struct): a missing member and
//! `null` leave the zero value, a member of the wrong type fails the whole body.

use serde_json::{Map, Value as Json};

use crate::ApiError;

/// The members of a body.
pub(crate) struct Form<'a> {
    fields: &'a Map<String, Json>,
    /// Whether they came as JSON, where types count, or as form text, where they were guessed.
    typed: bool,
}

impl<'a> Form<'a> {
    pub(crate) fn new(fields: &'a Map<String, Json>, content_type: &str) -> Form<'a> {
        Form { fields, typed: content_type.starts_with("application/json") }
    }

    /// A text member; empty if it is missing.
    pub(crate) fn text(&self, name: &str) -> Result<String, ApiError> {
        match self.member(name) {
            None | Some(Json::Null) => Ok(String::new()),
            Some(Json::String(text)) => Ok(text.clone()),
            Some(Json::Number(number)) if !self.typed => Ok(whole(number)),
            Some(Json::Bool(flag)) if !self.typed => Ok(flag.to_string()),
            Some(_) => Err(malformed()),
        }
    }

    /// Several text members, in order.
    pub(crate) fn texts<const N: usize>(&self, names: [&str; N]) -> Result<[String; N], ApiError> {
        let mut texts = [const { String::new() }; N];
        for (text, name) in texts.iter_mut().zip(names) {
            *text = self.text(name)?;
        }
        Ok(texts)
    }

    /// A whole number; 0 if it is missing.
    pub(crate) fn integer(&self, name: &str) -> Result<i64, ApiError> {
        match self.member(name) {
            None | Some(Json::Null) => Ok(0),
            Some(Json::Number(number)) => {
                let text = whole(number);
                text.parse().map_err(|_not_whole| malformed())
            }
            Some(Json::String(text)) if !self.typed && text.is_empty() => Ok(0),
            Some(_) => Err(malformed()),
        }
    }

    fn member(&self, name: &str) -> Option<&'a Json> {
        let exact = self.fields.get(name);
        exact.or_else(|| {
            let mut fields = self.fields.iter();
            fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }
}

fn whole(number: &serde_json::Number) -> String {
    match number.as_f64() {
        // As the text that it was guessed from: Rust writes whole doubles without a fraction.
        Some(double) => double.to_string(),
        None => number.to_string(),
    }
}

fn malformed() -> ApiError {
    ApiError::bad_request("An error occurred while loading the submitted data.")
}
