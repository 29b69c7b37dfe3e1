//! Who a request is from.
//!
//! Source: PocketBase `apis/middlewares.go` (`loadAuthToken`).

use std::sync::Arc;

use http::header::AUTHORIZATION;

use crate::ApiError;
use crate::app::App;
use crate::request::Request;
use crate::tokens::{self, TokenKind};

/// Sets `request.auth` if a valid token came with it. A request with a wrong token is one of a
/// guest. Fails if nobody can say now whose the token is, since what a guest is told, such as that a
/// record does not exist, would be wrong; or if collections have changed meanwhile, and then it is worth
/// another try.
pub(crate) async fn authenticate(app: &App, request: &mut Request) -> Result<(), ApiError> {
    let token = bearer_token(request);
    if token.is_empty() {
        return Ok(());
    }
    let schema = app.store.schema();
    let mut conn = app.store.read().await?;
    let record = tokens::owner(&mut conn, &schema, token, TokenKind::Auth).await?;
    request.auth = record.map(Arc::new);
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
