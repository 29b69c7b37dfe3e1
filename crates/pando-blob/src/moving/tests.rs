use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::{FolderBlob, Prefix, Uploaded};

/// Two folders, one of which moves to the other.
struct Fixture {
    _dir: TempDir,
    old: Blob,
    new: Blob,
}

impl Fixture {
    fn new() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let open = |name| Blob::Folder(FolderBlob::open(&dir.path().join(name)).unwrap());
        Fixture { old: open("old"), new: open("new"), _dir: dir }
    }

    fn at(&self, phase: Phase) -> Blob {
        Blob::Moving(Arc::new(Moving { from: self.old.clone(), to: self.new.clone(), phase }))
    }

    async fn pass(&self, depth: Depth) -> PassOutcome {
        let mut outcome = PassOutcome::default();
        let (from, to) = (&self.old, &self.new);
        let passing = Passing { from, to, changed_since: far_future(), depth };
        let go_on = &mut |_: &PassOutcome| ControlFlow::Continue(());
        pass(passing, &prefix("c/"), &mut outcome, go_on).await.unwrap();
        outcome
    }
}

fn far_future() -> SystemTime {
    SystemTime::now() + std::time::Duration::from_secs(3600)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

async fn put(blob: &Blob, path: &str, content: &'static [u8]) {
    let uploaded = Uploaded::from_bytes(Bytes::from_static(content));
    blob.store(&key(path), uploaded, "name").await.unwrap();
}

async fn content(blob: &Blob, path: &str) -> Option<Bytes> {
    match blob.fetch(&key(path)).await {
        Ok(object) => Some(object.read_all().await.unwrap()),
        Err(BlobError::NotFound) => None,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn each_phase_has_its_place_for_uploads() {
    for (phase, places) in [
        (Phase::Copying, [true, false]),
        (Phase::Mirroring, [true, true]),
        (Phase::Moved, [false, true]),
    ] {
        let fixture = Fixture::new();
        put(&fixture.at(phase), "c/r/a", b"x").await;
        let there = [&fixture.old, &fixture.new]
            .map(|blob| async { content(blob, "c/r/a").await.is_some() });
        let [old, new] = there;
        assert_eq!([old.await, new.await], places, "{phase:?}");
        // Whoever knows of another phase finds it all the same.
        for other in [Phase::Copying, Phase::Mirroring, Phase::Moved] {
            assert_eq!(content(&fixture.at(other), "c/r/a").await.unwrap(), "x");
        }
        fixture.at(phase).delete(&key("c/r/a")).await.unwrap();
        assert_eq!(content(&fixture.at(phase), "c/r/a").await, None);
    }
}

#[tokio::test]
async fn deletions_reach_both_places() {
    let fixture = Fixture::new();
    for phase in [Phase::Copying, Phase::Mirroring, Phase::Moved] {
        for path in ["c/r/a", "c/r/b", "c/r/thumbs_a/1x1_a"] {
            put(&fixture.at(Phase::Mirroring), path, b"x").await;
        }
        fixture.at(phase).delete(&key("c/r/b")).await.unwrap();
        assert_eq!(content(&fixture.at(phase), "c/r/b").await, None);
        assert_eq!(fixture.at(phase).delete_prefix(&prefix("c/r/")).await.unwrap(), 2);
        for blob in [&fixture.old, &fixture.new] {
            assert_eq!(blob.list(Some(&prefix("c/r/")), 9).await.unwrap(), []);
        }
    }
    let absent = fixture.at(Phase::Copying).delete(&key("c/r/b")).await;
    assert!(matches!(absent, Err(BlobError::NotFound)), "{absent:?}");
}

#[tokio::test]
async fn a_pass_copies_what_is_missing_or_different() {
    let fixture = Fixture::new();
    for path in ["c/r/same", "c/r/missing", "c/r/content", "c/s/longer", "d/r/other collection"] {
        put(&fixture.old, path, b"right").await;
    }
    put(&fixture.new, "c/r/same", b"right").await;
    put(&fixture.new, "c/r/content", b"wrong").await;
    put(&fixture.new, "c/s/longer", b"too long").await;
    put(&fixture.new, "c/r/not ours", b"x").await;

    let outside = fixture.pass(Depth::Outside).await;
    assert_eq!((outside.files, outside.copied_files, outside.copied_bytes), (4, 2, 10));
    assert_eq!(content(&fixture.new, "c/r/content").await.unwrap(), "wrong");
    let inside = fixture.pass(Depth::Content).await;
    assert_eq!((inside.files, inside.bytes, inside.copied_files), (4, 20, 1));
    assert_eq!(fixture.pass(Depth::Content).await.copied_files, 0);
    for path in ["c/r/same", "c/r/missing", "c/r/content", "c/s/longer"] {
        assert_eq!(content(&fixture.new, path).await.unwrap(), "right", "{path}");
        let attributes = fixture.new.attributes(&key(path)).await.unwrap();
        assert_eq!(attributes, {
            let old = fixture.old.attributes(&key(path)).await.unwrap();
            crate::Attributes { modified: attributes.modified, ..old }
        });
    }
    assert_eq!(content(&fixture.new, "d/r/other collection").await, None);
    assert!(content(&fixture.new, "c/r/not ours").await.is_some());
}

#[tokio::test]
async fn what_is_deleted_while_it_is_copied_does_not_come_back() {
    let fixture = Fixture::new();
    // As if the deletion had come after the listing, and been through with both places.
    put(&fixture.new, "c/r/gone", b"x").await;
    let listed = crate::Listed { key: key("c/r/gone"), size_bytes: 1, modified: SystemTime::now() };
    let (from, to) = (&fixture.old, &fixture.new);
    let passing = Passing { from, to, changed_since: far_future(), depth: Depth::Outside };
    pass::settle(passing, listed).await.unwrap().1.unwrap();
    assert_eq!(content(&fixture.new, "c/r/gone").await, None);
}

#[tokio::test]
async fn a_file_follows_to_where_it_belongs() {
    let fixture = Fixture::new();
    put(&fixture.at(Phase::Copying), "c/r/a", b"x").await;
    let mirrored = fixture.at(Phase::Mirroring);
    mirrored.adopt(&key("c/r/a"), &fixture.at(Phase::Copying)).await.unwrap();
    assert_eq!(content(&fixture.new, "c/r/a").await.unwrap(), "x");
    put(&fixture.old, "c/r/b", b"y").await;
    fixture.new.adopt(&key("c/r/b"), &fixture.old).await.unwrap();
    assert_eq!(content(&fixture.new, "c/r/b").await.unwrap(), "y");
    let lost = fixture.new.adopt(&key("c/r/c"), &fixture.old).await;
    assert!(matches!(lost, Err(BlobError::NotFound)), "{lost:?}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_is_told_apart() {
    let fixture = Fixture::new();
    // A file where the folder of the record should be.
    put(&fixture.new, "c/r", b"x").await;
    let uploaded = Uploaded::from_bytes(Bytes::from_static(b"y"));
    let stored = fixture.at(Phase::Mirroring).store(&key("c/r/a"), uploaded, "a").await;
    assert!(matches!(stored, Err(BlobError::NotMirrored(_))), "{stored:?}");
    assert_eq!(content(&fixture.old, "c/r/a").await.unwrap(), "y");
}

#[tokio::test]
async fn what_cannot_be_copied_is_told_at_the_end() {
    let fixture = Fixture::new();
    put(&fixture.old, "c/r/a", b"x").await;
    put(&fixture.old, "c/s/b", b"x").await;
    std::fs::create_dir_all(fixture._dir.path().join("new/c")).unwrap();
    std::os::unix::fs::symlink("/", fixture._dir.path().join("new/c/r")).unwrap();
    let outcome = fixture.pass(Depth::Content).await;
    assert_eq!((outcome.files, outcome.failed_files), (1, 1));
    assert!(outcome.failures[0].starts_with("c/r/a: a symbolic link"), "{outcome:?}");
}

#[tokio::test]
async fn a_store_is_tried_out_and_left_as_it_was() {
    let fixture = Fixture::new();
    let trial = try_out(&fixture.new).await.unwrap();
    assert!(trial.bytes_per_second > 0 && trial.estimate(1000, 1 << 30).as_nanos() > 0);
    let go_on = &mut |_| ControlFlow::Continue(());
    let left = std::fs::read_dir(fixture._dir.path().join("new")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".pando-staging"]);
    put(&fixture.old, "c/r/a", b"123").await;
    put(&fixture.old, "c/r/thumbs_a/1x1_a", b"45").await;
    let counted = count(&fixture.old, &prefix("c/"), go_on).await.unwrap();
    assert_eq!(counted, Count { files: 2, bytes: 5 });
}
