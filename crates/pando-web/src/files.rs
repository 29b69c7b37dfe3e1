//! Where the files of records are: in a folder, in a bucket, or on their way between two places.
//!
//! The settings tell. So a change of them holds from the next request on, here as soon as it is
//! committed, on other servers as soon as they learn of it. What a server does that knows too little
//! is found: uploads when their record is written (`resources/records/files.rs`), downloads when a
//! file is missing that a record names ([`App::fetch`]).

use std::sync::Arc;

use arc_swap::ArcSwap;
use pando_blob::{
    Blob, BlobError, FolderBlob, Key, Moving, Object, Phase, S3Blob, S3Config, S3Error,
};
use pando_schema::{FilesMove, FilesPhase, S3, Settings};

use crate::ApiError;
use crate::app::App;

/// The stores that the settings have told of so far.
pub(crate) struct Files {
    folder: FolderBlob,
    current: ArcSwap<Current>,
}

/// Where files are by some settings.
struct Current {
    settings: Arc<Settings>,
    blob: Result<Blob, Arc<S3Error>>,
}

impl Files {
    pub(crate) fn new(folder: FolderBlob, settings: Arc<Settings>) -> Files {
        let blob = by_settings(&folder, &settings, None).map_err(Arc::new);
        Files { folder, current: ArcSwap::from_pointee(Current { settings, blob }) }
    }

    /// Where files are by some settings. Fails if no bucket can be there.
    pub(crate) fn by(&self, settings: &Arc<Settings>) -> Result<Blob, ApiError> {
        let current = self.current.load();
        let blob = match Arc::ptr_eq(&current.settings, settings) {
            true => current.blob.clone(),
            false => self.made(&current, settings),
        };
        blob.map_err(|error| {
            ApiError::internal(anyhow::Error::from(error).context("settings.s3 names no bucket"))
        })
    }

    /// The same for the newest settings, which are to be found soon from now on.
    fn now(&self, settings: Arc<Settings>) -> Result<Blob, ApiError> {
        let current = self.current.load();
        if !Arc::ptr_eq(&current.settings, &settings) {
            let blob = self.made(&current, &settings);
            self.current.store(Arc::new(Current { settings: Arc::clone(&settings), blob }));
        }
        self.by(&settings)
    }

    fn made(&self, current: &Current, settings: &Settings) -> Result<Blob, Arc<S3Error>> {
        if current.settings.same_files(settings) {
            return current.blob.clone();
        }
        by_settings(&self.folder, settings, current.blob.as_ref().ok()).map_err(Arc::new)
    }
}

fn by_settings(
    folder: &FolderBlob,
    settings: &Settings,
    known: Option<&Blob>,
) -> Result<Blob, S3Error> {
    let here = place(folder, &settings.s3, known)?;
    let Some(FilesMove { other, phase }) = &settings.files_move else { return Ok(here) };
    let other = place(folder, other, known)?;
    let (from, to, phase) = match phase {
        FilesPhase::Copying => (here, other, Phase::Copying),
        FilesPhase::Mirroring => (here, other, Phase::Mirroring),
        FilesPhase::Moved => (other, here, Phase::Moved),
    };
    Ok(Blob::Moving(Arc::new(Moving { from, to, phase })))
}

/// The folder, or the bucket that `s3` names: with the connections of `known` if it is that one.
fn place(folder: &FolderBlob, s3: &S3, known: Option<&Blob>) -> Result<Blob, S3Error> {
    if !s3.enabled {
        return Ok(Blob::Folder(folder.clone()));
    }
    let config = s3_config(s3);
    match known.and_then(|known| open_bucket(known, &config)) {
        Some(open) => Ok(Blob::S3(open)),
        None => S3Blob::new(&config).map(Blob::S3),
    }
}

fn open_bucket(known: &Blob, config: &S3Config) -> Option<S3Blob> {
    match known {
        Blob::S3(s3) => (s3.config() == config).then(|| s3.clone()),
        Blob::Moving(moving) => {
            open_bucket(&moving.from, config).or_else(|| open_bucket(&moving.to, config))
        }
        Blob::Folder(_) => None,
    }
}

/// A bucket as the settings name it.
pub fn s3_config(s3: &S3) -> S3Config {
    S3Config {
        bucket: s3.bucket.clone(),
        region: s3.region.clone(),
        endpoint: s3.endpoint.clone(),
        access_key: s3.access_key.clone(),
        secret: s3.secret.clone(),
        path_style: s3.force_path_style,
    }
}

impl App {
    /// Where files are now, as far as this server knows.
    pub(crate) fn blob(&self) -> Result<Blob, ApiError> {
        self.files.now(self.store.settings())
    }

    /// Opens a file that a record names. If it is not where this server looks, another server may
    /// know better by now.
    pub(crate) async fn fetch(&self, key: &Key) -> Result<Object, ApiError> {
        match self.blob()?.fetch(key).await {
            Err(BlobError::NotFound) => Box::pin(self.fetch_missing(key)).await,
            fetched => fetched.map_err(ApiError::of_file),
        }
    }

    async fn fetch_missing(&self, key: &Key) -> Result<Object, ApiError> {
        if !self.store.catch_up().await? {
            return Err(ApiError::of_file(BlobError::NotFound));
        }
        self.blob()?.fetch(key).await.map_err(ApiError::of_file)
    }
}

impl ApiError {
    /// For a file that cannot be read. PocketBase answers 404 whatever the reason is; but a bucket
    /// that cannot be reached says nothing about the file.
    fn of_file(error: BlobError) -> ApiError {
        match error {
            BlobError::Bucket { .. } => ApiError::of_bucket(error),
            _ => ApiError::not_found("").caused_by(error),
        }
    }

    /// For a store of files that failed.
    pub(crate) fn of_bucket(error: BlobError) -> ApiError {
        match error.is_temporary() {
            true => ApiError::unavailable(error),
            false => ApiError::internal(error),
        }
    }
}
