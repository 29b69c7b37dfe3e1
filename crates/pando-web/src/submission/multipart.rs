//! Multipart bodies: fields are collected, files are streamed to where uploads wait.
//!
//! Invariants: memory for fields and names only, never for a whole file; an outcome does not
//! depend on how the network cuts the body; no bytes panic, which the corpus, a property test and
//! a fuzz target (`fuzz/`) try.

mod pieces;

use bytes::Bytes;
use http::header::CONTENT_DISPOSITION;
use http_body_util::{BodyDataStream, Limited};
use hyper::body::Body;
use multer::Multipart;
use pando_blob::{BlobError, Staging, base_name};

use super::{Submission, SubmittedFile, check_complete, typed_fields};
use crate::ApiError;
use crate::request::Query;
use pieces::Pieces;

/// Parts of one body; more are refused. Go's `mime/multipart` has the same limit.
const PARTS_MAX: usize = 1_000;

/// All plain fields together, as Go's `ParseMultipartForm` (its 16 MiB and 10 more).
const FIELDS_BYTES_MAX: usize = 26 << 20;

/// Reads a multipart body of at most `bytes_max`.
pub(crate) async fn read<B>(
    content_type: &str,
    query: &Query,
    body: B,
    staging: &Staging,
    bytes_max: u64,
) -> Result<Submission, ApiError>
where
    B: Body<Data = Bytes> + Send + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    check_complete(query)?;
    let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(error.into()))?;
    let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let (pieces, gauge) = Pieces::new(Limited::new(body, limit));
    let mut parts = Multipart::new(BodyDataStream::new(pieces), boundary);
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut files = Vec::new();
    let mut fields_bytes = 0;
    loop {
        gauge.expect_head();
        let Some(mut part) = parts.next_field().await.map_err(refusal)? else { break };
        gauge.expect_content();
        if fields.len() + files.len() == PARTS_MAX {
            return Err(ApiError::bad_request("The body has too many parts."));
        }
        let name = part.name().filter(|name| !name.is_empty() && is_form_data(&part));
        let Some(name) = name.map(str::to_owned) else { continue };
        // An empty file name makes no file, as Go's `mime/multipart` has it.
        let original = part.file_name().filter(|name| !name.is_empty());
        if let Some(original) = original.map(|name| base_name(name).to_owned()) {
            let mut upload = staging.upload(bytes_max);
            while let Some(chunk) = part.chunk().await.map_err(refusal)? {
                upload.write(&chunk).await.map_err(upload_failure)?;
            }
            let content = upload.finish().await.map_err(upload_failure)?;
            files.push(SubmittedFile { field: name, original_name: original, content });
            continue;
        }
        let mut value = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(refusal)? {
            fields_bytes += chunk.len();
            if fields_bytes > FIELDS_BYTES_MAX {
                return Err(ApiError::too_large());
            }
            value.extend_from_slice(&chunk);
        }
        fields.push((name, String::from_utf8_lossy(&value).into_owned()));
    }
    let form = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields = typed_fields(form.chain(query.iter()))?;
    Ok(Submission { fields, files, ..Submission::default() })
}

/// Other kinds of parts have no name, whatever they say.
fn is_form_data(part: &multer::Field<'_>) -> bool {
    let disposition = part.headers().get(CONTENT_DISPOSITION);
    let kind = disposition.and_then(|value| value.as_bytes().split(|byte| *byte == b';').next());
    kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"form-data"))
}

fn malformed(cause: anyhow::Error) -> ApiError {
    ApiError::bad_request("").caused_by(cause)
}

fn refusal(error: multer::Error) -> ApiError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if cause.is::<http_body_util::LengthLimitError>() {
            return ApiError::too_large();
        }
        source = cause.source();
    }
    malformed(error.into())
}

fn upload_failure(error: BlobError) -> ApiError {
    match error {
        BlobError::TooLarge { .. } => ApiError::too_large(),
        other => ApiError::internal(other),
    }
}

#[cfg(test)]
mod tests;
