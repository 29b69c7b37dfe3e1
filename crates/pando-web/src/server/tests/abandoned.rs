//! Clients that leave in the middle of a write: the write goes on, and no file is left over.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};

use pando_testkit::{Multipart, wait_for};
use serde_json::json;

use super::*;

const RECORDS: &str = "/api/collections/docs/records";
const FIRST: &str = "first0000000000";

/// A server with the collection `docs` and a record in it.
struct Docs {
    server: TestServer,
    /// How many tasks there are without a connection.
    idle_tasks: usize,
    folder: PathBuf,
}

impl Docs {
    fn start() -> Docs {
        let server = TestServer::start();
        let idle_tasks = server.app.life.tasks_count();
        let docs = json!({
            "name": "docs", "createRule": "", "updateRule": "", "deleteRule": "", "viewRule": "",
            "fields": [{ "type": "text", "name": "name" }, { "type": "file", "name": "file" }],
            "indexes": ["CREATE UNIQUE INDEX idx_name ON docs (name)"],
        });
        let create = Request::post("/api/collections").json(&docs).token(&server.superuser());
        let made = server.send(&create).success().unwrap().json().unwrap();
        let form = Multipart::new().text("id", FIRST).text("name", "first");
        let form = form.file("file", "old.txt", "text/plain", b"old");
        server.send(&Request::post(RECORDS).multipart(&form)).success().unwrap();
        let folder = server.dir.path().join("data/storage").join(made["id"].as_str().unwrap());
        Docs { server, idle_tasks, folder }
    }

    /// The names of all files of the collection, without what follows the original name.
    fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in std::fs::read_dir(&self.folder).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).into_iter().flatten() {
                let name = file.unwrap().file_name().into_string().unwrap();
                if !name.ends_with(".attrs") {
                    names.push(name.split('_').next().unwrap().to_owned());
                }
            }
        }
        names.sort();
        names
    }

    #[track_caller]
    fn expect_files(&self, expected: &[&str]) {
        let what = format!("the files {expected:?}");
        wait_for(&what, LONG, || Ok((self.files() == expected).then_some(()))).unwrap();
    }

    /// Sends `request` while the writer is busy, leaves once `files` are there and the write
    /// waits, and lets the writer go on when the server has noticed.
    fn abandon(&self, request: &Request, files: &[&str]) {
        let life = &self.server.app.life;
        let (go_on, wait) = mpsc::channel::<()>();
        let (begun, busy) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let store = self.server.app.store.clone();
        let hold = self.server.runtime.spawn(async move {
            let held = store.write(move |_| {
                begun.send(()).unwrap();
                wait.lock().unwrap().recv().unwrap();
                Box::pin(async { Ok(()) })
            });
            let held: Result<(), StoreError> = held.await;
            held.unwrap();
        });
        busy.recv().unwrap();
        let tasks = |count: usize| {
            let there = || Ok((life.tasks_count() == self.idle_tasks + count).then_some(()));
            wait_for("the tasks", LONG, there).unwrap();
        };
        tasks(0);
        let mut stream = self.server.connect();
        stream.write_all(&request.to_bytes(self.server.addr())).unwrap();
        self.expect_files(files);
        let waits = || Ok((self.server.app.store.writes_waiting() == 1).then_some(()));
        wait_for("the write in the queue", LONG, waits).unwrap();
        // The connection, and the write that goes on without it.
        tasks(2);
        drop(stream);
        tasks(1);
        go_on.send(()).unwrap();
        self.server.runtime.block_on(hold).unwrap();
        tasks(0);
    }
}

#[test]
fn an_update_deletes_the_old_file_all_the_same() {
    let docs = Docs::start();
    let form = Multipart::new().file("file", "new.txt", "text/plain", b"new");
    let request = Request::patch(format!("{RECORDS}/{FIRST}")).multipart(&form);
    docs.abandon(&request, &["new", "old"]);
    docs.expect_files(&["new"]);
    let record = docs.server.get(&format!("{RECORDS}/{FIRST}")).json().unwrap();
    assert!(record["file"].as_str().unwrap().starts_with("new_"), "{record}");
}

#[test]
fn a_write_that_fails_takes_its_files_with_it() {
    let docs = Docs::start();
    let form = Multipart::new().text("name", "first").file("file", "new.txt", "text/plain", b"new");
    docs.abandon(&Request::post(RECORDS).multipart(&form), &["new", "old"]);
    docs.expect_files(&["old"]);
}

#[test]
fn a_delete_takes_the_files_with_it() {
    let docs = Docs::start();
    docs.abandon(&Request::delete(format!("{RECORDS}/{FIRST}")), &["old"]);
    docs.expect_files(&[]);
}
