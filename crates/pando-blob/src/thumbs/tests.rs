use bytes::Bytes;
use image::{DynamicImage, GenericImageView, ImageFormat};
use tempfile::TempDir;

use super::*;
use crate::{FolderBlob, Prefix, Uploaded};

struct Fixture {
    _dir: TempDir,
    blob: Blob,
}

impl Fixture {
    fn new() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let folder = FolderBlob::open(&dir.path().join("storage"));
        Fixture { blob: Blob::Folder(folder.unwrap()), _dir: dir }
    }

    async fn put(&self, path: &str, content: impl Into<Bytes>) -> Key {
        let key = Key::parse(path).unwrap();
        self.blob.store(&key, Uploaded::from_bytes(content.into()), "x").await.unwrap();
        key
    }

    async fn put_image(&self, path: &str) -> Key {
        let mut content = std::io::Cursor::new(Vec::new());
        DynamicImage::new_rgb8(300, 200).write_to(&mut content, ImageFormat::Png).unwrap();
        self.put(path, content.into_inner()).await
    }

    fn thumbs(&self, limits: ThumbLimits) -> Thumbs {
        Thumbs::new(limits)
    }
}

fn size(text: &str) -> ThumbSize {
    ThumbSize::parse(text).unwrap()
}

#[tokio::test]
async fn a_thumb_is_made_once_and_kept_where_pocketbase_looks() {
    let fixture = Fixture::new();
    let original = fixture.put_image("c/r/a.png").await;
    let thumbs = fixture.thumbs(ThumbLimits::default());
    let (object, name) = thumbs.fetch(&fixture.blob, &original, &size("30x20t")).await.unwrap();
    assert_eq!(name, "30x20t_a.png");
    assert_eq!(object.attributes.content_type, "image/png");
    let content = object.read_all().await.unwrap();
    assert_eq!(image::load_from_memory(&content).unwrap().dimensions(), (30, 20));
    assert!(thumbs.pending.lock().unwrap().is_empty());

    // What is there is served, whoever wrote it.
    let kept = Key::parse("c/r/thumbs_a.png/30x20t_a.png").unwrap();
    assert!(fixture.blob.exists(&kept).await.unwrap());
    fixture.put(kept.as_str(), "by another server").await;
    let (object, _) = thumbs.fetch(&fixture.blob, &original, &size("30x20t")).await.unwrap();
    assert_eq!(object.read_all().await.unwrap(), "by another server");
}

#[tokio::test]
async fn what_has_no_thumb_is_told() {
    let fixture = Fixture::new();
    let text = fixture.put("c/r/a.png", "no image").await;
    let broken = fixture.put("c/r/b.png", &b"\x89PNG\r\n\x1a\n"[..]).await;
    let absent = Key::parse("c/r/c.png").unwrap();
    let thumbs = fixture.thumbs(ThumbLimits::default());
    let size = size("9x9");
    let error = thumbs.fetch(&fixture.blob, &text, &size).await.unwrap_err();
    assert!(matches!(error, ThumbError::Unsupported(_)), "{error:?}");
    let error = thumbs.fetch(&fixture.blob, &broken, &size).await.unwrap_err();
    assert!(matches!(error, ThumbError::Decode(_)), "{error:?}");
    let error = thumbs.fetch(&fixture.blob, &absent, &size).await.unwrap_err();
    assert!(matches!(error, ThumbError::Blob(BlobError::NotFound)), "{error:?}");
    let made = Prefix::parse("c/r/thumbs_").unwrap();
    assert_eq!(fixture.blob.delete_prefix(&made).await.unwrap(), 0);
    assert!(thumbs.pending.lock().unwrap().is_empty());
}

#[tokio::test]
async fn files_that_are_too_long_are_not_read() {
    let fixture = Fixture::new();
    let original = fixture.put_image("a.png").await;
    let thumbs = fixture.thumbs(ThumbLimits { source_bytes_max: 10, ..ThumbLimits::default() });
    let error = thumbs.fetch(&fixture.blob, &original, &size("9x9")).await.unwrap_err();
    assert!(matches!(error, ThumbError::Unsupported(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_one_thumb_share_the_work() {
    let fixture = Fixture::new();
    let original = fixture.put_image("c/r/a.png").await;
    // One place for a pending thumb is enough for any number of requests for it.
    let limits = ThumbLimits { pending_max: 1, workers_max: 1, ..ThumbLimits::default() };
    let thumbs = fixture.thumbs(limits);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (thumbs, blob, original) = (thumbs.clone(), fixture.blob.clone(), original.clone());
        tasks.spawn(async move { thumbs.fetch(&blob, &original, &size("30x20")).await.unwrap().0 });
    }
    let mut modified = Vec::new();
    while let Some(object) = tasks.join_next().await {
        modified.push(object.unwrap().attributes.modified);
    }
    // All got the same file, so it was written once.
    assert!(modified.iter().all(|time| *time == modified[0]));
    assert!(thumbs.pending.lock().unwrap().is_empty());
}

#[tokio::test]
async fn more_pending_thumbs_than_allowed_are_refused() {
    let fixture = Fixture::new();
    let original = fixture.put_image("c/r/a.png").await;
    let thumbs = fixture.thumbs(ThumbLimits { pending_max: 1, ..ThumbLimits::default() });
    let turn = thumbs.turn(&thumb_key(&original, "1x1_a.png").unwrap()).unwrap();
    let error = thumbs.fetch(&fixture.blob, &original, &size("2x2")).await.unwrap_err();
    assert!(matches!(error, ThumbError::Busy), "{error:?}");
    drop(turn);
    thumbs.fetch(&fixture.blob, &original, &size("2x2")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_thumb_does_not_wait_for_ever() {
    let fixture = Fixture::new();
    let original = fixture.put_image("c/r/a.png").await;
    let thumbs = fixture.thumbs(ThumbLimits { workers_max: 1, ..ThumbLimits::default() });
    let busy = thumbs.workers.clone().acquire_owned().await.unwrap();
    let error = thumbs.fetch(&fixture.blob, &original, &size("2x2")).await.unwrap_err();
    assert!(matches!(error, ThumbError::Busy), "{error:?}");
    assert!(thumbs.pending.lock().unwrap().is_empty());
    drop(busy);
    thumbs.fetch(&fixture.blob, &original, &size("2x2")).await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_nothing() {
    let fixture = Fixture::new();
    let original = fixture.put_image("c/r/a.png").await;
    let thumbs = fixture.thumbs(ThumbLimits { workers_max: 1, ..ThumbLimits::default() });
    let busy = thumbs.workers.clone().acquire_owned().await.unwrap();
    let small = size("2x2");
    tokio::select! {
        biased;
        _ = thumbs.fetch(&fixture.blob, &original, &small) => panic!("there is no worker"),
        () = until(|| !thumbs.pending.lock().unwrap().is_empty()) => {}
    }
    assert!(thumbs.pending.lock().unwrap().is_empty());
    drop(busy);
    thumbs.fetch(&fixture.blob, &original, &size("2x2")).await.unwrap();
}

/// Yields until something holds.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}
