//! Copies one file from one store to another, in pieces.

use crate::{Attributes, Blob, BlobError, FolderBlob, Key, NewAttributes, Object};

/// The type of files of which none is known.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Copies a file with what is known of it, in place of what is there.
pub(super) async fn copy(from: &Blob, to: &Blob, key: &Key) -> Result<(), BlobError> {
    let object = from.fetch(key).await?;
    let new = NewAttributes {
        content_type: known_type(&object.attributes).to_owned(),
        original_name: object.attributes.original_name.clone(),
    };
    match to {
        Blob::Folder(folder) => copy_to_folder(&object, folder, key, new).await,
        Blob::S3(s3) => s3.store_object(key, &object, &new).await,
        Blob::Moving(moving) => Box::pin(copy(from, moving.primary(), key)).await,
    }
}

async fn copy_to_folder(
    object: &Object,
    folder: &FolderBlob,
    key: &Key,
    new: NewAttributes,
) -> Result<(), BlobError> {
    let mut upload = folder.staging().upload(u64::MAX);
    let mut reader = object.read(0..object.attributes.size_bytes);
    while let Some(piece) = reader.next().await? {
        upload.write(&piece).await?;
    }
    folder.store_as(key, upload.finish().await?, new).await
}

/// The type as both kinds of stores keep it.
pub(super) fn known_type(attributes: &Attributes) -> &str {
    match attributes.content_type.as_str() {
        "" => UNKNOWN_TYPE,
        known => known,
    }
}
