//! Files in a bucket, beside the real PocketBase on the same one.

use std::thread;
use std::time::Duration;

use pando_testkit::{
    Bucket, Multipart, Postgres, Product, Program, Request, Response, RootClient, Server, fixture,
    wait_for,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{EMAIL, PASSWORD, RECORDS, fetch, pando, prepare, upload};

fn use_bucket(root: &mut RootClient, bucket: &Bucket) {
    let settings = json!({ "s3": bucket.settings() });
    root.json(Request::patch("/api/settings").json(&settings)).unwrap();
}

fn use_folder(root: &mut RootClient) {
    let settings = json!({ "s3": { "enabled": false } });
    root.json(Request::patch("/api/settings").json(&settings)).unwrap();
}

struct App {
    server: Server,
    root: RootClient,
    _dir: TempDir,
}

impl App {
    /// A server of its own.
    fn start(product: Product) -> App {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let program = match product {
            Product::Pando => pando(),
            Product::Oracle => Program::find(product).unwrap(),
        };
        program.upsert_superuser(&data, EMAIL, PASSWORD).unwrap();
        let server = Server::launch(&program, &data).unwrap();
        prepare(&server);
        let root = RootClient::login(&server, EMAIL, PASSWORD).unwrap();
        App { server, root, _dir: dir }
    }

    fn files_in_folder(&self) -> usize {
        let folder = self.server.dir().join("storage");
        std::fs::read_dir(folder).map_or(0, |found| {
            let names = found.map(|entry| entry.unwrap().file_name());
            names.filter(|name| name != ".pando-staging").count()
        })
    }
}

#[test]
fn the_place_of_files_follows_the_settings() {
    let bucket = Bucket::start().unwrap();
    let mut app = App::start(Product::Pando);
    let before = upload(&app.server, "before.txt", b"in the folder");
    use_bucket(&mut app.root, &bucket);
    assert_eq!(fetch(&app.server, &before.path()).status, 404, "it is not in the bucket");
    let large: Vec<u8> = (0..9_000_001_u32).map(|at| (at % 251) as u8).collect();
    let stored = upload(&app.server, "large.bin", &large);
    let picture = upload(&app.server, "picture.png", &fixture::png(40, 40));
    let key = stored.path().replace("/api/files/things/", "");
    assert!(bucket.keys().iter().any(|found| found.ends_with(&key)), "{:?}", bucket.keys());
    assert_eq!(app.files_in_folder(), 1);

    assert!(fetch(&app.server, &stored.path()).body == large);
    let part = Request::get(stored.path()).header("Range", "bytes=8999990-");
    let part = app.server.client().send(&part).unwrap();
    assert_eq!((part.status, part.body.as_slice()), (206, &large[8_999_990..]));
    let two = Request::get(stored.path()).header("Range", "bytes=0-1,8999999-9000000");
    let two = app.server.client().send(&two).unwrap();
    assert_eq!((two.status, two.text().matches("Content-Range: bytes").count()), (206, 2));
    let modified = part.header("last-modified").unwrap();
    let known = Request::get(stored.path()).header("If-Modified-Since", modified);
    assert_eq!(app.server.client().send(&known).unwrap().status, 304);
    let head = app.server.client().send(&Request::new("HEAD", stored.path())).unwrap();
    assert_eq!(head.header("content-length"), Some("9000001"));
    let thumb = fetch(&app.server, &format!("{}?thumb=20x10", picture.path()));
    assert_eq!(thumb.header("content-type"), Some("image/png"));
    assert_eq!(bucket.keys().len(), 3, "{:?}", bucket.keys());

    for gone in [&stored, &picture] {
        let gone = Request::delete(format!("{RECORDS}/{}", gone.id));
        app.server.client().send(&gone).unwrap().success().unwrap();
    }
    assert_eq!(bucket.keys(), [""; 0]);
    use_folder(&mut app.root);
    assert_eq!(fetch(&app.server, &before.path()).body, b"in the folder");
    assert!(!app.server.log().contains(bucket.secret()));
}

/// What both servers answer to `POST /api/settings/test/s3`.
#[test]
fn the_test_of_a_bucket_answers_as_pocketbase_does() {
    let bucket = Bucket::start().unwrap();
    let [mut pando, mut oracle] = [Product::Pando, Product::Oracle].map(App::start);
    let ask = |app: &App, body: &Value| -> (u16, Value) {
        let request = Request::post("/api/settings/test/s3").token(app.root.token()).json(body);
        let answer = app.server.client().send(&request).unwrap();
        (answer.status, answer.json().unwrap_or(Value::Null))
    };
    let bodies = [
        json!({}),
        json!({ "filesystem": "" }),
        json!({ "filesystem": "other" }),
        json!({ "filesystem": 1 }),
        json!({ "filesystem": "storage" }),
        json!({ "filesystem": "backups" }),
    ];
    for _ in ["without", "with"] {
        for body in &bodies {
            assert_eq!(ask(&pando, body), ask(&oracle, body), "{body}");
        }
        use_bucket(&mut pando.root, &bucket);
        use_bucket(&mut oracle.root, &bucket);
    }
    assert_eq!(ask(&pando, &json!({ "filesystem": "storage" })).0, 204);
    assert_eq!(bucket.keys(), [""; 0]);
    let guest = Request::post("/api/settings/test/s3").json(&json!({ "filesystem": "storage" }));
    let statuses = [&pando, &oracle].map(|app| app.server.client().send(&guest).unwrap().status);
    assert_eq!(statuses, [401, 401]);
    for app in [&mut pando, &mut oracle] {
        let wrong = json!({ "s3": { "secret": "wrong" } });
        app.root.json(Request::patch("/api/settings").json(&wrong)).unwrap();
    }
    let told = [&pando, &oracle].map(|app| ask(app, &json!({ "filesystem": "storage" })));
    for (status, answer) in told {
        let message = answer["message"].as_str().unwrap();
        let start = "Failed to test the S3 filesystem. Raw error: \nfailed to upload a test file: ";
        assert!(status == 400 && message.starts_with(start), "{message}");
        assert!(message.contains("403 SignatureDoesNotMatch"), "{message}");
    }
}

/// Files of all sorts, as clients send them.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain.txt", b"hello".to_vec()),
        ("empty.bin", Vec::new()),
        ("Ä pic & more.png", fixture::png(30, 30)),
        ("page.html", b"<html><body>x</body></html>".to_vec()),
        ("a+b=c;d,e'f(g)!.json", b"{\"a\":[1,2]}".to_vec()),
        ("vector.svg", fixture::SVG.to_vec()),
        ("large.bin", (0..8_500_000_u32).map(|at| (at % 241) as u8).collect()),
    ]
}

/// What is in the bucket by the client's name of each file: type and metadata, and thumbs.
fn described(bucket: &Bucket) -> Vec<String> {
    let keys = bucket.keys();
    let mut lines: Vec<String> = keys
        .iter()
        .map(|key| {
            let depth = key.split('/').count();
            let thumb = key.contains("/thumbs_");
            format!("{depth} {thumb} {}", bucket.attributes(key).unwrap())
        })
        .collect();
    lines.sort();
    lines
}

fn upload_samples(app: &App) -> Vec<super::Stored> {
    samples().iter().map(|(name, content)| upload(&app.server, name, content)).collect()
}

/// All that clients see of a file.
fn seen(server: &Server, path: &str) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let Response { status, mut headers, body } = fetch(server, path);
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    headers.sort();
    (status, headers, body)
}

/// Both write the same, and each reads what the other one wrote.
#[test]
fn one_bucket_serves_pocketbase_and_pando() {
    let buckets = [Bucket::start().unwrap(), Bucket::start().unwrap()];
    let [mut pando_app, mut oracle_app] = [Product::Pando, Product::Oracle].map(App::start);
    for (app, bucket) in [(&mut pando_app, &buckets[0]), (&mut oracle_app, &buckets[1])] {
        use_bucket(&mut app.root, bucket);
    }
    let mut paths = Vec::new();
    for app in [&pando_app, &oracle_app] {
        let stored = upload_samples(app);
        let mut of_app: Vec<String> = stored.iter().map(super::Stored::path).collect();
        of_app.push(format!("{}?thumb=20x10", stored[2].path()));
        assert_eq!(fetch(&app.server, of_app.last().unwrap()).status, 200);
        paths.push(of_app);
    }
    assert_eq!(described(&buckets[0]), described(&buckets[1]));

    // Now each goes on where the other one was.
    let mut serving = Vec::new();
    for (app, paths) in [(pando_app, &paths[0]), (oracle_app, &paths[1])] {
        let before: Vec<_> = paths.iter().map(|path| seen(&app.server, path)).collect();
        let product = app.server.product();
        let dir = app.server.dir().to_owned();
        let App { mut server, _dir, .. } = app;
        server.stop().unwrap();
        let program = match product {
            Product::Oracle => pando(),
            Product::Pando => Program::find(Product::Oracle).unwrap(),
        };
        let other = Server::launch(&program, &dir).unwrap();
        let after: Vec<_> = paths.iter().map(|path| seen(&other, path)).collect();
        for ((before, after), path) in before.iter().zip(&after).zip(paths) {
            assert!(before == after, "{path}: {:?} {:?}", &before.1, &after.1);
        }
        let record = paths[0].trim_start_matches("/api/files/things/").split('/').next().unwrap();
        let gone = Request::delete(format!("{RECORDS}/{record}"));
        other.client().send(&gone).unwrap().success().unwrap();
        assert_eq!(fetch(&other, &paths[0]).status, 404);
        serving.push(other);
    }
    for bucket in &buckets {
        // One file less, one thumb more. PocketBase deletes after its answer.
        let gone = || Ok((bucket.keys().len() == samples().len()).then_some(()));
        let deleted = wait_for("the deletion of a file", Duration::from_secs(10), gone);
        assert!(deleted.is_ok(), "{:?} {paths:?}", bucket.keys());
    }
}

#[test]
fn a_bucket_that_is_away_is_told_and_nothing_is_half_done() {
    let mut bucket = Bucket::start().unwrap();
    let mut app = App::start(Product::Pando);
    use_bucket(&mut app.root, &bucket);
    let stored = upload(&app.server, "a.txt", b"x");
    bucket.stop().unwrap();
    let refused = fetch(&app.server, &stored.path());
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    let form = Multipart::new().file("doc", "b.txt", "text/plain", b"y");
    let refused = app.server.client().send(&Request::post(RECORDS).multipart(&form)).unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    bucket.start_again().unwrap();
    assert_eq!(fetch(&app.server, &stored.path()).body, b"x");
    let list = app.server.client().send(&Request::get(RECORDS)).unwrap().json().unwrap();
    assert_eq!((&list["totalItems"], bucket.keys().len()), (&json!(1), 1));
    let log = app.server.log();
    assert!(log.contains("the connection to 127.0.0.1") && !log.contains(bucket.secret()), "{log}");
}

/// Uploads and downloads of 60 MB at once go through some MB of memory.
#[test]
fn large_files_do_not_fill_the_memory() {
    const CLIENTS: usize = 3;
    const BYTES: usize = 60_000_000;
    let bucket = Bucket::start().unwrap();
    let mut app = App::start(Product::Pando);
    use_bucket(&mut app.root, &bucket);
    upload(&app.server, "first.bin", &[1; 100_000]);
    let before = app.server.rss_peak_bytes().unwrap();
    let content = vec![7; BYTES];
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let stored = upload(&app.server, "large.bin", &content);
                assert!(fetch(&app.server, &stored.path()).body == content);
            });
        }
    });
    let more = app.server.rss_peak_bytes().unwrap() - before;
    assert!(more < 100_000_000, "{more} bytes for {CLIENTS} files of {BYTES}");
}

/// A change on one server holds on the other one from then on: what it stores is found.
#[test]
fn all_servers_follow_a_change_of_the_place() {
    let (bucket, postgres) = (Bucket::start().unwrap(), Postgres::start().unwrap());
    let database = postgres.new_database().unwrap();
    let home = tempfile::tempdir().unwrap();
    let program = pando()
        .on_database(&postgres.url(&database))
        .env("PANDO_FILES__DIR", home.path().join("files").as_os_str());
    let launch = |name: &str| Server::launch(&program, &home.path().join(name)).unwrap();
    program.upsert_superuser(&home.path().join("one"), EMAIL, PASSWORD).unwrap();
    let one = launch("one");
    prepare(&one);
    let other = launch("other");
    let mut root = RootClient::login(&one, EMAIL, PASSWORD).unwrap();
    for round in 0..4_u8 {
        match round % 2 {
            0 => use_bucket(&mut root, &bucket),
            _ => use_folder(&mut root),
        }
        // The other server may not know yet, and then says so.
        let form = Multipart::new().file("doc", "a.bin", "text/plain", &vec![round; 200_000]);
        let request = Request::post(RECORDS).multipart(&form);
        let mut answer = other.client().send(&request).unwrap();
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), Some("1"));
            answer = other.client().send(&request).unwrap();
        }
        let record = answer.success().unwrap().json().unwrap();
        let (id, name) = (record["id"].as_str().unwrap(), record["doc"][0].as_str().unwrap());
        let path = format!("/api/files/things/{id}/{name}");
        for server in [&one, &other] {
            assert!(fetch(server, &path).body == vec![round; 200_000], "round {round}");
        }
        let stored = upload(&one, "b.bin", &[round; 10]);
        assert_eq!(fetch(&other, &stored.path()).body, [round; 10], "at once");
    }
    assert_eq!(bucket.keys().len(), 4);
}
