//! Tries the bucket that the settings name: for superusers only.
//!
//! Source: PocketBase `forms/test_s3_filesystem.go`, `apis/settings.go` (`settingsTestS3`).

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use pando_blob::{Blob, BlobError, Key, NewAttributes, Prefix, S3Blob};
use pando_schema::{LOWER_ALPHANUMERIC, Problem, Problems, random_text_of};

use crate::ApiError;
use crate::app::SharedApp;
use crate::files::s3_config;
use crate::form::Form;
use crate::request::Request;
use crate::resources::require_superuser;
use crate::response::{Response, no_content};

const MALFORMED: &str = "An error occurred while loading the submitted data.";

/// `POST /api/settings/test/s3`
pub(crate) async fn run(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let content_type = request.header(CONTENT_TYPE).to_owned();
    let read = request.submission(&app.staging, app.config.body_max.bytes()).await;
    let submission = read.map_err(|error| match error.status {
        StatusCode::BAD_REQUEST => {
            ApiError { cause: error.cause, ..ApiError::bad_request(MALFORMED) }
        }
        _ => error,
    })?;
    let which = Form::new(&submission.fields, &content_type).text("filesystem")?;
    let settings = app.store.settings();
    let s3 = match which.as_str() {
        "storage" => &settings.s3,
        "backups" => &settings.backups.s3,
        "" => return Err(invalid(Problem::required())),
        _ => return Err(invalid(Problem::new("validation_in_invalid", "must be a valid value"))),
    };
    if !s3.enabled {
        return Err(failed("S3 storage filesystem is not enabled"));
    }
    let s3 = S3Blob::new(&s3_config(s3))
        .map_err(|error| failed(&format!("failed to initialize the S3 filesystem: {error}")))?;
    try_out(&Blob::S3(s3)).await?;
    Ok(no_content())
}

fn invalid(problem: Problem) -> ApiError {
    let mut problems = Problems::default();
    problems.add("filesystem", problem);
    ApiError::invalid("Failed to test the S3 filesystem.", &problems)
}

fn failed(words: &str) -> ApiError {
    ApiError::bad_request(&format!("Failed to test the S3 filesystem. Raw error: \n{words}"))
}

/// Stores a file and deletes all of its folder, which lists it, too.
async fn try_out(bucket: &Blob) -> Result<(), ApiError> {
    let told = |what: &str, error: BlobError| {
        let error = anyhow::Error::from(error);
        failed(&format!("failed to {what} a test file: {error:#}")).caused_by(error)
    };
    let random = random_text_of(&mut rand::rng(), 5, LOWER_ALPHANUMERIC);
    let folder = format!("pb_settings_test_{random}/");
    let (key, folder) = (Key::parse(format!("{folder}test.txt")), Prefix::parse(&folder));
    let (Ok(key), Ok(folder)) = (key, folder) else { return Err(ApiError::bad_request("")) };
    let content_type = "text/plain; charset=utf-8".to_owned();
    let new = NewAttributes { content_type, original_name: None };
    let stored = bucket.store_bytes(&key, Bytes::from_static(b"test"), new).await;
    stored.map_err(|error| told("upload", error))?;
    bucket.delete_prefix(&folder).await.map_err(|error| told("delete", error))?;
    Ok(())
}
