use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::Blob;

struct Fixture {
    dir: TempDir,
    blob: Blob,
}

impl Fixture {
    fn new() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let folder = FolderBlob::open(&dir.path().join("storage"));
        Fixture { blob: Blob::Folder(folder.unwrap()), dir }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("storage").join(path)
    }

    async fn put(&self, path: &str, content: &[u8]) -> Result<(), BlobError> {
        let new = NewAttributes { content_type: "x/y".to_owned(), original_name: None };
        self.blob.store_bytes(&key(path), Bytes::copy_from_slice(content), new).await
    }

    /// All paths below the storage folder, without the staging folder itself.
    fn tree(&self) -> Vec<String> {
        fn walk(dir: &Path, into: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    walk(&path, into);
                }
                into.push(path);
            }
        }
        let mut paths = Vec::new();
        walk(&self.path(""), &mut paths);
        let root = self.path("");
        let names = paths.iter().map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.retain(|name| name != ".pando-staging");
        names.sort();
        names
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

#[tokio::test]
async fn what_is_stored_is_fetched() {
    let fixture = Fixture::new();
    let uploaded = Uploaded::from_bytes(Bytes::from_static(b"{\"a\":1}"));
    fixture.blob.store(&key("c/r/a.json"), uploaded, "Ä.json").await.unwrap();
    assert_eq!(fixture.tree(), ["c", "c/r", "c/r/a.json", "c/r/a.json.attrs"]);

    let object = fixture.blob.fetch(&key("c/r/a.json")).await.unwrap();
    assert_eq!(object.attributes.content_type, "application/json");
    assert_eq!(object.attributes.original_name.as_deref(), Some("Ä.json"));
    assert_eq!(object.attributes.md5, Some(Md5::digest(b"{\"a\":1}").into()));
    assert_eq!(object.read_all().await.unwrap(), "{\"a\":1}");
    assert!(fixture.blob.exists(&key("c/r/a.json")).await.unwrap());
}

#[tokio::test]
async fn absent_files_are_not_found() {
    let fixture = Fixture::new();
    fixture.put("c/r/a", b"x").await.unwrap();
    for path in ["b", "c/r/b", "c/r", "c/r/a/b", "x/y/z"] {
        let found = fixture.blob.fetch(&key(path)).await;
        assert!(matches!(found, Err(BlobError::NotFound)), "{path}: {found:?}");
        assert!(!fixture.blob.exists(&key(path)).await.unwrap());
    }
    let deleted = fixture.blob.delete(&key("c/r/b")).await;
    assert!(matches!(deleted, Err(BlobError::NotFound)), "{deleted:?}");
}

#[tokio::test]
async fn storing_again_replaces() {
    let fixture = Fixture::new();
    fixture.put("a", b"old and long").await.unwrap();
    fixture.put("a", b"new").await.unwrap();
    let object = fixture.blob.fetch(&key("a")).await.unwrap();
    assert_eq!(object.read_all().await.unwrap(), "new");
    assert_eq!(fixture.tree(), ["a", "a.attrs"]);
}

#[tokio::test]
async fn files_without_a_side_file_are_of_unknown_type() {
    let fixture = Fixture::new();
    std::fs::write(fixture.path("a"), b"x").unwrap();
    let attributes = fixture.blob.attributes(&key("a")).await.unwrap();
    assert_eq!(attributes.content_type, "application/octet-stream");
    std::fs::write(fixture.path("a.attrs"), b"{").unwrap();
    let attributes = fixture.blob.attributes(&key("a")).await;
    assert!(matches!(attributes, Err(BlobError::Attributes { .. })), "{attributes:?}");
}

#[tokio::test]
async fn large_files_are_read_by_ranges() {
    let fixture = Fixture::new();
    let content: Vec<u8> = (0..700_000u32).map(|index| (index % 251) as u8).collect();
    fixture.put("big", &content).await.unwrap();
    let object = fixture.blob.fetch(&key("big")).await.unwrap();
    assert_eq!(object.read_all().await.unwrap(), content);
    for range in [0..1, 699_999..700_000, 100_000..600_001, 5..5, 600_000..900_000] {
        let mut reader = object.read(range.clone());
        let expected = &content[range.start as usize..content.len().min(range.end as usize)];
        assert_eq!(reader.remaining_bytes(), expected.len() as u64);
        let mut read = Vec::new();
        while let Some(chunk) = reader.next().await.unwrap() {
            read.extend_from_slice(&chunk);
        }
        assert_eq!(read, expected, "{range:?}");
    }
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let fixture = Fixture::new();
    fixture.put("big", &vec![1; 700_000]).await.unwrap();
    let object = fixture.blob.fetch(&key("big")).await.unwrap();
    let file = File::options().write(true).open(fixture.path("big")).unwrap();
    file.set_len(300_000).unwrap();
    assert!(matches!(object.read_all().await, Err(BlobError::Io { .. })));
}

#[tokio::test]
async fn an_open_file_outlives_its_deletion() {
    let fixture = Fixture::new();
    fixture.put("big", &vec![1; 100_000]).await.unwrap();
    let object = fixture.blob.fetch(&key("big")).await.unwrap();
    fixture.blob.delete(&key("big")).await.unwrap();
    assert!(fixture.tree().is_empty());
    assert_eq!(object.read_all().await.unwrap().len(), 100_000);
}

#[tokio::test]
async fn symbolic_links_are_refused() {
    let fixture = Fixture::new();
    let outside = fixture.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), b"s").unwrap();
    symlink(&outside, fixture.path("link")).unwrap();
    symlink(outside.join("secret"), fixture.path("file")).unwrap();
    fixture.put("real/a", b"x").await.unwrap();
    symlink(outside.join("secret"), fixture.path("real/a.lnk")).unwrap();

    for path in ["link/secret", "file", "real/a.lnk"] {
        let found = fixture.blob.fetch(&key(path)).await;
        assert!(matches!(found, Err(BlobError::Symlink(_))), "{path}: {found:?}");
    }
    assert!(matches!(fixture.put("link/new", b"x").await, Err(BlobError::Symlink(_))));
    assert!(matches!(fixture.blob.delete(&key("link/secret")).await, Err(BlobError::Symlink(_))));
    let emptied = fixture.blob.delete_prefix(&prefix("link/")).await;
    assert!(matches!(emptied, Err(BlobError::Symlink(_))), "{emptied:?}");
    // A link within a folder goes with the folder; what it points to stays.
    fixture.blob.delete_prefix(&prefix("real/")).await.unwrap();
    // A link in the place of a file is replaced, not written through.
    fixture.put("file", b"mine").await.unwrap();
    assert_eq!(std::fs::read(outside.join("secret")).unwrap(), b"s");
    assert_eq!(std::fs::read(fixture.path("file")).unwrap(), b"mine");
}

#[tokio::test]
async fn named_pipes_do_not_hang_readers() {
    let fixture = Fixture::new();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, fixture.path("pipe"), kind, mode, 0).unwrap();
    assert!(matches!(fixture.blob.fetch(&key("pipe")).await, Err(BlobError::NotFound)));
}

#[tokio::test]
async fn prefixes_are_deleted_with_what_is_in_them() {
    let fixture = Fixture::new();
    for path in ["c/r/a.png", "c/r/thumbs_a.png/1x1_a.png", "c/r/b.png", "c/rr/x", "d/r/x"] {
        fixture.put(path, b"x").await.unwrap();
    }
    assert_eq!(fixture.blob.delete_prefix(&prefix("c/r/thumbs_a.png/")).await.unwrap(), 1);
    assert!(!fixture.path("c/r/thumbs_a.png").exists());
    assert_eq!(fixture.blob.delete_prefix(&prefix("c/r/b")).await.unwrap(), 1);
    assert_eq!(fixture.blob.delete_prefix(&prefix("c/r/")).await.unwrap(), 1);
    assert_eq!(fixture.blob.delete_prefix(&prefix("c/r/")).await.unwrap(), 0);
    assert_eq!(
        fixture.tree(),
        ["c", "c/rr", "c/rr/x", "c/rr/x.attrs", "d", "d/r", "d/r/x", "d/r/x.attrs"]
    );
    assert_eq!(fixture.blob.delete_prefix(&prefix("c/")).await.unwrap(), 1);
    assert!(!fixture.path("c").exists());
}

#[tokio::test]
async fn lists_show_files_only() {
    let fixture = Fixture::new();
    for path in ["b.zip", "a.zip", "sub/c.zip"] {
        fixture.put(path, b"xy").await.unwrap();
    }
    std::fs::write(fixture.path(".pando-1.tmp"), b"").unwrap();
    let names = |listed: Vec<Listed>| {
        listed.iter().map(|l| format!("{} {}", l.key, l.size_bytes)).collect::<Vec<_>>()
    };
    assert_eq!(names(fixture.blob.list(None, 10).await.unwrap()), ["a.zip 2", "b.zip 2"]);
    assert_eq!(names(fixture.blob.list(None, 1).await.unwrap()), ["a.zip 2"]);
    for (text, expected) in
        [("sub/", vec!["sub/c.zip 2"]), ("b", vec!["b.zip 2"]), ("none/", Vec::new())]
    {
        assert_eq!(names(fixture.blob.list(Some(&prefix(text)), 10).await.unwrap()), expected);
    }
}

#[tokio::test]
async fn a_failed_write_leaves_nothing_behind() {
    let fixture = Fixture::new();
    // A folder where the file should go: the side file is placed, the file cannot be.
    std::fs::create_dir_all(fixture.path("c/r/a")).unwrap();
    assert!(matches!(fixture.put("c/r/a", b"x").await, Err(BlobError::Io { .. })));
    assert_eq!(fixture.tree(), ["c", "c/r", "c/r/a"]);
}

#[tokio::test]
async fn a_folder_that_refuses_writes_is_an_error() {
    let fixture = Fixture::new();
    // A file where a folder should be fails for root too, unlike permissions.
    std::fs::write(fixture.path("c"), b"x").unwrap();
    assert!(fixture.put("c/r/a", b"x").await.is_err());
    std::fs::create_dir(fixture.path("locked")).unwrap();
    std::fs::set_permissions(fixture.path("locked"), PermissionsExt::from_mode(0o555)).unwrap();
    let stored = fixture.put("locked/a", b"x").await;
    // Permissions do not bind root.
    if File::create(fixture.path("locked/probe")).is_err() {
        assert!(matches!(stored, Err(BlobError::Io { .. })), "{stored:?}");
    } else {
        assert!(stored.is_ok(), "{stored:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_and_readers_see_whole_files() {
    let fixture = Fixture::new();
    let contents: Vec<Vec<u8>> = (0..8).map(|n| vec![n; 1000 + usize::from(n)]).collect();
    fixture.put("c/r/a", &contents[0]).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for content in contents.clone() {
        let blob = fixture.blob.clone();
        tasks.spawn(async move {
            for _ in 0..20 {
                let new = NewAttributes { content_type: "x/y".to_owned(), original_name: None };
                blob.store_bytes(&key("c/r/a"), content.clone().into(), new).await.unwrap();
                let read = blob.fetch(&key("c/r/a")).await.unwrap().read_all().await.unwrap();
                assert_eq!(read.len(), 1000 + usize::from(read[0]));
                assert!(read.iter().all(|byte| *byte == read[0]));
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(fixture.tree(), ["c", "c/r", "c/r/a", "c/r/a.attrs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn storing_survives_the_deletion_of_its_folder() {
    let fixture = Fixture::new();
    let blob = fixture.blob.clone();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        for _ in 0..50 {
            blob.delete_prefix(&prefix("c/")).await.unwrap();
        }
    });
    for _ in 0..50 {
        // Three deletions in a row within one call are possible, if unlikely.
        match fixture.put("c/r/a", b"x").await {
            Ok(()) | Err(BlobError::NotFound) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    fixture.put("c/r/a", b"x").await.unwrap();
    assert!(fixture.blob.exists(&key("c/r/a")).await.unwrap());
}
