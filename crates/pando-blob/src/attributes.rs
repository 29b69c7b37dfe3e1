//! What is known of a stored file besides its bytes, and the side file that keeps it.
//!
//! Source: PocketBase's `tools/filesystem/internal/fileblob/attrs.go`: `<file>.attrs` holds one
//! JSON object; a file without one has the type `application/octet-stream`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};

/// The metadata entry that keeps the name the client gave.
const ORIGINAL_NAME: &str = "original-filename";
/// Longest kept original name, in bytes (PocketBase's limit).
const ORIGINAL_NAME_BYTES_MAX: usize = 255;
/// The type of files without a side file.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// What the caller tells about a file that it stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttributes {
    pub content_type: String,
    /// The name that the client gave; its first 255 bytes are kept.
    pub original_name: Option<String>,
}

/// As much of the client's name as is kept.
pub(crate) fn kept_name(name: &str) -> &str {
    &name[..name.floor_char_boundary(ORIGINAL_NAME_BYTES_MAX)]
}

/// What is known of a stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    pub size_bytes: u64,
    pub modified: SystemTime,
    pub content_type: String,
    /// The name that the client gave, if there was one.
    pub original_name: Option<String>,
    /// MD5 of the content, absent for files that neither server wrote.
    pub md5: Option<[u8; 16]>,
}

impl Attributes {
    /// A validator of the content: modification time and size, as PocketBase's file driver
    /// computes it. PocketBase does not send it to clients.
    pub fn etag(&self) -> String {
        let nanos = self.modified.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_nanos());
        format!("\"{nanos:x}-{:x}\"", self.size_bytes)
    }
}

/// The side file's JSON, in the order in which PocketBase writes it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SideFile {
    #[serde(rename = "user.cache_control")]
    cache_control: Option<String>,
    #[serde(rename = "user.content_disposition")]
    content_disposition: Option<String>,
    #[serde(rename = "user.content_encoding")]
    content_encoding: Option<String>,
    #[serde(rename = "user.content_language")]
    content_language: Option<String>,
    #[serde(rename = "user.content_type")]
    content_type: Option<String>,
    #[serde(rename = "user.metadata")]
    metadata: Option<BTreeMap<String, String>>,
    md5: Option<String>,
}

impl SideFile {
    /// The JSON text of a side file.
    pub(crate) fn write(new: &NewAttributes, md5: [u8; 16]) -> Result<Vec<u8>, serde_json::Error> {
        let empty = || Some(String::new());
        let metadata = new
            .original_name
            .iter()
            .map(|name| (ORIGINAL_NAME.to_owned(), kept_name(name).to_owned()));
        serde_json::to_vec(&SideFile {
            cache_control: empty(),
            content_disposition: empty(),
            content_encoding: empty(),
            content_language: empty(),
            content_type: Some(new.content_type.clone()),
            metadata: Some(metadata.collect()),
            md5: Some(BASE64_STANDARD.encode(md5)),
        })
    }

    pub(crate) fn parse(json: &[u8]) -> Result<SideFile, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// What stands for an absent side file.
    pub(crate) fn absent() -> SideFile {
        SideFile { content_type: Some(UNKNOWN_TYPE.to_owned()), ..SideFile::default() }
    }

    pub(crate) fn into_attributes(self, size_bytes: u64, modified: SystemTime) -> Attributes {
        let original_name = self.metadata.into_iter().flatten();
        Attributes {
            size_bytes,
            modified,
            content_type: self.content_type.unwrap_or_default(),
            original_name: original_name
                .into_iter()
                .find_map(|(key, value)| key.eq_ignore_ascii_case(ORIGINAL_NAME).then_some(value)),
            md5: self
                .md5
                .and_then(|text| BASE64_STANDARD.decode(text).ok())
                .and_then(|bytes| bytes.try_into().ok()),
        }
    }
}

#[cfg(test)]
mod tests;
