//! The settings: for superusers only.
//!
//! Source: PocketBase `apis/settings.go`.

use http::StatusCode;
use pando_schema::{FilesMoveRefusal, Problem, Problems, Settings};
use tracing::warn;

pub(crate) mod test_s3;

use super::require_superuser;
use crate::ApiError;
use crate::app::SharedApp;
use crate::request::Request;
use crate::response::{Pick, Response, json, picked};

/// `GET /api/settings`
pub(crate) async fn view(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    Ok(shown(request, &app.store.settings()))
}

/// `PATCH /api/settings`
pub(crate) async fn update(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    const UNSAVED: &str = "An error occurred while saving the new settings.";
    const MALFORMED: &str = "An error occurred while loading the submitted data.";
    let read = request.submission(&app.staging, app.config.body_max.bytes()).await;
    let submission = read.map_err(|error| match error.status {
        StatusCode::BAD_REQUEST => ApiError { message: MALFORMED.to_owned(), ..error },
        _ => error,
    })?;
    let input = std::mem::take(&mut submission.fields);
    let key = app.store.encryption_key();
    let before = app.store.settings();
    let saved = app.store.write(move |tx| {
        Box::pin(async move {
            tx.alter().await?;
            let mut settings = Settings::clone(tx.settings());
            let loaded = settings.load_json(&input);
            loaded.map_err(|error| ApiError::bad_request(MALFORMED).caused_by(error))?;
            settings.check().map_err(|problems| ApiError::invalid(UNSAVED, &problems))?;
            settings.settle_files_move(tx.settings()).map_err(refusal)?;
            Ok::<_, ApiError>(tx.save_settings(settings, key.as_deref()).await?)
        })
    });
    let saved = saved.await?;
    warn_unbuilt(Some(&before), &saved);
    Ok(shown(request, &saved))
}

/// The place of files cannot be changed while they are on their way.
fn refusal(error: FilesMoveRefusal) -> ApiError {
    let (mut problems, mut members) = (Problems::default(), Problems::default());
    members.add("enabled", Problem::new("validation_files_on_their_way", error.to_string()));
    problems.add_parts("s3", members);
    ApiError::invalid("An error occurred while saving the new settings.", &problems)
}

/// Says in the log what `settings` ask for and Pando does not do yet: at the start, and when a
/// change of `before` asks for it.
pub(crate) fn warn_unbuilt(before: Option<&Settings>, settings: &Settings) {
    for (what, asked) in UNBUILT {
        if asked(settings) && !before.is_some_and(asked) {
            warn!("{what}");
        }
    }
}

type Asked = fn(&Settings) -> bool;

const UNBUILT: [(&str, Asked); 2] = [
    ("settings.backups.cron is set, but backups are not built yet: none is made", |settings| {
        !settings.backups.cron.is_empty()
    }),
    ("settings.backups.s3 is enabled, but backups are not built yet: none is made", |settings| {
        settings.backups.s3.enabled
    }),
];

fn shown(request: &Request, settings: &Settings) -> Response {
    picked(request, json(StatusCode::OK, &settings.to_json()), Pick::Answer)
}
