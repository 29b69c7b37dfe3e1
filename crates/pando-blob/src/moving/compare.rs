//! Whether a file is the same in two stores.
//!
//! The content of an object in a bucket need not be fetched for that where its `ETag` is the MD5 of
//! it, or for one that was stored in parts, that of the MD5s of its parts. Where it is neither, as
//! in encrypted buckets, the content is fetched.

use md5::{Digest, Md5};

use super::copy::known_type;
use crate::object::Object;
use crate::s3::{PART_BYTES_OF_POCKETBASE, part_bytes};
use crate::{Attributes, Blob, BlobError, Key};

/// How closely is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// At sizes, types and names.
    Outside,
    /// At contents, too.
    Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Same {
        size_bytes: u64,
    },
    /// Not in the second store, or otherwise there.
    Different {
        size_bytes: u64,
    },
}

/// Fails with `NotFound` if the first store has no such file, or if one goes meanwhile.
pub(super) async fn compare(
    from: &Blob,
    to: &Blob,
    key: &Key,
    depth: Depth,
) -> Result<Compared, BlobError> {
    let original = from.attributes(key).await?;
    let size_bytes = original.size_bytes;
    let copy = match to.attributes(key).await {
        Err(BlobError::NotFound) => return Ok(Compared::Different { size_bytes }),
        found => found?,
    };
    let same = alike(&original, &copy)
        && match depth {
            Depth::Outside => true,
            Depth::Content => same_content(from, to, key).await?,
        };
    Ok(match same {
        true => Compared::Same { size_bytes },
        false => Compared::Different { size_bytes },
    })
}

fn alike(original: &Attributes, copy: &Attributes) -> bool {
    original.size_bytes == copy.size_bytes
        && known_type(original) == known_type(copy)
        && original.original_name == copy.original_name
}

async fn same_content(from: &Blob, to: &Blob, key: &Key) -> Result<bool, BlobError> {
    let (local, remote) = match (from, to) {
        (Blob::Folder(_), Blob::S3(s3)) => (from, s3),
        (Blob::S3(s3), Blob::Folder(_)) => (to, s3),
        _ => {
            return Ok(
                md5_of(&from.fetch(key).await?).await? == md5_of(&to.fetch(key).await?).await?
            );
        }
    };
    let tag = remote.tag(key).await?;
    let object = local.fetch(key).await?;
    let size_bytes = object.attributes.size_bytes;
    if let Some(count) = parts_count(&tag) {
        let sizes = [part_bytes(size_bytes), PART_BYTES_OF_POCKETBASE];
        for part in sizes.into_iter().filter(|part| size_bytes.div_ceil(*part) == count) {
            if tag == tag_of_parts(&object, part).await? {
                return Ok(true);
            }
        }
    }
    let md5 = md5_of(&object).await?;
    // Else the tag is something else than a checksum, or the content differs.
    Ok(tag == hex(&md5) || md5 == md5_of(&remote.fetch(key).await?).await?)
}

/// The number of parts that a tag tells.
fn parts_count(tag: &str) -> Option<u64> {
    tag.rsplit_once('-')?.1.parse().ok()
}

async fn md5_of(object: &Object) -> Result<[u8; 16], BlobError> {
    md5_of_range(object, 0..object.attributes.size_bytes).await
}

async fn md5_of_range(object: &Object, range: std::ops::Range<u64>) -> Result<[u8; 16], BlobError> {
    let mut md5 = Md5::new();
    let mut reader = object.read(range);
    while let Some(piece) = reader.next().await? {
        md5.update(&piece);
    }
    Ok(md5.finalize().into())
}

/// The tag of an object that was stored in parts of that size.
async fn tag_of_parts(object: &Object, part_bytes: u64) -> Result<String, BlobError> {
    let (mut md5, mut count, mut at) = (Md5::new(), 0_u64, 0);
    while at < object.attributes.size_bytes {
        let end = object.attributes.size_bytes.min(at + part_bytes);
        md5.update(md5_of_range(object, at..end).await?);
        (count, at) = (count + 1, end);
    }
    Ok(format!("{}-{count}", hex(&<[u8; 16]>::from(md5.finalize()))))
}

fn hex(bytes: &[u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
