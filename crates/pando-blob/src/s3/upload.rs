//! Puts objects into a bucket: small ones in one piece, large ones in parts.
//!
//! Invariants: an object is seen whole or not at all; the server checks each piece against its
//! SHA-256, which is signed; all uploads of a process together keep at most
//! [`BUFFERED_MEBIBYTES_MAX`] in memory.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::ETAG;
use http::{HeaderName, HeaderValue, Method};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::client::Call;
use super::describe::headers_of;
use super::{Client, S3Error, xml};
use crate::object::Content;
use crate::{BlobError, NewAttributes};

const MEBIBYTE: u64 = 1 << 20;
/// Larger objects come in parts of this size (S3: at least 5 MiB) or more.
pub(super) const PART_BYTES: u64 = 8 * MEBIBYTE;
/// S3's limit. Larger parts make larger objects.
const PARTS_MAX: u64 = 10_000;
/// Parts of one object that are on their way at once.
const PARTS_AT_ONCE: usize = 3;
const BUFFERED_MEBIBYTES_MAX: u32 = 32;

static BUFFERED: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(BUFFERED_MEBIBYTES_MAX as usize));

/// Puts an object in place of what was there.
pub(super) async fn put(
    client: &Arc<Client>,
    key: &str,
    content: &Content,
    size_bytes: u64,
    new: &NewAttributes,
) -> Result<(), BlobError> {
    let failed = |error| BlobError::bucket("store", key, error);
    if size_bytes <= PART_BYTES {
        let _room = room_for(size_bytes).await;
        let body = content.read_range(0..size_bytes).await?;
        let call = Call { headers: headers_of(new), body, ..Call::new(Method::PUT, key) };
        return client.send(&call).await.map(drop).map_err(failed);
    }
    let upload_id = begin(client, key, new).await.map_err(failed)?;
    let stored = match put_parts(client, key, &upload_id, content, size_bytes).await {
        Ok(parts) => complete(client, key, &upload_id, &parts).await.map_err(failed),
        Err(error) => Err(error),
    };
    if stored.is_err() {
        // Parts that stay behind cost money; buckets have a rule for those.
        let query = vec![("uploadId", upload_id)];
        let call = Call { query, ..Call::new(Method::DELETE, key) };
        if let Err(error) = client.send(&call).await {
            tracing::debug!(%error, key, "failed to delete the parts of an object");
        }
    }
    stored
}

/// Waits until there is room for that much in memory.
async fn room_for(bytes: u64) -> Option<tokio::sync::SemaphorePermit<'static>> {
    let mebibytes = u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX);
    // Never closed.
    BUFFERED.acquire_many(mebibytes.min(BUFFERED_MEBIBYTES_MAX)).await.ok()
}

/// The size of all parts of an object but the last one.
pub(crate) fn part_bytes(size_bytes: u64) -> u64 {
    let needed = size_bytes.div_ceil(PARTS_MAX);
    PART_BYTES.max(needed.next_multiple_of(MEBIBYTE))
}

async fn begin(client: &Client, key: &str, new: &NewAttributes) -> Result<String, S3Error> {
    let query = vec![("uploads", String::new())];
    let call = Call { query, headers: headers_of(new), ..Call::new(Method::POST, key) };
    let answer = client.send(&call).await?.into_body();
    let upload_id = xml::text(&String::from_utf8_lossy(&answer), "UploadId");
    upload_id.filter(|id| !id.is_empty()).ok_or_else(|| client.malformed("no UploadId"))
}

/// Sends all parts. Returns their tags in order.
async fn put_parts(
    client: &Arc<Client>,
    key: &str,
    upload_id: &str,
    content: &Content,
    size_bytes: u64,
) -> Result<Vec<String>, BlobError> {
    let part_bytes = part_bytes(size_bytes);
    let count = size_bytes.div_ceil(part_bytes);
    let mut tags = vec![String::new(); usize::try_from(count).unwrap_or_default()];
    let mut sending = JoinSet::new();
    let mut next = 0;
    while next < count || !sending.is_empty() {
        if next < count && sending.len() < PARTS_AT_ONCE {
            let (client, key, upload_id) =
                (Arc::clone(client), key.to_owned(), upload_id.to_owned());
            let (content, index) = (content.clone(), next);
            let range = index * part_bytes..size_bytes.min((index + 1) * part_bytes);
            sending.spawn(async move {
                let _room = room_for(range.end - range.start).await;
                let body = content.read_range(range).await?;
                let sent = put_part(&client, &key, &upload_id, index + 1, body).await;
                let sent = sent.map_err(|error| BlobError::bucket("store", &key, error));
                sent.map(|tag| (index, tag))
            });
            next += 1;
            continue;
        }
        let Some(sent) = sending.join_next().await else { break };
        let (index, tag) = crate::error::settled(sent)?;
        tags[usize::try_from(index).unwrap_or_default()] = tag;
    }
    Ok(tags)
}

async fn put_part(
    client: &Client,
    key: &str,
    upload_id: &str,
    number: u64,
    body: Bytes,
) -> Result<String, S3Error> {
    let query = vec![("partNumber", number.to_string()), ("uploadId", upload_id.to_owned())];
    let call = Call { query, body, ..Call::new(Method::PUT, key) };
    let answer = client.send(&call).await?;
    let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    tag.map(str::to_owned).ok_or_else(|| client.malformed("a part without an ETag"))
}

/// Makes the parts an object.
async fn complete(
    client: &Client,
    key: &str,
    upload_id: &str,
    tags: &[String],
) -> Result<(), S3Error> {
    let mut body = String::from("<CompleteMultipartUpload>");
    for (index, tag) in tags.iter().enumerate() {
        let (number, tag) = (index + 1, xml::encode(tag));
        body.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"));
    }
    body.push_str("</CompleteMultipartUpload>");
    let kind =
        (HeaderName::from_static("content-type"), HeaderValue::from_static("application/xml"));
    let call = Call {
        query: vec![("uploadId", upload_id.to_owned())],
        headers: vec![kind],
        body: body.into(),
        completes: true,
        ..Call::new(Method::POST, key)
    };
    match client.send(&call).await {
        Ok(answer) => client.checked(&String::from_utf8_lossy(answer.body())),
        // An attempt before may have done it without our hearing of it.
        Err(S3Error::Refused { status: 404, code, .. }) if code == "NoSuchUpload" => {
            let found = client.send(&Call::new(Method::HEAD, key)).await?;
            let whole = found.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
            let ending = format!("-{}\"", tags.len());
            match whole.is_some_and(|tag| tag.ends_with(&ending)) {
                true => Ok(()),
                false => Err(client.malformed("the parts of an object have vanished")),
            }
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_few_enough_for_the_largest_object() {
        assert_eq!(part_bytes(PART_BYTES + 1), PART_BYTES);
        for size in [PART_BYTES * PARTS_MAX, PART_BYTES * PARTS_MAX + 1, 5 << 40] {
            let part = part_bytes(size);
            assert!(size.div_ceil(part) <= PARTS_MAX && part.is_multiple_of(MEBIBYTE), "{size}");
        }
    }
}
