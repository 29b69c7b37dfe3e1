//! Files: where uploads are kept, what they are called, what they contain and how they are served.
//!
//! Source: PocketBase's `tools/filesystem` and `apis/file.go`; a folder written by either server
//! can be used by the other.

mod attributes;
mod blob;
mod error;
mod folder;
mod key;
pub mod mime;
pub mod moving;
mod name;
mod object;
mod pixels;
mod s3;
mod serve;
mod staging;
mod thumb;
mod thumbs;
mod upload;

pub use attributes::{Attributes, NewAttributes};
pub use blob::Blob;
pub use error::BlobError;
pub use folder::{FolderBlob, Listed};
pub use key::{Key, KeyError, Prefix};
pub use mime::Mime;
pub use moving::{Moving, Phase};
pub use name::{base_name, unique_name};
pub use object::{Object, ObjectReader};
pub use s3::{Patience, S3Blob, S3Config, S3Error};
pub use serve::{Body, FileRequest, Method, Part, ResponsePlan, parse_download, respond};
pub use staging::Staging;
pub use thumb::{ThumbError, ThumbSize, size_allowed};
pub use thumbs::{ThumbLimits, Thumbs};
pub use upload::{Upload, Uploaded};
