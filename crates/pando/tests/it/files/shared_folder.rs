//! Two servers on one database and one folder.

use std::path::{Path, PathBuf};
use std::thread;

use pando_testkit::{Postgres, Request, Server, fixture};
use tempfile::TempDir;

use super::{EMAIL, PASSWORD, RECORDS, fetch, pando, prepare, upload};

struct Pair {
    one: Server,
    other: Server,
    home: TempDir,
}

impl Pair {
    fn start(postgres: &Postgres) -> Pair {
        let database = postgres.new_database().unwrap();
        let home = tempfile::tempdir().unwrap();
        let program = pando()
            .on_database(&postgres.url(&database))
            .env("PANDO_FILES__DIR", home.path().join("files").as_os_str());
        let launch = |name: &str| Server::launch(&program, &home.path().join(name)).unwrap();
        program.upsert_superuser(&home.path().join("one"), EMAIL, PASSWORD).unwrap();
        let one = launch("one");
        prepare(&one);
        Pair { one, other: launch("other"), home }
    }

    /// The files in the folder, without those beside them that tell of them.
    fn files(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if path.file_name().is_some_and(|name| name == ".pando-folder") {
                    // By it servers know the folder.
                } else if path.extension().is_none_or(|extension| extension != "attrs") {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.home.path().join("files"), &mut found);
        found
    }
}

#[test]
fn what_one_server_does_with_files_the_other_one_sees() {
    let postgres = Postgres::start().unwrap();
    let pair = Pair::start(&postgres);
    let large: Vec<u8> = (0..3_000_000_u32).map(|index| (index % 253) as u8).collect();
    let stored = upload(&pair.one, "large.bin", &large);
    assert_eq!(fetch(&pair.other, &stored.path()).body, large);
    assert!(!pair.one.dir().join("storage").exists() && !pair.other.dir().join("storage").exists());

    let picture = upload(&pair.one, "picture.png", &fixture::png(40, 40));
    let thumb = format!("{}?thumb=20x10", picture.path());
    let made = fetch(&pair.other, &thumb);
    assert_eq!((made.status, pair.files().len()), (200, 3));
    assert_eq!(fetch(&pair.one, &thumb).body, made.body);
    assert_eq!(pair.files().len(), 3, "the thumb was found, not made again");

    let gone = Request::delete(format!("{RECORDS}/{}", picture.id));
    pair.other.client().send(&gone).unwrap().success().unwrap();
    for path in [&picture.path(), &thumb] {
        assert_eq!(fetch(&pair.one, path).status, 404);
    }
    assert_eq!(pair.files().len(), 1);
}

/// Uploads of one name through both servers at once: each is served whole by the other one, and
/// nothing is left where they waited.
#[test]
fn uploads_through_both_do_not_meet() {
    let postgres = Postgres::start().unwrap();
    let pair = Pair::start(&postgres);
    thread::scope(|scope| {
        for number in 0..6_u8 {
            let (here, there) = match number % 2 {
                0 => (&pair.one, &pair.other),
                _ => (&pair.other, &pair.one),
            };
            scope.spawn(move || {
                for round in 0..5_u8 {
                    let content = vec![number * 16 + round; 50_000 + 40_000 * usize::from(round)];
                    let stored = upload(here, "same.bin", &content);
                    assert!(fetch(there, &stored.path()).body == content);
                }
            });
        }
    });
    let files = pair.files();
    assert_eq!(files.len(), 30, "{files:?}");
}
