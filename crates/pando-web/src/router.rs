//! Which handler answers which request: the whole API at one glance.

use http::Method;

use crate::app::SharedApp;
use crate::request::Request;
use crate::response::Response;
use crate::{ApiError, resources as r};

/// Answers `request`, or says why not.
pub(crate) async fn route(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    let segments = std::mem::take(&mut request.segments);
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match path.as_slice() {
        // No name and no id is empty or a slash.
        ["api", rest @ ..] if !rest.iter().any(|part| matches!(*part, "" | "/")) => {
            api(app, request, rest, &path).await
        }
        ["metrics"] => r::metrics::show(app, request),
        _ => r::public::show(app, request, &path).await,
    }
}

/// `path` is what follows `/api/` in `whole`.
async fn api(
    app: &SharedApp,
    request: &mut Request,
    path: &[&str],
    whole: &[&str],
) -> Result<Response, ApiError> {
    let method = match request.method.clone() {
        // The server leaves the body out.
        Method::HEAD => Method::GET,
        method => method,
    };
    match (method.as_str(), path) {
        ("GET", ["health"]) => r::health::show(app, request).await,

        ("GET", ["collections", c, "records"]) => r::records::list(app, request, c).await,
        ("POST", ["collections", c, "records"]) => r::records::create(app, request, c).await,
        ("GET", ["collections", c, "records", id]) => r::records::view(app, request, c, id).await,
        ("PATCH", ["collections", c, "records", id]) => {
            r::records::update(app, request, c, id).await
        }
        ("DELETE", ["collections", c, "records", id]) => {
            r::records::delete(app, request, c, id).await
        }

        ("GET", ["collections", c, "auth-methods"]) => r::auth::methods(app, request, c).await,
        ("POST", ["collections", c, "auth-with-password"]) => {
            r::auth::password::log_in(app, request, c).await
        }
        ("POST", ["collections", c, "request-otp"]) => r::auth::otp::request(app, request, c).await,
        ("POST", ["collections", c, "auth-with-otp"]) => {
            r::auth::otp::log_in(app, request, c).await
        }
        ("POST", ["collections", c, "request-password-reset"]) => {
            r::auth::password_reset::request(app, request, c).await
        }
        ("POST", ["collections", c, "confirm-password-reset"]) => {
            r::auth::password_reset::confirm(app, request, c).await
        }
        ("POST", ["collections", c, "request-verification"]) => {
            r::auth::verification::request(app, request, c).await
        }
        ("POST", ["collections", c, "confirm-verification"]) => {
            r::auth::verification::confirm(app, request, c).await
        }
        ("POST", ["collections", c, "request-email-change"]) => {
            r::auth::email_change::request(app, request, c).await
        }
        ("POST", ["collections", c, "confirm-email-change"]) => {
            r::auth::email_change::confirm(app, request, c).await
        }
        ("POST", ["collections", c, "auth-refresh"]) => r::auth::refresh(app, request, c).await,
        ("POST", ["collections", c, "impersonate", id]) => {
            r::auth::impersonate(app, request, c, id).await
        }

        ("GET", ["collections"]) => r::collections::list(app, request).await,
        ("POST", ["collections"]) => r::collections::create(app, request).await,
        ("PUT", ["collections", "import"]) => r::collections::import(app, request).await,
        ("GET", ["collections", "meta", "scaffolds"]) => r::collections::scaffolds(request).await,
        ("POST", ["collections", "meta", "dry-run-view"]) => {
            r::collections::dry_run(app, request).await
        }
        ("GET", ["collections", c]) => r::collections::view(app, request, c).await,
        ("PATCH", ["collections", c]) => r::collections::update(app, request, c).await,
        ("DELETE", ["collections", c]) => r::collections::delete(app, request, c).await,
        ("DELETE", ["collections", c, "truncate"]) => {
            r::collections::truncate(app, request, c).await
        }

        ("POST", ["files", "token"]) => r::files::token(app, request).await,
        ("GET", ["files", c, id, name]) => r::files::download(app, request, c, id, name).await,

        ("GET", ["realtime"]) => r::realtime::connect(app, request).await,
        ("POST", ["realtime"]) => r::realtime::subscribe(app, request).await,
        ("POST", ["batch"]) => r::batch::run(app, request).await,

        ("GET", ["settings"]) => r::settings::view(app, request).await,
        ("PATCH", ["settings"]) => r::settings::update(app, request).await,
        ("POST", ["settings", "test", "s3"]) => r::settings::test_s3::run(app, request).await,
        ("POST", ["settings", "test", "email"]) => r::auth::test_mail::send(app, request).await,

        // As in PocketBase, the site has the last word; it knows no other methods than GET.
        _ => r::public::show(app, request, whole).await,
    }
}
