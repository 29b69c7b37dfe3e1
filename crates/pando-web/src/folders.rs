//! Which folders servers on one database keep files in: it must be one.
//!
//! Each folder has a mark in it, and each server notes in the database which one it sees. So a
//! server that has a folder of its own is found, where it would hide its files from the others.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use md5::{Digest, Md5};
use pando_blob::FolderBlob;
use pando_filter::Dialect;
use pando_store::{Store, StoreError};
use serde_json::{Value as Json, json};

/// What the ids of the notes begin with.
const NOTES: &str = "pandoFilesFolder:";

/// A server notes its folder every hour. One that has not is gone.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(2 * 3600);

/// Why a folder could not be noted or looked for.
#[derive(Debug, thiserror::Error)]
pub enum FoldersError {
    #[error("failed to mark the folder of files")]
    Mark(#[from] pando_blob::BlobError),
    #[error("failed to look for folders of other servers")]
    Store(#[from] StoreError),
}

/// Notes the folder of this server, if others may share its database.
pub(crate) async fn note(
    store: &Store,
    folder: &FolderBlob,
    dir: &str,
) -> Result<(), FoldersError> {
    if store.read().await?.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let host = pando_runtime::host::name();
    let note = json!({ "mark": folder.mark().await?, "dir": dir, "host": host, "at": now() });
    let id = own_id(store);
    let written =
        store.write(move |tx| Box::pin(async move { tx.put_param(&id, &note.to_string()).await }));
    Ok(written.await?)
}

/// The folders of other servers that are not `folder`, in words.
pub async fn others(store: &Store, folder: &FolderBlob) -> Result<Vec<String>, FoldersError> {
    let mut conn = store.read().await?;
    if conn.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let notes = conn.params(NOTES).await?;
    drop(conn);
    let (mark, own, now) = (folder.mark().await?, own_id(store), now());
    let of_others = notes.into_iter().filter(|(id, _)| *id != own);
    let notes = of_others.filter_map(|(_, note)| serde_json::from_str::<Json>(&note).ok());
    let current = |note: &Json| {
        let age = now.saturating_sub(note["at"].as_u64().unwrap_or(0));
        note["mark"] != mark.as_str() && age < FORGOTTEN_AFTER.as_secs()
    };
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    Ok(notes
        .filter(current)
        .map(|note| format!("{}:{}", text(&note["host"]), text(&note["dir"])))
        .collect())
}

/// The same for a server on the same data directory, whenever it is started.
fn own_id(store: &Store) -> String {
    let dir = &store.options().dir;
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.clone());
    let named = format!("{}:{}", pando_runtime::host::name(), dir.display());
    let hash: [u8; 16] = Md5::digest(named.as_bytes()).into();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{NOTES}{hash}")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}
