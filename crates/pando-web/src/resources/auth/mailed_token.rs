//! A token that went out in a mail and comes back in a body.
//!
//! Source: PocketBase `apis/record_auth_{email_change,password_reset,verification}_confirm.go`
//! (`checkToken`).

use pando_schema::{Collection, Problem, Record, Schema};
use pando_store::Conn;

use crate::ApiError;
use crate::tokens::{self, TokenKind};

/// Whose token of `kind` it is, which must be one of `collection`, or what is wrong with it.
pub(super) async fn owner(
    conn: &mut Conn,
    schema: &Schema,
    collection: &Collection,
    token: &str,
    kind: TokenKind,
) -> Result<Result<Record, Problem>, ApiError> {
    Ok(match tokens::owner(conn, schema, token, kind).await? {
        None => Err(Problem::new("validation_invalid_token", "Invalid or expired token.")),
        Some(account) if account.collection.id != collection.id => {
            let words = "The provided token is for different auth collection.";
            Err(Problem::new("validation_token_collection_mismatch", words))
        }
        Some(account) => Ok(account),
    })
}
