//! A real S3 server for tests: the program `pando-bucket`, which checks signatures and keeps
//! objects in a folder.
//!
//! *Invariant*: it is gone when its `Bucket` is dropped, and when the process of the test dies.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{self, Signal};
use crate::server::find_program;

const NAME: &str = "files";
const ACCESS_KEY: &str = "test-access-key";
/// Never to be found in a log.
const SECRET: &str = "test-secret-hunter2";
const REGION: &str = "eu-test-1";

/// A server with one bucket.
#[derive(Debug)]
pub struct Bucket {
    child: Child,
    addr: SocketAddr,
    dir: TempDir,
}

impl Bucket {
    /// Starts a server over a folder of its own.
    pub fn start() -> Result<Bucket> {
        let dir = tempfile::tempdir().context("failed to make a directory")?;
        let (child, addr) = launch(dir.path(), "127.0.0.1:0")?;
        Ok(Bucket { child, addr, dir })
    }

    /// What stands for `settings.s3`.
    pub fn settings(&self) -> Value {
        json!({
            "enabled": true, "bucket": NAME, "region": REGION, "endpoint": self.endpoint(),
            "accessKey": ACCESS_KEY, "secret": SECRET, "forcePathStyle": true,
        })
    }

    pub fn name(&self) -> &'static str {
        NAME
    }

    pub fn region(&self) -> &'static str {
        REGION
    }

    pub fn access_key(&self) -> &'static str {
        ACCESS_KEY
    }

    pub fn secret(&self) -> &'static str {
        SECRET
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The objects' keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        collect(&self.folder(), "", &mut keys);
        keys.sort();
        keys
    }

    /// The content of an object, if there is one.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.folder().join(key)).ok()
    }

    /// What the server keeps beside the content of an object: type and metadata.
    pub fn attributes(&self, key: &str) -> Result<Value> {
        use base64::Engine as _;
        let encode = |text: &str| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text);
        let name = format!(".bucket-{}.object-{}.metadata.json", encode(NAME), encode(key));
        let text = fs::read(self.dir.path().join(name)).context("no attributes")?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Where the objects lie.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join(NAME)
    }

    /// Holds the server up: it takes connections and answers nothing.
    pub fn freeze(&self) -> Result<()> {
        process::signal(Signal::STOP, &[self.child.id()])
    }

    /// Ends a freeze.
    pub fn thaw(&self) -> Result<()> {
        process::signal(Signal::CONT, &[self.child.id()])
    }

    /// Ends the server.
    pub fn stop(&mut self) -> Result<()> {
        self.child.kill().context("failed to kill the bucket")?;
        self.child.wait().context("failed to wait for the bucket")?;
        Ok(())
    }

    /// Starts it again at the same place with the same objects.
    pub fn start_again(&mut self) -> Result<()> {
        (self.child, self.addr) = launch(self.dir.path(), &self.addr.to_string())?;
        Ok(())
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // Already stopped is fine; nothing else can be done about a failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(dir: &Path, http: &str) -> Result<(Child, SocketAddr)> {
    let program = find_program("pando-bucket", "PANDO_BUCKET_BIN", "cargo build -p pando-bucket")?;
    let mut child = Command::new(program)
        .arg("--dir")
        .arg(dir)
        .args(["--bucket", NAME, "--http", http, "--until-input-ends"])
        .args(["--access-key", ACCESS_KEY, "--secret", SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start pando-bucket")?;
    let mut line = String::new();
    let output = child.stdout.take().context("no output")?;
    BufReader::new(output).read_line(&mut line)?;
    let addr = line.trim().strip_prefix("http://").context("pando-bucket did not start")?;
    Ok((child, addr.parse()?))
}

fn collect(dir: &Path, start: &str, keys: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let key = format!("{start}{}", entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), &format!("{key}/"), keys),
            _ => keys.push(key),
        }
    }
}
