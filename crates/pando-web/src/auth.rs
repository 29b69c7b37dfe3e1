//! Who a request is from.
//!
//! Source: PocketBase `apis/middlewares.go` (`loadAuthToken`).

use std::sync::Arc;

use http::header::AUTHORIZATION;
use tracing::warn;

use crate::ApiError;
use crate::app::App;
use crate::request::Request;
use crate::tokens::{self, TokenKind};

/// Sets `request.auth` if a valid token came with it. A request with a wrong token is one of a
/// guest. Fails if collections have changed meanwhile: then it is worth another try.
pub(crate) async fn authenticate(app: &App, request: &mut Request) -> Result<(), ApiError> {
    let token = bearer_token(request);
    if token.is_empty() {
        return Ok(());
    }
    let schema = app.store.schema();
    let found = match app.store.read().await {
        Ok(mut conn) => tokens::owner(&mut conn, &schema, token, TokenKind::Auth).await,
        Err(error) => Err(error.into()),
    };
    match found {
        Ok(record) => request.auth = record.map(Arc::new),
        Err(error) if error.outdated() => return Err(error),
        Err(error) => warn!(error = format!("{:?}", error.cause), "failed to check a token"),
    }
    Ok(())
}

/// The token of the `Authorization` header, with or without `Bearer`.
pub(crate) fn bearer_token(request: &Request) -> &str {
    let value = request.header(AUTHORIZATION);
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer ") => token,
        _ => value,
    }
}
