use tempfile::TempDir;

use super::*;
use crate::{Blob, FolderBlob, Key, Uploaded};

/// One folder that two servers have open.
fn two_servers() -> (TempDir, FolderBlob, FolderBlob) {
    let dir = tempfile::tempdir().unwrap();
    let open = || FolderBlob::open(dir.path()).unwrap();
    let (one, other) = (open(), open());
    (dir, one, other)
}

fn touch(file: &TempFile, dir: &TempDir, ago: Duration) {
    let now = file.modified().unwrap();
    let folder = dir.path().join(FOLDER);
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(now - ago).unwrap();
    }
}

#[tokio::test]
async fn what_is_being_written_is_left_alone() {
    let (dir, one, other) = two_servers();
    let mut upload = one.staging().upload(1_000_000);
    upload.write(&[1; 200_000]).await.unwrap();
    assert_eq!(other.staging().remove_leftovers().await.unwrap(), 0);
    let key = Key::parse("c/r/a").unwrap();
    let uploaded = upload.finish().await.unwrap();
    Blob::Folder(one).store(&key, uploaded, "a").await.unwrap();
    assert!(Blob::Folder(other).exists(&key).await.unwrap());
    assert!(dir.path().join(FOLDER).read_dir().unwrap().next().is_none());
}

#[tokio::test]
async fn only_leftovers_of_ours_are_deleted() {
    let (dir, one, other) = two_servers();
    let staged = one.staging().create().unwrap();
    std::fs::write(dir.path().join(FOLDER).join("other.tmp"), b"x").unwrap();
    touch(&staged, &dir, LEFTOVER_AGE - Duration::from_secs(60));
    assert_eq!(other.staging().remove_leftovers().await.unwrap(), 0);
    touch(&staged, &dir, LEFTOVER_AGE + Duration::from_secs(60));
    assert_eq!(other.staging().remove_leftovers().await.unwrap(), 1);
    assert!(dir.path().join(FOLDER).join("other.tmp").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_know_whether_their_folder_is_the_same() {
    let (_dir, one, other) = two_servers();
    let (_elsewhere, third, _) = two_servers();
    let marks = tokio::join!(one.mark(), other.mark(), third.mark());
    let (one_mark, other_mark, third) = (marks.0.unwrap(), marks.1.unwrap(), marks.2.unwrap());
    assert_eq!(one_mark, other_mark);
    assert_ne!(one_mark, third);
    assert_eq!(one.mark().await.unwrap(), one_mark);
    assert_eq!(Blob::Folder(one).list(None, 9).await.unwrap(), [], "it is no file of a record");
}

#[tokio::test]
async fn an_absent_staging_folder_has_no_leftovers() {
    let (_dir, one, _) = two_servers();
    assert_eq!(one.staging().remove_leftovers().await.unwrap(), 0);
}

#[tokio::test]
async fn thumbs_and_deletions_of_one_server_are_seen_by_the_other() {
    let (_dir, one, other) = two_servers();
    let (one, other) = (Blob::Folder(one), Blob::Folder(other));
    let key = Key::parse("c/r/a.png").unwrap();
    one.store(&key, Uploaded::from_bytes((&b"x"[..]).into()), "a").await.unwrap();
    assert!(other.exists(&key).await.unwrap());
    other.delete(&key).await.unwrap();
    assert!(matches!(one.fetch(&key).await, Err(BlobError::NotFound)));
}
