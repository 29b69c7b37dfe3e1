//! Moves all files, step by step. Each step can be repeated, and a move that stopped anywhere goes
//! on with the first one, which finds most of its work done.
//!
//! 1. *begin*: noted in the settings, so that all servers know; from now on deletions reach both
//!    places, and what is not in the old one is looked for in the new one.
//! 2. *copy*: what the new place lacks is copied.
//! 3. *verify*: all files are compared by size, type and checksum, and copied again if they differ.
//! 4. *mirror*: from now on uploads go to both places before they are answered. A place that cannot
//!    be written to ends that at once (`App::stop_mirroring`), so that no upload fails for it.
//! 5. *check*: what came since the last comparison is compared, so that now both places have all.
//! 6. *cut-over*: one transaction makes the new place the one where files are.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use pando_blob::moving::{Depth, PassOutcome, Passing, pass};
use pando_blob::{Blob, BlobError, FolderBlob, S3Blob};
use pando_schema::{FilesMove, FilesMoveRefusal, FilesPhase, S3, Settings};
use pando_store::{Store, StoreError};
use pando_web::s3_config;

use super::plan::prefixes;
use super::text;
use crate::move_command::Teller;

/// So few files are left for the check.
const FEW_FILES: u64 = 100;
/// How often all files are compared before the rest is left to the check.
const VERIFICATIONS_MAX: u32 = 5;
/// How often the decision is tried while the new place cannot be written to now and then.
const DECISIONS_MAX: u32 = 5;
const DECISION_PAUSE: Duration = Duration::from_secs(2);
/// Files that changed so long before a comparison began are compared again after it: clocks of
/// servers and stores differ.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(900);
/// How often a change of settings is tried while other servers change them.
const CHANGES_MAX: u32 = 10;

pub(super) struct Mover<'a> {
    pub(super) store: &'a Store,
    pub(super) dir: &'a Path,
    pub(super) folder: FolderBlob,
    pub(super) teller: Teller,
}

/// What a move has done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Report {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) copied_files: u64,
    pub(super) copied_bytes: u64,
    pub(super) took: Duration,
}

impl Mover<'_> {
    /// Moves all files to `to`, or goes on with that. Returns what to tell.
    pub(super) async fn run(&mut self, to: &S3) -> anyhow::Result<String> {
        let began = Instant::now();
        let plan = self.plan(to).await?;
        plan.judge()?;
        let mut report = Report::default();
        self.step("begin")?;
        let other = to.clone();
        self.change(move |settings| settings.begin_files_move(other.clone())).await?;
        let old = self.store.settings().s3.clone();
        let (from, place) = (self.place(&old)?, self.place(to)?);
        let total = plan.total.files;
        let all = SystemTime::UNIX_EPOCH;
        let never = SystemTime::now() + CLOCKS_APART_MAX;
        self.pass("copy", &from, &place, (Depth::Outside, never), total, &mut report).await?;
        let mut compared_at = SystemTime::now();
        for _ in 0..VERIFICATIONS_MAX {
            compared_at = SystemTime::now();
            let how = (Depth::Content, all);
            let outcome = self.pass("verify", &from, &place, how, total, &mut report).await?;
            if outcome.copied_files <= FEW_FILES {
                break;
            }
        }
        for attempt in 1.. {
            self.step("mirror")?;
            self.mirror(true).await?;
            let how = (Depth::Outside, compared_at - CLOCKS_APART_MAX);
            let checked = self.pass("check", &from, &place, how, total, &mut report).await;
            if let Err(error) = checked.and_then(|_| self.step("cut-over")) {
                self.mirror(false).await.context("failed to end the move")?;
                return Err(error);
            }
            if self.change(|settings| Ok(settings.decide_files_move())).await? {
                break;
            }
            if attempt == DECISIONS_MAX {
                bail!("uploads cannot be copied to the new place\nhint: see the log of the server");
            }
            tokio::time::sleep(DECISION_PAUSE).await;
        }
        report.took = began.elapsed();
        // Who is told of it may well stop.
        let _ = self.step("moved");
        Ok(text::moved(&report, &self.store.settings(), self.dir))
    }

    /// Gives a move up that is not over, moves back one that is.
    pub(super) async fn undo(&mut self) -> anyhow::Result<String> {
        match &self.store.settings().files_move {
            Some(FilesMove { other, phase: FilesPhase::Moved }) => self.run(&other.clone()).await,
            _ => {
                self.change(Settings::give_up_files_move).await?;
                Ok(text::given_up(&self.store.settings(), self.dir))
            }
        }
    }

    /// Forgets the old place.
    pub(super) async fn finish(&mut self) -> anyhow::Result<String> {
        let old = self.store.settings().files_move.as_ref().map(|moving| moving.other.clone());
        self.change(Settings::finish_files_move).await?;
        Ok(text::finished(&old.unwrap_or_default(), self.dir))
    }

    async fn mirror(&mut self, mirrored: bool) -> anyhow::Result<()> {
        match self.change(move |settings| Ok(settings.mirror_files(mirrored))).await? {
            true => Ok(()),
            false => bail!("the move was given up or ended by another command"),
        }
    }

    /// Goes through all files of all collections.
    async fn pass(
        &mut self,
        step: &str,
        from: &Blob,
        to: &Blob,
        (depth, changed_since): (Depth, SystemTime),
        total: u64,
        report: &mut Report,
    ) -> anyhow::Result<PassOutcome> {
        self.step(step)?;
        let passing = Passing { from, to, changed_since, depth };
        let mut outcome = PassOutcome::default();
        for (name, prefix) in prefixes(&self.store.schema()) {
            let teller = &mut self.teller;
            let mut watch = |so_far: &PassOutcome| {
                let bytes = if step == "copy" { so_far.copied_bytes } else { so_far.bytes };
                teller.tell(step, &name, [so_far.files, total, bytes, 0])
            };
            match pass(passing, &prefix, &mut outcome, &mut watch).await {
                Ok(()) => {}
                Err(BlobError::Stopping) => bail!(STOPPED),
                Err(error) => {
                    return Err(anyhow::Error::from(error).context(format!(
                        "failed to move the files of {name}\nhint: the same command goes on"
                    )));
                }
            }
        }
        report.copied_files += outcome.copied_files;
        report.copied_bytes += outcome.copied_bytes;
        (report.files, report.bytes) = (outcome.files, outcome.bytes);
        if outcome.failed_files > 0 {
            bail!(text::failures(&outcome));
        }
        Ok(outcome)
    }

    /// Changes the settings. Fails if `change` refuses.
    async fn change<T: Send + 'static>(
        &self,
        change: impl Fn(&mut Settings) -> Result<T, FilesMoveRefusal> + Clone + Send + 'static,
    ) -> anyhow::Result<T> {
        let mut attempt = 1;
        loop {
            let (change, key) = (change.clone(), self.store.encryption_key());
            let changed = self.store.write(move |tx| {
                Box::pin(async move {
                    tx.alter().await?;
                    let mut settings = Settings::clone(tx.settings());
                    let outcome = match change(&mut settings) {
                        Ok(outcome) => outcome,
                        Err(refusal) => return Ok(Err(refusal)),
                    };
                    if settings != **tx.settings() {
                        tx.save_settings(settings, key.as_deref()).await?;
                    }
                    Ok::<_, StoreError>(Ok(outcome))
                })
            });
            match changed.await {
                Err(StoreError::Outdated) if attempt < CHANGES_MAX => attempt += 1,
                changed => return changed?.map_err(anyhow::Error::from),
            }
        }
    }

    /// The store of files that `s3` names.
    pub(super) fn place(&self, s3: &S3) -> anyhow::Result<Blob> {
        match s3.enabled {
            true => Ok(Blob::S3(S3Blob::new(&s3_config(s3))?)),
            false => Ok(Blob::Folder(self.folder.clone())),
        }
    }

    fn step(&mut self, step: &str) -> anyhow::Result<()> {
        match self.teller.tell(step, "", [0; 4]).is_break() {
            true => bail!(STOPPED),
            false => Ok(()),
        }
    }
}

const STOPPED: &str = "the move was stopped\nhint: the same command goes on with it";
