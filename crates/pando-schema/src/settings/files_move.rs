//! Where files are, and how far they are on their way to another place.
//!
//! It is a part of the stored settings that only Pando knows: so each server learns of a step as it
//! learns of settings, and a step is one transaction. PocketBase leaves it out when it saves
//! settings, which gives a move up before its decision, and ends it after.

use serde_json::{Value, json};

use super::json::{Secrets, load_s3, s3_json};
use super::{S3, Settings};
use crate::load::{Loader, Malformed};

/// The key in the stored settings.
pub(super) const KEY: &str = "pandoFilesMove";

/// A move of all files to another place, or what is left of one.
#[derive(Debug, Clone, PartialEq)]
pub struct FilesMove {
    /// The place that files come to or, after the decision, came from. Not enabled: the folder.
    pub other: S3,
    pub phase: FilesPhase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilesPhase {
    /// The other place is being filled.
    Copying,
    /// Uploads go to both places.
    Mirroring,
    /// It is decided: `Settings::s3` is where the files came to.
    Moved,
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesMoveRefusal {
    #[error("the files are there already")]
    There,
    #[error(
        "files are on their way to another place\nhint: `pando move files --undo` gives that up"
    )]
    UnderWay,
    #[error("no files are on their way")]
    NothingToUndo,
    #[error("no move of files waits for its end")]
    NothingToFinish,
}

impl FilesPhase {
    fn name(self) -> &'static str {
        match self {
            FilesPhase::Copying => "copying",
            FilesPhase::Mirroring => "mirroring",
            FilesPhase::Moved => "moved",
        }
    }

    fn parse(name: &str) -> Option<FilesPhase> {
        let all = [FilesPhase::Copying, FilesPhase::Mirroring, FilesPhase::Moved];
        all.into_iter().find(|phase| phase.name() == name)
    }
}

impl S3 {
    /// Whether both are one place: the folder, or one bucket, whoever we are there.
    pub fn same_place(&self, other: &S3) -> bool {
        let endpoint = |s3: &S3| s3.endpoint.trim_end_matches('/').to_lowercase();
        match (self.enabled, other.enabled) {
            (false, false) => true,
            (true, true) => self.bucket == other.bucket && endpoint(self) == endpoint(other),
            _ => false,
        }
    }
}

impl Settings {
    /// Whether files are where they are by `other`.
    pub fn same_files(&self, other: &Settings) -> bool {
        self.s3 == other.s3 && self.files_move == other.files_move
    }

    /// Begins a move, or goes on with one.
    pub fn begin_files_move(&mut self, to: S3) -> Result<(), FilesMoveRefusal> {
        if self.s3.same_place(&to) {
            return Err(FilesMoveRefusal::There);
        }
        let phase = match &self.files_move {
            None | Some(FilesMove { phase: FilesPhase::Moved, .. }) => FilesPhase::Copying,
            Some(moving) if moving.other.same_place(&to) => moving.phase,
            Some(_) => return Err(FilesMoveRefusal::UnderWay),
        };
        self.files_move = Some(FilesMove { other: to, phase });
        Ok(())
    }

    /// Lets uploads go to both places, or to the old one only again. False if no move is under way.
    pub fn mirror_files(&mut self, mirrored: bool) -> bool {
        match &mut self.files_move {
            Some(FilesMove {
                phase: phase @ (FilesPhase::Copying | FilesPhase::Mirroring),
                ..
            }) => {
                *phase = if mirrored { FilesPhase::Mirroring } else { FilesPhase::Copying };
                true
            }
            Some(FilesMove { phase: FilesPhase::Moved, .. }) | None => false,
        }
    }

    /// Makes the other place the one where files are. False if uploads do not go to both.
    pub fn decide_files_move(&mut self) -> bool {
        match &mut self.files_move {
            Some(FilesMove { other, phase: phase @ FilesPhase::Mirroring }) => {
                std::mem::swap(&mut self.s3, other);
                *phase = FilesPhase::Moved;
                true
            }
            _ => false,
        }
    }

    /// Gives a move up before its decision.
    pub fn give_up_files_move(&mut self) -> Result<(), FilesMoveRefusal> {
        match self.files_move {
            Some(FilesMove { phase: FilesPhase::Copying | FilesPhase::Mirroring, .. }) => {
                self.files_move = None;
                Ok(())
            }
            Some(FilesMove { phase: FilesPhase::Moved, .. }) | None => {
                Err(FilesMoveRefusal::NothingToUndo)
            }
        }
    }

    /// Forgets the old place after the decision.
    pub fn finish_files_move(&mut self) -> Result<(), FilesMoveRefusal> {
        match self.files_move {
            Some(FilesMove { phase: FilesPhase::Moved, .. }) => {
                self.files_move = None;
                Ok(())
            }
            _ => Err(FilesMoveRefusal::NothingToFinish),
        }
    }

    /// To be asked after an operator has changed settings that were `before`. Another place for
    /// files ends what was left of a move; while one is under way it is refused.
    pub fn settle_files_move(&mut self, before: &Settings) -> Result<(), FilesMoveRefusal> {
        if self.s3.same_place(&before.s3) {
            return Ok(());
        }
        match &self.files_move {
            Some(FilesMove { phase: FilesPhase::Copying | FilesPhase::Mirroring, .. }) => {
                Err(FilesMoveRefusal::UnderWay)
            }
            Some(FilesMove { phase: FilesPhase::Moved, .. }) | None => {
                self.files_move = None;
                Ok(())
            }
        }
    }
}

pub(super) fn files_move_json(moving: &FilesMove) -> Value {
    json!({ "other": s3_json(&moving.other, Secrets::Shown), "phase": moving.phase.name() })
}

/// Reads what was stored. A phase of a later version counts as none.
pub(super) fn load_files_move(json: &Loader<'_>) -> Result<Option<FilesMove>, Malformed> {
    let (mut other, mut phase) = (S3::default(), String::new());
    json.object(KEY, "pando.FilesMove", &mut (), |json, ()| {
        json.object("other", "core.S3Config", &mut other, load_s3)?;
        json.text("phase", &mut phase)
    })?;
    Ok(FilesPhase::parse(&phase).map(|phase| FilesMove { other, phase }))
}

#[cfg(test)]
mod tests;
