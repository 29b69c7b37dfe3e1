//! What a move of files would do, and what is in its way.

use std::path::Path;

use anyhow::{Context as _, bail};
use pando_blob::moving::{Count, Obstacle, Trial, count, try_out};
use pando_blob::{Blob, Prefix};
use pando_schema::{CollectionKind, S3, Schema};
use pando_web::folders;

use super::mover::Mover;
use super::text::{self, named};

pub(super) struct Plan {
    pub(super) from: String,
    pub(super) to: String,
    /// Those that have files.
    pub(super) collections: Vec<(String, Count)>,
    pub(super) total: Count,
    pub(super) trial: Result<Trial, Obstacle>,
    /// Folders of other servers, which are not ours.
    pub(super) others: Vec<String>,
    /// For the folder: how much more it takes.
    pub(super) free_bytes: Option<u64>,
}

impl Plan {
    /// Fails with all that is in the way.
    pub(super) fn judge(&self) -> anyhow::Result<()> {
        let obstacles = text::obstacles(self);
        if obstacles.is_empty() {
            return Ok(());
        }
        bail!("the files cannot be moved yet\n{}{obstacles}", text::plan(self))
    }
}

impl Mover<'_> {
    pub(super) async fn plan(&mut self, to: &S3) -> anyhow::Result<Plan> {
        let settings = self.store.settings();
        anyhow::ensure!(!settings.s3.same_place(to), "the files are there already");
        let (from, place) = (self.place(&settings.s3)?, self.place(to)?);
        let (collections, total) = self.count(&from).await?;
        let trial = try_out(&place).await;
        let folder = [&from, &place].into_iter().find(|place| matches!(place, Blob::Folder(_)));
        let others = match folder {
            Some(_) => folders::others(self.store, &self.folder).await?,
            None => Vec::new(),
        };
        let free_bytes = match &place {
            Blob::Folder(folder) => Some(folder.free_bytes()?),
            Blob::S3(_) | Blob::Moving(_) => None,
        };
        let dir: &Path = self.dir;
        let (from, to) = (named(&settings.s3, dir), named(to, dir));
        Ok(Plan { from, to, collections, total, trial, others, free_bytes })
    }

    async fn count(&mut self, from: &Blob) -> anyhow::Result<(Vec<(String, Count)>, Count)> {
        let (mut collections, mut total) = (Vec::new(), Count::default());
        for (name, prefix) in prefixes(&self.store.schema()) {
            let before = total;
            let teller = &mut self.teller;
            let mut watch = |so_far: Count| {
                let files = before.files + so_far.files;
                teller.tell("plan", &name, [files, 0, before.bytes + so_far.bytes, 0])
            };
            let found = count(from, &prefix, &mut watch).await;
            let found = found.with_context(|| format!("failed to count the files of {name}"))?;
            total = Count { files: total.files + found.files, bytes: total.bytes + found.bytes };
            if found.files > 0 {
                collections.push((name, found));
            }
        }
        Ok((collections, total))
    }
}

/// Where the files of each collection are. Views have none of their own.
pub(super) fn prefixes(schema: &Schema) -> Vec<(String, Prefix)> {
    let own = schema.iter().filter(|collection| collection.kind != CollectionKind::View);
    own.filter_map(|collection| {
        let prefix = Prefix::parse(&format!("{}/", collection.id)).ok()?;
        Some((collection.name.clone(), prefix))
    })
    .collect()
}
