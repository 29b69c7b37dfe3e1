//! All that is wrong with a configuration, with the place to change it.

use std::fmt;

use super::{Origin, Origins};

/// One mistake.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// `table.key`, or empty if it concerns no key.
    pub key: String,
    pub origin: Origin,
    pub message: String,
    pub hint: Option<String>,
}

impl Problem {
    /// Adds what the operator can do about it.
    pub fn hint(&mut self, hint: impl Into<String>) {
        self.hint = Some(hint.into());
    }
}

/// The mistakes found so far. As an error, it lists them all.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    found: Vec<Problem>,
    pub(super) origins: Origins,
}

impl Problems {
    /// Adds a mistake about `key` (`table.key`), which `message` says: "must not be …".
    pub fn add(&mut self, key: &str, message: impl Into<String>) -> &mut Problem {
        let origin = self.origins.of(key).clone();
        self.add_at(key, origin, message)
    }

    pub(super) fn add_at(
        &mut self,
        key: &str,
        origin: Origin,
        message: impl Into<String>,
    ) -> &mut Problem {
        let problem = Problem { key: key.to_owned(), origin, message: message.into(), hint: None };
        self.found.push(problem);
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.found.iter()
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found.len() {
            1 => write!(f, "1 problem in the configuration")?,
            count => write!(f, "{count} problems in the configuration")?,
        }
        for problem in &self.found {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), &self.origin) {
            ("", origin) => write!(f, "{origin}: {}", self.message)?,
            (key, Origin::Default) => write!(f, "{key} {}", self.message)?,
            (key, origin) => write!(f, "{key} {} ({origin})", self.message)?,
        }
        match &self.hint {
            Some(hint) => write!(f, "\n    hint: {hint}"),
            None => Ok(()),
        }
    }
}
