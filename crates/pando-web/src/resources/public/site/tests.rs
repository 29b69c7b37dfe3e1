use super::*;

async fn collect(body: Body) -> (Option<u64>, Vec<io::Result<usize>>) {
    let Body::Stream { mut chunks, length } = body else { panic!("no stream: {body:?}") };
    let mut sizes = Vec::new();
    while let Some(chunk) = chunks.recv().await {
        sizes.push(chunk.map(|chunk| chunk.len()));
    }
    (length, sizes)
}

async fn file(site: &Site, name: &str) -> Arc<File> {
    match site.look(name.to_owned()).await {
        Entry::File(file) => file,
        other => panic!("{name} is {other:?}"),
    }
}

#[tokio::test]
async fn large_files_come_in_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let size_bytes = 2 * CHUNK_BYTES_MAX + 5;
    fs::write(dir.path().join("large"), vec![b'x'; size_bytes as usize]).unwrap();
    let site = Site::new(dir.path());
    let pieces = vec![Piece::Text("head".into()), Piece::Content(1..size_bytes)];
    let body = file(&site, "large").await.body(&Lifecycle::default(), pieces);
    let (length, chunks) = collect(body).await;
    assert_eq!(length, Some(size_bytes + 3));
    let chunks: Vec<u64> = chunks.into_iter().map(|chunk| chunk.unwrap() as u64).collect();
    assert_eq!(chunks, [4, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, 4]);
}

#[tokio::test]
async fn a_file_that_became_shorter_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large");
    fs::write(&path, vec![b'x'; 400_000]).unwrap();
    let site = Site::new(dir.path());
    let opened = file(&site, "large").await;
    fs::write(&path, "short").unwrap();
    let body = opened.body(&Lifecycle::default(), vec![Piece::Content(0..400_000)]);
    let (_, chunks) = collect(body).await;
    assert_eq!(chunks.len(), 2);
    assert_eq!(*chunks[0].as_ref().unwrap(), 5);
    assert!(chunks[1].is_err());
}

#[tokio::test]
async fn links_are_followed_within_the_folder_only() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("site");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a.txt"), "inside").unwrap();
    fs::write(dir.path().join("secret.txt"), "outside").unwrap();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
    link("a.txt", "within.html");
    link("../secret.txt", "out.txt");
    link("..", "up");
    link("/etc", "etc");
    link("loop", "loop");
    let site = Site::new(&root);
    let linked = file(&site, "within.html").await;
    assert!(matches!(&linked.content, Content::Whole(whole) if whole == "inside"));
    assert_eq!(linked.name, "within.html");
    for name in ["out.txt", "up", "up/secret.txt", "etc", "etc/passwd", "loop", "../secret.txt"] {
        let entry = site.look(name.to_owned()).await;
        assert!(matches!(entry, Entry::Missing), "{name} is {entry:?}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    let site = Site::new(dir.path());
    assert!(matches!(site.look("socket".to_owned()).await, Entry::Missing));
    assert!(matches!(site.look(".".to_owned()).await, Entry::Folder));
    assert!(matches!(site.look("a\0b".to_owned()).await, Entry::Missing));
}

#[tokio::test]
async fn a_compressed_file_follows_its_source() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.txt");
    let site = Site::new(dir.path());
    fs::write(&path, "a".repeat(5_000)).unwrap();
    let first = file(&site, "a.txt").await;
    let packed = site.packed(&first).await.unwrap();
    assert!(packed.len() < 500);
    assert_eq!(site.packed(&first).await.unwrap().as_ptr(), packed.as_ptr(), "made once");
    fs::write(&path, "b".repeat(6_000)).unwrap();
    let second = file(&site, "a.txt").await;
    assert_ne!(site.packed(&second).await.unwrap(), packed);
}

/// Keeps a file as if it had not changed for long; nobody but the system can set that time.
async fn kept(site: &Site, name: &str) -> Arc<File> {
    let first = file(site, name).await;
    site.kept.keep_settled(name.to_owned(), &first);
    first
}

#[tokio::test]
async fn a_kept_file_is_read_once_and_again_when_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.txt");
    fs::write(&path, "first").unwrap();
    let site = Site::new(dir.path());
    let first = kept(&site, "a.txt").await;
    assert!(Arc::ptr_eq(&first, &file(&site, "a.txt").await), "kept");
    fs::write(&path, "longer").unwrap();
    let second = file(&site, "a.txt").await;
    assert!(matches!(&second.content, Content::Whole(whole) if whole == "longer"));
    fs::remove_file(&path).unwrap();
    assert!(matches!(site.look("a.txt".to_owned()).await, Entry::Missing));
}

#[tokio::test]
async fn what_changed_just_now_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), "fresh").unwrap();
    let site = Site::new(dir.path());
    let first = file(&site, "a.txt").await;
    assert!(!Arc::ptr_eq(&first, &file(&site, "a.txt").await));
}

#[tokio::test]
async fn kept_files_have_a_bounded_size() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::new(dir.path());
    for number in 0..100 {
        let name = format!("{number}");
        fs::write(dir.path().join(&name), vec![b'x'; WHOLE_BYTES_MAX as usize]).unwrap();
        kept(&site, &name).await;
    }
    let (count, bytes) = site.kept.size();
    assert_eq!(bytes, count * WHOLE_BYTES_MAX as usize);
    assert!((1..=64).contains(&count), "{count}");
}
