//! What is started: a product's binary and the environment that it runs in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Product, Server, find_binary, public_dir};

/// The key `database.url` of Pando's configuration.
const DATABASE_VARIABLE: &str = "PANDO_DATABASE__URL";

/// The key `files.dir`.
const FILES_VARIABLE: &str = "PANDO_FILES__DIR";

/// A binary and what it is told beside its arguments.
#[derive(Clone, Debug)]
pub struct Program {
    product: Product,
    binary: PathBuf,
    env: Vec<(&'static str, OsString)>,
    /// Its static site, if not beside the data directory.
    public_dir: Option<PathBuf>,
}

impl Program {
    /// The product's own binary, wherever it is.
    pub fn find(product: Product) -> Result<Self> {
        Ok(Self::new(product, &find_binary(product)?))
    }

    pub fn new(product: Product, binary: &Path) -> Self {
        Self { product, binary: binary.to_owned(), env: Vec::new(), public_dir: None }
    }

    /// The same program with its records in a database on PostgreSQL. Pando only.
    pub fn on_database(self, url: &str) -> Self {
        self.env(DATABASE_VARIABLE, url)
    }

    /// Whether it writes records into its data directory, and not into a database elsewhere.
    pub fn keeps_records_in_directory(&self) -> bool {
        self.env.iter().all(|(name, _)| *name != DATABASE_VARIABLE)
    }

    /// The same program with one more environment variable.
    pub fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Starts several servers on one database, with one folder of files: the first in `dir`, the
    /// others in directories beside it. Pando only.
    pub fn launch_several(&self, dir: &Path, count: usize) -> Result<Vec<Server>> {
        let files = dir.join("storage");
        std::fs::create_dir_all(&files).context("failed to make the folder of files")?;
        let mut program = self.clone().env(FILES_VARIABLE, &files);
        program.public_dir = Some(public_dir(dir));
        let launch = |number: usize| match number {
            0 => Server::launch(&program, dir),
            more => {
                let mut name = dir.as_os_str().to_owned();
                name.push(format!("-{more}"));
                Server::launch(&program, Path::new(&name))
            }
        };
        (0..count).map(launch).collect()
    }

    /// Where a server with that data directory looks for static files.
    pub(super) fn public_dir(&self, dir: &Path) -> PathBuf {
        self.public_dir.clone().unwrap_or_else(|| public_dir(dir))
    }

    pub fn product(&self) -> Product {
        self.product
    }

    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// To run it with arguments of the caller's.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Creates or updates a superuser through the command line; the server may be stopped.
    pub fn upsert_superuser(&self, dir: &Path, email: &str, password: &str) -> Result<()> {
        let mut command = self.command();
        command.args(["superuser", "upsert", email, password]).arg("--dir").arg(dir);
        let output = command.output().context("failed to run the superuser command")?;
        ensure!(
            output.status.success(),
            "the superuser command failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}
