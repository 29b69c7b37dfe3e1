//! Multipart bodies: fields are collected, files are streamed to where uploads wait.

use http_body_util::{BodyDataStream, Limited};
use hyper::body::Incoming;
use multer::Multipart;
use pando_blob::{Blob, BlobError, base_name};

use super::{Submission, SubmittedFile, check_complete, typed_fields};
use crate::ApiError;
use crate::request::Query;

/// Parts of one body; more are refused. Go's `mime/multipart` has the same limit.
const PARTS_MAX: usize = 1_000;

/// All plain fields together, as Go's `ParseMultipartForm` (its 16 MiB and 10 more).
const FIELDS_BYTES_MAX: usize = 26 << 20;

/// Reads a multipart body of at most `bytes_max`.
pub(super) async fn read(
    content_type: &str,
    query: &Query,
    body: Incoming,
    blob: &Blob,
    bytes_max: u64,
) -> Result<Submission, ApiError> {
    check_complete(query)?;
    let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(error.into()))?;
    let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let stream = BodyDataStream::new(Limited::new(body, limit));
    let mut parts = Multipart::new(stream, boundary);
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut files = Vec::new();
    let mut fields_bytes = 0;
    while let Some(mut part) = parts.next_field().await.map_err(refusal)? {
        if fields.len() + files.len() == PARTS_MAX {
            return Err(ApiError::bad_request("The body has too many parts."));
        }
        let Some(name) = part.name().map(str::to_owned) else { continue };
        if let Some(original) = part.file_name().map(|name| base_name(name).to_owned()) {
            let mut upload = blob.upload(bytes_max);
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
