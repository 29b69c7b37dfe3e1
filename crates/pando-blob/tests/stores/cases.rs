//! The list of cases.

use pando_blob::{BlobError, ThumbLimits, ThumbSize, Thumbs};
use pando_testkit::fixture;

use super::{Place, bytes, key, prefix};

macro_rules! cases {
    ($($case:ident),+ $(,)?) => { $( mod $case {
        #[tokio::test(flavor = "multi_thread")]
        async fn folder() { super::$case(super::Place::folder()).await }
        #[tokio::test(flavor = "multi_thread")]
        async fn bucket() { super::$case(super::Place::bucket()).await }
    } )+ };
}
cases![
    what_is_stored_is_known,
    files_of_all_sizes_come_back,
    ranges_are_read,
    absent_files_are_not_found,
    storing_again_replaces,
    odd_keys_are_kept,
    prefixes_are_deleted_with_what_is_in_them,
    lists_show_one_folder,
    thumbs_are_made_once,
];

const MEBIBYTE: usize = 1 << 20;

async fn what_is_stored_is_known(place: Place) {
    place.put("c/r/a.json", b"{\"a\":1}").await;
    let object = place.blob.fetch(&key("c/r/a.json")).await.unwrap();
    let attributes = place.blob.attributes(&key("c/r/a.json")).await.unwrap();
    assert_eq!(object.attributes, attributes);
    assert_eq!(attributes.content_type, "application/json");
    assert_eq!(attributes.original_name.as_deref(), Some("Ä pic.png"));
    assert_eq!(attributes.size_bytes, 7);
    assert!(attributes.md5.is_some() && attributes.modified.elapsed().unwrap().as_secs() < 60);
}

async fn files_of_all_sizes_come_back(place: Place) {
    let all = bytes(20 * MEBIBYTE + 7);
    let sizes = [0, 1, 65_535, 65_536, 65_537, 8 * MEBIBYTE, 8 * MEBIBYTE + 1, all.len()];
    for size in sizes {
        let path = format!("c/r/{size}");
        place.put(&path, &all[..size]).await;
        let object = place.blob.fetch(&key(&path)).await.unwrap();
        assert_eq!(object.attributes.size_bytes, size as u64);
        assert_eq!(object.attributes.original_name.as_deref(), Some("Ä pic.png"));
        assert!(object.read_all().await.unwrap() == all[..size], "{size}");
    }
}

async fn ranges_are_read(place: Place) {
    let all = bytes(700_000);
    place.put("big", &all).await;
    let object = place.blob.fetch(&key("big")).await.unwrap();
    for range in [0..1, 0..65_536, 65_535..65_538, 699_999..700_000, 5..5, 600_000..900_000] {
        let mut reader = object.read(range.clone());
        let expected = &all[range.start as usize..all.len().min(range.end as usize)];
        assert_eq!(reader.remaining_bytes(), expected.len() as u64);
        let mut read = Vec::new();
        while let Some(chunk) = reader.next().await.unwrap() {
            read.extend_from_slice(&chunk);
        }
        assert!(read == expected, "{range:?}");
    }
}

async fn absent_files_are_not_found(place: Place) {
    place.put("c/r/a", b"x").await;
    for path in ["b", "c/r/b", "x/y/z"] {
        let found = place.blob.fetch(&key(path)).await;
        assert!(matches!(found, Err(BlobError::NotFound)), "{path}: {found:?}");
        assert!(!place.blob.exists(&key(path)).await.unwrap());
    }
    assert!(matches!(place.blob.delete(&key("c/r/b")).await, Ok(()) | Err(BlobError::NotFound)));
    place.blob.delete(&key("c/r/a")).await.unwrap();
    assert!(!place.blob.exists(&key("c/r/a")).await.unwrap());
}

async fn storing_again_replaces(place: Place) {
    place.put("a", b"old and long").await;
    place.put("a", b"new").await;
    assert_eq!(place.content("a").await, "new");
}

async fn odd_keys_are_kept(place: Place) {
    for name in ["a b+c&d=e", "ü.png", "a%20b", "#*!'()~", "q?x=1", "<a>&amp;\"'"] {
        let path = format!("c/r/{name}");
        place.put(&path, name.as_bytes()).await;
        assert_eq!(place.content(&path).await, name);
        let listed = place.blob.list(Some(&prefix(&path)), 2).await.unwrap();
        assert_eq!((listed.len(), listed[0].key.as_str()), (1, path.as_str()));
        assert_eq!(place.blob.delete_prefix(&prefix(&path)).await.unwrap(), 1);
    }
}

async fn prefixes_are_deleted_with_what_is_in_them(place: Place) {
    for path in ["c/r/a.png", "c/r/thumbs_a.png/1x1_a.png", "c/r/b.png", "c/rr/x", "d/r/x"] {
        place.put_small(path, b"x").await;
    }
    for (text, count) in [("c/r/thumbs_a.png/", 1), ("c/r/b", 1), ("c/r/", 1), ("c/r/", 0)] {
        assert_eq!(place.blob.delete_prefix(&prefix(text)).await.unwrap(), count, "{text}");
    }
    assert!(place.blob.exists(&key("c/rr/x")).await.unwrap());
    assert_eq!(place.blob.delete_prefix(&prefix("c/")).await.unwrap(), 1);
    assert!(place.blob.exists(&key("d/r/x")).await.unwrap());
}

async fn lists_show_one_folder(place: Place) {
    for path in ["b.zip", "a.zip", "sub/c.zip"] {
        place.put_small(path, b"xy").await;
    }
    let names = async |text: Option<&str>, count| {
        let prefix = text.map(prefix);
        let listed = place.blob.list(prefix.as_ref(), count).await.unwrap();
        listed.iter().map(|l| format!("{} {}", l.key, l.size_bytes)).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 10).await, ["a.zip 2", "b.zip 2"]);
    assert_eq!(names(None, 1).await, ["a.zip 2"]);
    assert_eq!(names(Some("sub/"), 10).await, ["sub/c.zip 2"]);
    assert_eq!(names(Some("b"), 10).await, ["b.zip 2"]);
    assert!(names(Some("none/"), 10).await.is_empty());
}

async fn thumbs_are_made_once(place: Place) {
    place.put("c/r/a.png", &fixture::png(300, 200)).await;
    let (original, size) = (key("c/r/a.png"), ThumbSize::parse("30x20").unwrap());
    let thumbs = Thumbs::new(ThumbLimits::default());
    let (made, name) = thumbs.fetch(&place.blob, &original, &size).await.unwrap();
    assert_eq!(
        (name.as_str(), made.attributes.content_type.as_str()),
        ("30x20_a.png", "image/png")
    );
    assert_eq!(made.attributes.original_name, None);
    let (found, _) = thumbs.fetch(&place.blob, &original, &size).await.unwrap();
    assert_eq!(found.attributes, made.attributes);
    assert!(place.blob.exists(&key("c/r/thumbs_a.png/30x20_a.png")).await.unwrap());
    let absent = thumbs.fetch(&place.blob, &key("c/r/b.png"), &size).await;
    assert!(absent.is_err());
}
