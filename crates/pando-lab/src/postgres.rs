//! The programs of PostgreSQL, and the account that they run under: they refuse to run as root.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;

use crate::command::run;

/// The oldest release that will do.
const VERSION_MIN: u32 = 15;

/// Where Debian keeps the programs of each release.
const RELEASES: &str = "/usr/lib/postgresql";

/// The account that PostgreSQL's package makes, and the name of its first role.
pub const USER: &str = "postgres";

/// The Debian package that has the programs.
pub const PACKAGE: &str = "postgresql";

/// Where the programs of the newest release are.
pub fn programs() -> Result<PathBuf> {
    let mut newest: Option<(u32, PathBuf)> = None;
    for entry in fs::read_dir(RELEASES).into_iter().flatten() {
        let entry = entry?;
        let version = entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0);
        let programs = entry.path().join("bin");
        if programs.join("initdb").exists() && newest.as_ref().is_none_or(|best| best.0 < version) {
            newest = Some((version, programs));
        }
    }
    let (version, programs) =
        newest.with_context(|| format!("no PostgreSQL\nhint: apt-get install {PACKAGE}"))?;
    ensure!(version >= VERSION_MIN, "PostgreSQL {version} is too old: {VERSION_MIN} is needed");
    Ok(programs)
}

/// As whom PostgreSQL's programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// As whoever runs this.
    Own,
    /// This is root: as [`USER`].
    Named { uid: u32, gid: u32 },
    /// This is root, but [`USER`] cannot reach the folder, for example one in root's home. So the
    /// programs stay root, in a user namespace of their own where root's number is that of [`USER`].
    Namesake { uid: u32, gid: u32 },
}

impl Account {
    /// The one that can work in `dir`, which must exist.
    pub fn for_dir(dir: &Path) -> Result<Account> {
        if !geteuid().is_root() {
            return Ok(Account::Own);
        }
        let id = |flag: &str| -> Result<u32> {
            let id = run(Command::new("id").args([flag, USER]));
            let id = id.with_context(|| format!("no user {USER}\nhint: apt-get install {PACKAGE}"));
            id?.trim().parse().context("bad user id")
        };
        let (uid, gid) = (id("-u")?, id("-g")?);
        let named = Account::Named { uid, gid };
        let mut reach = named.command(Path::new("test"));
        let reach = reach.arg("-x").arg(dir).stderr(Stdio::null()).status();
        let reached = reach.context("failed to run setpriv\nhint: apt-get install util-linux")?;
        Ok(if reached.success() { named } else { Account::Namesake { uid, gid } })
    }

    /// What to write before a command so that it runs under this account.
    pub fn prefix(self) -> Vec<OsString> {
        let words = match self {
            Account::Own => Vec::new(),
            Account::Named { uid, gid } => vec![
                "setpriv".to_owned(),
                format!("--reuid={uid}"),
                format!("--regid={gid}"),
                "--init-groups".to_owned(),
            ],
            Account::Namesake { uid, gid } => {
                vec![
                    "unshare".to_owned(),
                    format!("--map-user={uid}"),
                    format!("--map-group={gid}"),
                ]
            }
        };
        words.into_iter().map(OsString::from).collect()
    }

    /// A command that runs `program` under this account.
    pub fn command(self, program: &Path) -> Command {
        let mut words = self.prefix();
        words.push(program.into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        // Folders of root are closed to other users.
        command.current_dir("/");
        command
    }

    /// Gives a file or folder to this account.
    pub fn own(self, path: &Path) -> Result<()> {
        match self {
            Account::Own | Account::Namesake { .. } => Ok(()),
            Account::Named { uid, gid } => chown(path, Some(uid), Some(gid))
                .with_context(|| format!("failed to give {} to {USER}", path.display())),
        }
    }
}
