//! The folder of a lab: where everything is, and who may work in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Where a lab keeps everything; an absolute path.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// Held by the one process that starts and stops things in a folder.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is held, not used")] File);

impl Folder {
    /// Names a folder, which need not exist.
    pub fn new(path: &Path) -> Result<Folder> {
        let path = std::path::absolute(path);
        Ok(Folder(path.context("no working directory")?))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What was started, and how; see [`crate::record`].
    pub(crate) fn record(&self) -> PathBuf {
        self.0.join("lab.json")
    }

    /// Where a running lab listens for commands.
    pub(crate) fn socket_name(&self) -> &'static str {
        "lab.sock"
    }

    /// All that a node keeps.
    pub(crate) fn node(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The uploaded files of all web servers that share a database.
    pub(crate) fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    /// What a node has printed.
    pub fn log(&self, name: &str) -> PathBuf {
        self.0.join("logs").join(format!("{name}.log"))
    }

    /// Makes the folder. Others may pass through it, since the user of PostgreSQL must; all in it is
    /// closed to them.
    pub(crate) fn create(&self) -> Result<()> {
        let logs = self.0.join("logs");
        let made = fs::create_dir_all(&logs);
        made.with_context(|| format!("failed to make {}", logs.display()))?;
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o711))?;
        fs::set_permissions(&logs, fs::Permissions::from_mode(0o700))?;
        Ok(())
    }

    /// `None` while another process has it.
    pub(crate) fn try_lock(&self) -> Result<Option<Lock>> {
        let path = self.0.join("lab.lock");
        let file = match File::options().create(true).append(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("there is no lab in {}", self.0.display())
            }
            Err(error) => return Err(error).context(format!("failed to open {}", path.display())),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error).context("failed to lock the folder"),
        }
    }
}
