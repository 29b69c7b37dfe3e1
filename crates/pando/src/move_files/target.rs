//! The place that files shall move to: as given, on its way to the server, and complete.

use anyhow::{Context as _, bail, ensure};
use pando_schema::{FilesMove, S3, Settings};

use super::SECRET_VARIABLE;
use crate::cli::{MoveFiles, Place};

/// A place, as far as the command line tells.
#[derive(Debug, PartialEq)]
pub(super) enum Target {
    Folder,
    /// What is empty is as in the settings.
    Bucket(S3),
}

impl Target {
    /// `None` if nothing shall be moved to anywhere.
    pub(super) fn of(arguments: &MoveFiles, secret: &str) -> anyhow::Result<Option<Target>> {
        let given =
            [&arguments.bucket, &arguments.endpoint, &arguments.region, &arguments.access_key];
        let bucket = given.iter().any(|given| given.is_some())
            || arguments.path_style
            || arguments.secret_file.is_some();
        match arguments.to {
            None => return Ok(None),
            Some(Place::Folder) => {
                let hint = "hint: leave --bucket and the like out, or move --to s3";
                ensure!(!bucket, "the folder is no bucket\n{hint}");
                return Ok(Some(Target::Folder));
            }
            Some(Place::S3) => {}
        }
        let secret = match &arguments.secret_file {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                let text = text.with_context(|| format!("failed to read {}", file.display()))?;
                text.trim_end().to_owned()
            }
            None => secret.to_owned(),
        };
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        Ok(Some(Target::Bucket(S3 {
            enabled: true,
            bucket: text(&arguments.bucket),
            region: text(&arguments.region),
            endpoint: text(&arguments.endpoint),
            access_key: text(&arguments.access_key),
            secret,
            force_path_style: arguments.path_style,
        })))
    }

    /// As words of the protocol.
    pub(super) fn words(&self) -> Vec<String> {
        match self {
            Target::Folder => vec!["folder".to_owned()],
            Target::Bucket(s3) => {
                let style = if s3.force_path_style { "path" } else { "" };
                let texts = [&s3.bucket, &s3.endpoint, &s3.region, &s3.access_key, &s3.secret];
                let texts = texts.into_iter().cloned();
                let all = std::iter::once("s3".to_owned()).chain(texts);
                all.chain([style.to_owned()]).collect()
            }
        }
    }

    pub(super) fn parse(words: &[&str]) -> anyhow::Result<Target> {
        match words {
            ["folder"] => Ok(Target::Folder),
            ["s3", bucket, endpoint, region, access_key, secret, style] => Ok(Target::Bucket(S3 {
                enabled: true,
                bucket: (*bucket).to_owned(),
                region: (*region).to_owned(),
                endpoint: (*endpoint).to_owned(),
                access_key: (*access_key).to_owned(),
                secret: (*secret).to_owned(),
                force_path_style: *style == "path",
            })),
            _ => bail!("no place for files was named"),
        }
    }

    /// The place with what only the settings know of it.
    pub(super) fn complete(self, settings: &Settings) -> anyhow::Result<S3> {
        let on_its_way = settings.files_move.as_ref().map(|FilesMove { other, .. }| other);
        let s3 = match self {
            // The bucket stays in the settings, for the way back.
            Target::Folder => return Ok(S3 { enabled: false, ..settings.s3.clone() }),
            Target::Bucket(s3) => s3,
        };
        let known = on_its_way.filter(|other| other.enabled).unwrap_or(&settings.s3);
        let or =
            |given: String, known: &String| if given.is_empty() { known.clone() } else { given };
        // Else the style would have to be given anew each time.
        let same = s3.bucket.is_empty() && s3.endpoint.is_empty();
        let complete = S3 {
            enabled: true,
            force_path_style: s3.force_path_style || same && known.force_path_style,
            bucket: or(s3.bucket, &known.bucket),
            region: or(s3.region, &known.region),
            endpoint: or(s3.endpoint, &known.endpoint),
            access_key: or(s3.access_key, &known.access_key),
            secret: or(s3.secret, &known.secret),
        };
        let needed = [
            ("--bucket", &complete.bucket),
            ("--endpoint", &complete.endpoint),
            ("--region", &complete.region),
            ("--access-key", &complete.access_key),
            (SECRET_VARIABLE, &complete.secret),
        ];
        let missing: Vec<&str> =
            needed.iter().filter(|(_, text)| text.is_empty()).map(|(name, _)| *name).collect();
        let missing = missing.join(", ");
        ensure!(missing.is_empty(), "the bucket is not known\nhint: these are missing: {missing}");
        Ok(complete)
    }
}

#[cfg(test)]
mod tests;
