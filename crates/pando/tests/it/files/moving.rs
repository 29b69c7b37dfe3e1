//! `pando move files`, there and back, with kills and with a bucket that goes away.

use std::thread;

use expect_test::expect;
use pando_testkit::crash::files::{self, STEPS};
use pando_testkit::{Bucket, Postgres, Request, RootClient, Server, control};
use serde_json::json;
use tempfile::TempDir;

use super::{EMAIL, PASSWORD, fetch, pando, prepare, upload};
use crate::process::{command, outcome};

#[test]
fn a_kill_at_any_step_loses_no_file() {
    let bucket = Bucket::start().unwrap();
    let back = ["copy", "mirror", "cut-over"];
    let report = files::run(&pando(), 1, &bucket, &STEPS, &back, 1).unwrap();
    assert!(report.kills >= 9 && report.read > 100, "{report:?}");
}

/// Two servers share a database and a folder; the one that moves is killed, the other goes on.
#[test]
fn a_kill_of_one_of_two_servers_loses_no_file() {
    let (bucket, postgres) = (Bucket::start().unwrap(), Postgres::start().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let program = pando()
        .on_database(&postgres.url(&postgres.new_database().unwrap()))
        .env("PANDO_FILES__DIR", folder.path().as_os_str());
    let (there, back) = (["copy", "mirror", "cut-over"], ["mirror"]);
    let report = files::run(&program, 2, &bucket, &there, &back, 2).unwrap();
    assert!(report.kills >= 4 && report.read > 50, "{report:?}");
}

/// A server with a few files.
struct App {
    server: Server,
    home: TempDir,
}

impl App {
    fn start() -> App {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("data");
        pando().upsert_superuser(&dir, EMAIL, PASSWORD).unwrap();
        let server = Server::launch(&pando(), &dir).unwrap();
        prepare(&server);
        App { server, home }
    }

    /// Runs `pando move files` with more words.
    fn run(&self, bucket: &Bucket, words: &str) -> String {
        let dir = self.server.dir().to_str().unwrap();
        let mut all = vec!["move", "files", "--dir", dir];
        all.extend(words.split(' '));
        let mut command = command(self.home.path(), &all);
        command.env("PANDO_S3_SECRET", bucket.secret());
        let said = outcome(command);
        assert!(!said.contains(bucket.secret()), "{said}");
        let endpoint = bucket.endpoint();
        let host = endpoint.trim_start_matches("http://");
        said.replace(dir, "DIR").replace(&endpoint, "ENDPOINT").replace(host, "HOST")
    }
}

fn to(bucket: &Bucket) -> String {
    let (name, endpoint, region) = (bucket.name(), bucket.endpoint(), bucket.region());
    let key = bucket.access_key();
    format!(
        "--to s3 --bucket {name} --endpoint {endpoint} --region {region} --access-key {key} \
         --path-style"
    )
}

/// Without numbers that differ from run to run.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.lines() {
        let line = match line.find("The copy takes about").or_else(|| line.find(", in ")) {
            Some(at) => &line[..at],
            None => line,
        };
        let line = match line.split_once("pando_trial_") {
            Some((before, after)) => format!("{before}pando_trial_{}", &after[16..]),
            None => line.to_owned(),
        };
        steady.push_str(line.trim_end());
        steady.push('\n');
    }
    steady
}

#[test]
fn the_command_tells_what_it_does() {
    let (bucket, app) = (Bucket::start().unwrap(), App::start());
    let picture = upload(&app.server, "picture.png", &pando_testkit::fixture::png(40, 40));
    let large = upload(&app.server, "large.bin", &vec![7; 9_000_000]);
    let thumb = format!("{}?thumb=20x10", picture.path());
    let before = fetch(&app.server, &thumb);
    let mut told = String::new();
    let mut tell = |words: &str| {
        let shown =
            words.replace(&to(&bucket), "--to s3 …").replace(&bucket.endpoint(), "ENDPOINT");
        told.push_str(&format!("> {shown}\n{}\n", steady(&app.run(&bucket, words))));
    };
    tell("--status");
    tell("--undo");
    tell("--finish");
    tell("--to s3");
    tell(&to(&bucket).replace(bucket.access_key(), "nobody"));
    tell(&format!("{} --dry-run", to(&bucket)));
    tell(&to(&bucket));
    tell(&format!("{} --yes", to(&bucket)));
    tell("--status");
    tell(&format!("{} --yes", to(&bucket)));
    assert_eq!(bucket.keys().len(), 3);
    std::fs::rename(app.server.dir().join("storage"), app.home.path().join("away")).unwrap();
    for stored in [&picture, &large] {
        assert_eq!(fetch(&app.server, &stored.path()).status, 200);
    }
    assert_eq!(fetch(&app.server, &thumb).body, before.body);
    upload(&app.server, "new.txt", b"in the bucket alone");
    std::fs::rename(app.home.path().join("away"), app.server.dir().join("storage")).unwrap();
    tell("--to folder --yes");
    tell("--finish");
    tell("--status");
    expect![[r#"
        > --status
        exit 0
        The files are in the folder DIR/storage.

        > --undo
        exit 1
        error: no files are on their way

        > --finish
        exit 1
        error: no move of files waits for its end

        > --to s3
        exit 1
        error: the bucket is not known
        hint: these are missing: --bucket, --endpoint, --region, --access-key

        > --to s3 --bucket files --endpoint ENDPOINT --region eu-test-1 --access-key nobody --path-style
        exit 1
        error: the files cannot be moved yet
          things             3 files     8.59 MiB
        3 files, 8.59 MiB in the folder DIR/storage
        the bucket files at ENDPOINT cannot be used: a file cannot be stored: failed to store "pando_trial_/first" in the bucket: HOST answered 403 NotSignedUp: Your account is not signed up
        hint: the access key needs the rights s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket


        > --to s3 … --dry-run
        exit 0
          things             3 files     8.59 MiB
        3 files, 8.59 MiB in the folder DIR/storage
        To the bucket files at ENDPOINT: files can be stored, listed, read and deleted there.


        > --to s3 …
        exit 1
          things             3 files     8.59 MiB
        3 files, 8.59 MiB in the folder DIR/storage
        To the bucket files at ENDPOINT: files can be stored, listed, read and deleted there.

        error: nothing was moved
        hint: add --yes to move without being asked

        > --to s3 … --yes
        exit 0
          things             3 files     8.59 MiB
        3 files, 8.59 MiB in the folder DIR/storage
        To the bucket files at ENDPOINT: files can be stored, listed, read and deleted there.

        The files are in the bucket files at ENDPOINT. 3 files, 8.59 MiB, of which 3 (8.59 MiB) were copied
        If one were missing there it would still be found in the folder DIR/storage. `pando move files --finish` ends that; after it the old files can be deleted. `--undo` moves back.

        > --status
        exit 0
        The files are in the bucket files at ENDPOINT. They came from the folder DIR/storage, where they are looked for, too, until --finish. --undo moves them back.

        > --to s3 … --yes
        exit 1
        error: the files are there already

        > --to folder --yes
        exit 0
          things             4 files     8.59 MiB
        4 files, 8.59 MiB in the bucket files at ENDPOINT
        To the folder DIR/storage: files can be stored, listed, read and deleted there.

        The files are in the folder DIR/storage. 4 files, 8.59 MiB, of which 1 (19 B) were copied
        If one were missing there it would still be found in the bucket files at ENDPOINT. `pando move files --finish` ends that; after it the old files can be deleted. `--undo` moves back.

        > --finish
        exit 0
        The move is over. The files in the bucket files at ENDPOINT are not needed any more.

        > --status
        exit 0
        The files are in the folder DIR/storage.

    "#]].assert_eq(&told);
    assert!(!app.server.log().contains(bucket.secret()));
}

/// Without a server the command does it itself.
#[test]
fn a_directory_that_nobody_has_open_is_moved() {
    let (bucket, mut app) = (Bucket::start().unwrap(), App::start());
    let stored = upload(&app.server, "a.txt", b"hello");
    app.server.stop().unwrap();
    let said = app.run(&bucket, &format!("{} --yes", to(&bucket)));
    assert!(said.contains("The files are in the bucket files"), "{said}");
    let server = Server::launch(&pando(), app.server.dir()).unwrap();
    assert_eq!(fetch(&server, &stored.path()).body, b"hello");
    assert_eq!(bucket.keys().len(), 1);
}

/// While the bucket is away uploads go on, and the move waits for it.
#[test]
fn a_bucket_that_goes_away_stops_no_upload() {
    let (mut bucket, app) = (Bucket::start().unwrap(), App::start());
    let mut root = RootClient::login(&app.server, EMAIL, PASSWORD).unwrap();
    upload(&app.server, "before.txt", b"x");
    let words = format!(
        "move files run s3 {} {} {} {} {} path",
        bucket.name(),
        bucket.endpoint(),
        bucket.region(),
        bucket.access_key(),
        bucket.secret()
    );
    let words: Vec<&str> = words.split(' ').collect();
    // Whoever asked has gone when uploads go to both places.
    control::ask(app.server.dir(), &words, |told| told.step != "mirror").unwrap();
    bucket.stop().unwrap();
    let stored: Vec<_> =
        (0..3).map(|number| upload(&app.server, "meanwhile.txt", &[number; 100_000])).collect();
    let taken = json!({ "s3": { "enabled": true, "bucket": "other", "region": "r",
        "endpoint": "https://x.example.com", "accessKey": "k", "secret": "s" } });
    let other = Request::patch("/api/settings").token(root.token()).json(&taken);
    let refused = app.server.client().send(&other).unwrap();
    assert_eq!(refused.status, 400, "the place cannot be changed meanwhile: {}", refused.text());
    bucket.start_again().unwrap();
    let said = thread::scope(|scope| {
        let moving = scope.spawn(|| control::ask(app.server.dir(), &words, |_| true).unwrap());
        upload(&app.server, "at last.txt", b"y");
        moving.join().unwrap().unwrap()
    });
    assert!(said.contains("The files are in the bucket files"), "{said}");
    for (number, stored) in stored.iter().enumerate() {
        assert!(fetch(&app.server, &stored.path()).body == vec![number as u8; 100_000]);
    }
    assert_eq!(bucket.keys().len(), 5);
    let settings = root.json(Request::get("/api/settings")).unwrap();
    assert_eq!(settings["s3"]["bucket"], bucket.name());
}

/// A server with a folder of its own would hide its files: that is told, and nothing is moved.
#[test]
fn servers_with_folders_of_their_own_are_refused() {
    let (bucket, postgres) = (Bucket::start().unwrap(), Postgres::start().unwrap());
    let home = tempfile::tempdir().unwrap();
    let program = pando().on_database(&postgres.url(&postgres.new_database().unwrap()));
    let dirs = ["one", "other"].map(|name| home.path().join(name));
    program.upsert_superuser(&dirs[0], EMAIL, PASSWORD).unwrap();
    let servers = dirs.each_ref().map(|dir| Server::launch(&program, dir).unwrap());
    let log = || {
        let said = servers.iter().any(|server| server.log().contains("in another folder"));
        Ok(said.then_some(()))
    };
    pando_testkit::wait_for("a warning", std::time::Duration::from_secs(10), log).unwrap();
    let app = App { server: servers.into_iter().next().unwrap(), home };
    let said = app.run(&bucket, &format!("{} --yes", to(&bucket)));
    assert!(said.contains("Another server keeps files in a folder of its own:"), "{said}");
    assert!(said.contains("other/storage\nhint: set files.dir"), "{said}");
    assert_eq!(bucket.keys(), [""; 0]);
}
