//! Logging in with a password.
//!
//! Source: PocketBase `apis/record_auth_with_password.go`.

use std::sync::Arc;

use pando_filter::Purpose;
use pando_schema::{
    Collection, Problem, Problems, Record, email_valid, single_column_unique_index,
};
use pando_store::Conn;

use super::body::{Body, TEXT_BYTES_MAX, check_length, check_text, judge};
use super::respond::{Factor, Success, respond};
use super::{admit, dummy_check};
use crate::app::SharedApp;
use crate::request::Request;
use crate::resources::Answer;
use crate::{ApiError, passwords};

/// `POST /api/collections/{collection}/auth-with-password`
pub(crate) async fn log_in(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "authWithPassword").await?;
    let Some(options) = &collection.auth else { return Err(ApiError::not_found("")) };
    if !options.password_auth.enabled {
        let words = "The collection is not configured to allow password authentication.";
        return Err(ApiError::forbidden(words));
    }
    let body = Body::read(app, request).await?;
    let form = Credentials::read(&body)?;
    form.check(&options.password_auth.identity_fields)?;
    let found = form.find(&mut *app.store.read().await?, &collection).await?;
    let failed = || ApiError::bad_request("Failed to authenticate.");
    let Some(record) = found else {
        // As slow as a wrong password, so that nobody learns which accounts exist.
        dummy_check(app, &collection, form.password).await?;
        return Err(failed());
    };
    let hash = record.text("password").to_owned();
    if !passwords::verify(form.password, hash).await? {
        return Err(failed());
    }
    let context = request.context(Purpose::Password);
    respond(app, request, Success::login(record, context, body, Factor::Password)?).await
}

/// A password login as submitted.
struct Credentials {
    identity: String,
    password: String,
    identity_field: String,
}

impl Credentials {
    fn read(body: &Body) -> Result<Credentials, ApiError> {
        let members = ["identity", "password", "identityField"];
        let [identity, password, identity_field] = body.form().texts(members)?;
        Ok(Credentials { identity, password, identity_field })
    }

    fn check(&self, identity_fields: &[String]) -> Result<(), ApiError> {
        let mut problems = Problems::default();
        check_text(&mut problems, "identity", &self.identity, 1, TEXT_BYTES_MAX);
        check_text(&mut problems, "password", &self.password, 1, TEXT_BYTES_MAX);
        let field = &self.identity_field;
        check_length(&mut problems, "identityField", field, 1, TEXT_BYTES_MAX);
        if !field.is_empty() && !identity_fields.contains(field) {
            let problem = Problem::new("validation_in_invalid", "must be a valid value");
            problems.add("identityField", problem);
        }
        judge(problems)
    }

    async fn find(
        &self,
        conn: &mut Conn,
        collection: &Arc<Collection>,
    ) -> Result<Option<Record>, ApiError> {
        let Some(options) = &collection.auth else { return Ok(None) };
        if !self.identity_field.is_empty() {
            return find_by(conn, collection, &self.identity_field, &self.identity).await;
        }
        // The address first, whatever the order of the list.
        let mut fields: Vec<&String> = options.password_auth.identity_fields.iter().collect();
        fields.sort_by_key(|field| *field != "email");
        for field in fields {
            if field == "email" && !email_valid(&self.identity) {
                continue;
            }
            if let Some(record) = find_by(conn, collection, field, &self.identity).await? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

/// The record whose unique `field` is `identity`.
async fn find_by(
    conn: &mut Conn,
    collection: &Arc<Collection>,
    field: &str,
    identity: &str,
) -> Result<Option<Record>, ApiError> {
    let index = single_column_unique_index(&collection.indexes, field);
    let Some(index) = index.filter(|_| collection.field(field).is_some()) else {
        return Err(ApiError::internal(anyhow::anyhow!("{field:?} has no unique index")));
    };
    let nocase = index.columns.first().is_some_and(|c| c.collate.eq_ignore_ascii_case("nocase"));
    Ok(conn.find_by(collection, field, identity, nocase).await?)
}
