//! A process beside the lab that does nothing until the lab is gone. If the lab was killed, it stops
//! what is left; so a lab leaves nothing behind, however it ends.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::folder::Folder;
use crate::record::Record;
use crate::spawner::Spawner;
use crate::sweep::sweep;
use crate::wait::wait_for;

/// A lab that is killed loses its lock at once.
const LOCK_WITHIN: Duration = Duration::from_secs(20);

/// The guard's process, seen from the lab. When the lab ends in whatever way, its pipe does.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    /// Starts `pando lab guard`.
    pub(crate) fn start(pando: &Path, folder: &Folder, spawner: &Spawner) -> Result<Guard> {
        let log = File::options().create(true).append(true).open(folder.log("guard"))?;
        let mut command = Command::new(pando);
        command.args(["lab", "guard", "--dir"]).arg(folder.path());
        command.env_clear().env("PATH", crate::PATH).current_dir("/");
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        // A terminal's Ctrl-C is not for it.
        command.process_group(0);
        Ok(Guard(spawner.spawn(command).context("failed to start the guard")?))
    }

    /// Lets it go: it finds nothing to do.
    pub(crate) fn dismiss(mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What the guard does. `pipe` ends with the lab.
pub fn watch(folder: &Folder, mut pipe: impl std::io::Read) -> Result<usize> {
    let mut nothing = Vec::new();
    (&mut pipe).take(1).read_to_end(&mut nothing).context("failed to wait for the lab's end")?;
    if !Record::read(folder)?.is_some_and(|record| record.leaves_something()) {
        return Ok(0);
    }
    let lock = wait_for("the lab's end", LOCK_WITHIN, || folder.try_lock())?;
    sweep(folder, &lock)
}
