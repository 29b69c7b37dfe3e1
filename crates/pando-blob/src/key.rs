//! Keys of stored files: relative paths that cannot leave the folder they are kept in.
//!
//! Invariants: a [`Key`] has 1 to 8 segments, none of them empty, `.` or `..`, none with a
//! slash, backslash or control character, none that begins like the names of unfinished files,
//! and the last does not end in `.attrs`.

use std::fmt;

use crate::folder::NAME_START;

/// Longest key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 1024;
/// Longest segment of a key, in bytes: what file systems allow (255), less room for `.attrs`.
pub(crate) const SEGMENT_BYTES_MAX: usize = 255 - ATTRIBUTES_SUFFIX.len();
/// Deepest key. PocketBase uses four levels.
pub(crate) const SEGMENTS_MAX: usize = 8;
/// The suffix of the side files that hold attributes.
pub(crate) const ATTRIBUTES_SUFFIX: &str = ".attrs";

/// A text that is not a valid key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a valid file key")]
pub struct KeyError(String);

/// The place of a stored file, for example `<collectionId>/<recordId>/<filename>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// Accepts a relative path of 1 to 8 plain segments, at most 1,024 bytes.
    pub fn parse(text: impl Into<String>) -> Result<Key, KeyError> {
        let text = text.into();
        let valid = text.len() <= KEY_BYTES_MAX
            && text.split('/').count() <= SEGMENTS_MAX
            && text.split('/').all(segment_valid)
            && !text.ends_with(ATTRIBUTES_SUFFIX);
        if valid { Ok(Key(text)) } else { Err(KeyError(text)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.split().1
    }

    /// Whether it is the place of a thumb, which can be made again.
    pub(crate) fn is_thumb(&self) -> bool {
        let folder = self.split().0;
        folder.rsplit('/').next().is_some_and(|name| name.starts_with("thumbs_"))
    }

    /// The folder (empty at the top) and the name in it.
    pub(crate) fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The beginning of keys: a folder, and optionally the start of the names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    folder: String,
    name_start: String,
}

impl Prefix {
    /// Accepts `a/b/` (a whole folder) and `a/b/name_` (files whose name starts so).
    /// The empty prefix, which is everything, is refused.
    pub fn parse(text: &str) -> Result<Prefix, KeyError> {
        let (folder, name_start) = text.rsplit_once('/').unwrap_or(("", text));
        let valid = !text.is_empty()
            && text.len() <= KEY_BYTES_MAX
            && text.split('/').count() <= SEGMENTS_MAX
            && (folder.is_empty() || folder.split('/').all(segment_valid))
            && (name_start.is_empty() || segment_valid(name_start))
            && !(folder.is_empty() && name_start.is_empty());
        if !valid {
            return Err(KeyError(text.to_owned()));
        }
        Ok(Prefix { folder: folder.to_owned(), name_start: name_start.to_owned() })
    }

    /// What keys begin with.
    pub(crate) fn start(&self) -> String {
        match self.folder.as_str() {
            "" => self.name_start.clone(),
            folder => format!("{folder}/{}", self.name_start),
        }
    }

    /// The folder to look in, empty at the top.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// What names in the folder start with; empty for all of them.
    pub(crate) fn name_start(&self) -> &str {
        &self.name_start
    }
}

fn segment_valid(segment: &str) -> bool {
    !segment.is_empty()
        && segment.len() <= SEGMENT_BYTES_MAX
        && segment != "."
        && segment != ".."
        && !segment.starts_with(NAME_START)
        && !segment.chars().any(|char| char == '\\' || char.is_control())
}

#[cfg(test)]
mod tests;
