//! `pando lab logs`: the ends of the nodes' logs, and what is added to them.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use pando_lab::Folder;

use crate::{cli::LabLogs, output};

const PERIOD: Duration = Duration::from_millis(200);

/// The end of a log in which its last lines are looked for.
const TAIL_BYTES: u64 = 1 << 20;

pub(super) fn run(folder: &Folder, arguments: &LabLogs) -> anyhow::Result<()> {
    let mut logs = Vec::new();
    for name in names(folder)? {
        if arguments.node.as_ref().is_none_or(|node| *node == name) {
            logs.push(Log { path: folder.log(&name), name, position: 0 });
        }
    }
    ensure!(
        !logs.is_empty(),
        "no logs of {} in {}",
        arguments.node.as_deref().unwrap_or("any node"),
        folder.path().display()
    );
    let several = logs.len() > 1;
    for log in &mut logs {
        let text = log.tail(arguments.lines)?;
        log.print(&text, several)?;
    }
    if !arguments.follow {
        return Ok(());
    }
    loop {
        for log in &mut logs {
            let text = log.more()?;
            log.print(&text, several)?;
        }
        thread::sleep(PERIOD);
    }
}

/// The nodes that have a log, in the order of their names.
fn names(folder: &Folder) -> anyhow::Result<Vec<String>> {
    let logs = folder.path().join("logs");
    let entries = std::fs::read_dir(&logs)
        .with_context(|| format!("there is no lab in {}", folder.path().display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".log").map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

struct Log {
    name: String,
    path: PathBuf,
    /// How much has been printed, in bytes.
    position: u64,
}

impl Log {
    fn tail(&mut self, lines: usize) -> anyhow::Result<String> {
        let length = std::fs::metadata(&self.path)?.len();
        self.position = length.saturating_sub(TAIL_BYTES);
        let text = self.more()?;
        let skipped = text.lines().count().saturating_sub(lines);
        Ok(text.lines().skip(skipped).map(|line| format!("{line}\n")).collect())
    }

    /// What was added since the last time.
    fn more(&mut self) -> anyhow::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        self.position += bytes.len() as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Prints lines, with the name of the node where there are several.
    fn print(&self, text: &str, named: bool) -> anyhow::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let name = output::cyan(&self.name);
        let line =
            |line: &str| if named { format!("{name} {line}\n") } else { format!("{line}\n") };
        Ok(output::print(&text.lines().map(line).collect::<String>())?)
    }
}
