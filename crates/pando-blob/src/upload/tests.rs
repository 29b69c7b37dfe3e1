use tempfile::TempDir;

use super::*;
use crate::{Blob, FolderBlob, Key};

struct Fixture {
    dir: TempDir,
    staging: Staging,
    blob: Blob,
}

impl Fixture {
    fn new() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let folder = FolderBlob::open(&dir.path().join("storage")).unwrap();
        Fixture { staging: folder.staging(), blob: Blob::Folder(folder), dir }
    }

    fn staged_count(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("storage/.pando-staging"))
            .map_or(0, |entries| entries.count())
    }
}

async fn upload(
    staging: &Staging,
    content: &[u8],
    chunk_bytes: usize,
) -> Result<Uploaded, BlobError> {
    let mut upload = staging.upload(1_000_000);
    for chunk in content.chunks(chunk_bytes) {
        upload.write(chunk).await?;
    }
    upload.finish().await
}

#[tokio::test]
async fn small_uploads_stay_in_memory_and_large_ones_do_not() {
    let fixture = Fixture::new();
    let small = upload(&fixture.staging, &[b'a'; BUFFER_BYTES], 1000).await.unwrap();
    assert!(matches!(small.content, UploadedContent::Memory(_)));
    assert_eq!(fixture.staged_count(), 0);
    let large = upload(&fixture.staging, &[b'a'; BUFFER_BYTES + 1], 1000).await.unwrap();
    assert!(matches!(large.content, UploadedContent::Staged(_)));
    assert_eq!((large.size_bytes, fixture.staged_count()), (BUFFER_BYTES as u64 + 1, 1));
    assert_eq!((large.head.len(), large.mime.essence()), (mime::HEAD_BYTES, "text/plain"));
}

#[tokio::test]
async fn uploads_of_all_sizes_are_stored_whole() {
    let fixture = Fixture::new();
    let content: Vec<u8> = (0..300_001u32).map(|index| (index * 7 % 256) as u8).collect();
    for size in [0, 1, 4095, 4096, 4097, 65_536, 65_537, 131_072, 300_001] {
        for chunk_bytes in [777, 65_536, 400_000] {
            let uploaded = upload(&fixture.staging, &content[..size], chunk_bytes).await.unwrap();
            let key = Key::parse(format!("c/r/{size}_{chunk_bytes}")).unwrap();
            fixture.blob.store(&key, uploaded, "x").await.unwrap();
            let object = fixture.blob.fetch(&key).await.unwrap();
            assert_eq!(object.attributes.md5, Some(Md5::digest(&content[..size]).into()));
            assert_eq!(object.read_all().await.unwrap(), &content[..size]);
        }
    }
    assert_eq!(fixture.staged_count(), 0);
}

#[tokio::test]
async fn the_limit_is_exact() {
    let fixture = Fixture::new();
    let mut upload = fixture.staging.upload(100_000);
    upload.write(&[0; 99_999]).await.unwrap();
    upload.write(&[0]).await.unwrap();
    let error = upload.write(&[0]).await.unwrap_err();
    assert!(matches!(error, BlobError::TooLarge { bytes_max: 100_000 }), "{error:?}");
    assert_eq!(fixture.staged_count(), 1);
    drop(upload);
    assert_eq!(fixture.staged_count(), 0);
}

#[tokio::test]
async fn uploads_that_are_not_stored_leave_nothing() {
    let fixture = Fixture::new();
    let uploaded = upload(&fixture.staging, &[0; 200_000], 10_000).await.unwrap();
    assert_eq!(fixture.staged_count(), 1);
    drop(uploaded);
    assert_eq!(fixture.staged_count(), 0);
}

#[tokio::test]
async fn a_staging_folder_that_vanished_is_made_again() {
    let fixture = Fixture::new();
    drop(upload(&fixture.staging, &[0; 200_000], 10_000).await.unwrap());
    std::fs::remove_dir_all(fixture.dir.path().join("storage/.pando-staging")).unwrap();
    let uploaded = upload(&fixture.staging, &[1; 200_000], 10_000).await.unwrap();
    let key = Key::parse("a").unwrap();
    fixture.blob.store(&key, uploaded, "x").await.unwrap();
    assert!(fixture.blob.exists(&key).await.unwrap());
}

#[tokio::test]
async fn an_unusable_staging_folder_fails_the_upload_for_good() {
    let fixture = Fixture::new();
    std::fs::write(fixture.dir.path().join("storage/.pando-staging"), b"a file").unwrap();
    let mut upload = fixture.staging.upload(1_000_000);
    assert!(upload.write(&[0; 100_000]).await.is_err());
    assert!(upload.write(&[0; 100_000]).await.is_err());
    assert!(upload.finish().await.is_err());
}

#[tokio::test]
async fn content_at_hand_is_an_upload_too() {
    let uploaded = Uploaded::from_bytes(Bytes::from_static(b"%PDF-1.4"));
    assert_eq!((uploaded.size_bytes, uploaded.mime.to_string()), (8, "application/pdf".to_owned()));
}
