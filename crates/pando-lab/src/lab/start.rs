//! Starts nodes, each after those that it needs.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{Lab, Options, Progress, Tell, new_record};
use crate::folder::Folder;
use crate::node::{Site, Start};
use crate::process::Mark;
use crate::record::{Record, VARIABLE};
use crate::wait::wait_for;

/// A database that recovers from a crash takes its time; nothing else comes near.
const READY_WITHIN: Duration = Duration::from_secs(60);

pub(super) const GIVEN_UP: &str = "stopped while starting";

/// What is shown of the log of a node that did not start.
const LOG_SHOWN_BYTES: u64 = 4 << 10;

/// Prepares the folder for a new lab, with or without what an earlier one left there.
pub(super) fn begin(options: &Options, folder: &Folder) -> Result<Record> {
    let mut before = Record::read(folder)?;
    if let Some(record) = before.take_if(|_| options.fresh) {
        for node in &record.nodes {
            remove(&folder.node(&node.name))?;
            remove(&folder.log(&node.name))?;
        }
        remove(&folder.files())?;
        remove(&folder.record())?;
    }
    if let Some(record) = &before {
        let (wanted, there) = (options.rung.number(), record.rung);
        // On SQLite the records are elsewhere.
        let same_engine = (wanted == 1) == (there == 1);
        ensure!(
            same_engine,
            "the data in {} are those of rung {there}\nhint: --fresh deletes them, --dir names \
             another folder",
            folder.path().display()
        );
    }
    let record = new_record(options.rung, before)?;
    record.write(folder)?;
    Ok(record)
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to delete {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Lab {
    /// Starts a node that does not run, and waits until it is ready.
    pub fn start(&mut self, name: &str) -> Result<()> {
        let index = self.index(name)?;
        ensure!(self.family(index)?.is_empty(), "{name} runs\nhint: pando lab kill {name}");
        self.start_nodes(&[index], &mut |_| true)
    }

    /// Starts nodes together as far as they do not need each other.
    pub(super) fn start_nodes(&mut self, indexes: &[usize], tell: Tell<'_>) -> Result<()> {
        let mut waiting: Vec<usize> = indexes.to_vec();
        while !waiting.is_empty() {
            let (now, later): (Vec<usize>, Vec<usize>) = waiting
                .iter()
                .partition(|index| !waiting.iter().any(|other| self.needs(**index, *other)));
            assert!(!now.is_empty(), "kinds that need each other");
            for index in &now {
                self.launch(*index, tell)?;
            }
            for index in &now {
                self.await_ready(*index, tell)?;
            }
            waiting = later;
        }
        Ok(())
    }

    fn needs(&self, index: usize, other: usize) -> bool {
        let kind = |index: usize| self.world.sites[index].kind;
        kind(index).needs().contains(&kind(other))
    }

    fn launch(&mut self, index: usize, tell: Tell<'_>) -> Result<()> {
        let site = self.world.sites[index].clone();
        ensure!(tell(Progress::Preparing(site.name.clone())), GIVEN_UP);
        let prepared = site.kind.prepare(&site, &self.world);
        prepared.with_context(|| format!("failed to prepare {}", site.name))?;
        ensure!(tell(Progress::Starting(site.name.clone())), GIVEN_UP);
        let node = &mut self.nodes[index];
        (node.ready, node.frozen, node.stopped) = (false, false, false);
        node.since = Some(Instant::now());
        node.children.clear();
        for start in site.kind.starts(&site, &self.world)? {
            let command = self.command(&site, &start)?;
            let child = self.spawner.spawn(command)?;
            let mark = Mark::of(child.id());
            self.nodes[index].children.push(child);
            // One that has ended at once needs no stop.
            self.remember(index, mark.ok())?;
        }
        Ok(())
    }

    /// Writes down what runs on a node, and one more.
    pub(super) fn remember(
        &mut self,
        index: usize,
        more: impl IntoIterator<Item = Mark>,
    ) -> Result<()> {
        let name = &self.world.sites[index].name;
        let node = self.record.nodes.iter_mut().find(|node| node.name == *name);
        let node = node.expect("each node is in the record");
        node.processes.retain(|mark| mark.runs());
        node.processes.extend(more);
        node.processes.sort_unstable();
        node.processes.dedup();
        self.record.write(&self.folder)
    }

    fn command(&self, site: &Site, start: &Start) -> Result<Command> {
        let log = File::options().create(true).append(true).open(&site.log);
        let log = log.with_context(|| format!("failed to open {}", site.log.display()))?;
        let mut words = site.namespace.as_ref().map(|own| own.prefix()).unwrap_or_default();
        words.extend(start.account.prefix());
        // It dies with the lab, even if the lab's guard is killed, too.
        words.extend(["setpriv", "--pdeathsig", "KILL"].map(Into::into));
        words.extend(start.words.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&site.dir).env_clear();
        command.envs(start.env.iter().map(|(name, value)| (name, value)));
        command.env(VARIABLE, self.record.value(&site.name));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // A terminal's Ctrl-C is for the lab alone, which stops the nodes in order.
        command.process_group(0);
        Ok(command)
    }

    fn await_ready(&mut self, index: usize, tell: Tell<'_>) -> Result<()> {
        let site = self.world.sites[index].clone();
        let node = &mut self.nodes[index];
        let ready = wait_for(&format!("the start of {}", site.name), READY_WITHIN, || {
            ensure!(tell(Progress::Waiting(site.name.clone())), GIVEN_UP);
            for child in &mut node.children {
                if let Some(status) = child.try_wait()? {
                    bail!("{} stopped at once ({status})", site.name);
                }
            }
            Ok(site.kind.ready(&site).then_some(()))
        });
        ready.with_context(|| tail(&site))?;
        site.kind.complete(&site, &self.world)?;
        let node = &mut self.nodes[index];
        node.ready = true;
        let since = node.since.replace(Instant::now());
        tell(Progress::Ready(site.name, since.map(|since| since.elapsed()).unwrap_or_default()));
        Ok(())
    }
}

/// The end of a node's log.
fn tail(site: &Site) -> String {
    let read = || -> Result<String> {
        let mut file = File::open(&site.log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_SHOWN_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    format!("{} did not start; it printed:\n{}", site.name, read().unwrap_or_default())
}
