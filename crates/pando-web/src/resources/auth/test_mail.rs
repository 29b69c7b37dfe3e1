//! A mail to try the SMTP settings and the templates with: for superusers only.
//!
//! Source: PocketBase `forms/test_email_send.go`, `apis/settings.go` (`settingsTestEmail`).

use std::sync::Arc;

use pando_schema::{Collection, Problem, Problems, Record, Schema, Settings, Value};

use super::body::{Body, TEXT_BYTES_MAX, check_email, check_length};
use super::mails;
use crate::ApiError;
use crate::app::SharedApp;
use crate::mail::{Mail, told};
use crate::request::{Request, SUPERUSERS};
use crate::resources::require_superuser;
use crate::response::{Response, no_content};

const TEMPLATES: [&str; 5] =
    ["verification", "password-reset", "email-change", "otp", "login-alert"];

/// `POST /api/settings/test/email`
pub(crate) async fn send(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let body = Body::read_strictly(app, request).await?;
    let form = TestMail::read(&body)?;
    let schema = app.store.schema();
    let collection = form.check(&schema)?;
    let settings = app.store.settings();
    let mail = form.compose(&settings, collection)?;
    app.mailer.send(&settings, &mail).await.map_err(|error| {
        let words = format!("Failed to send the test email. Raw error: \n{}", told(&error));
        ApiError::bad_request(&words).caused_by(error)
    })?;
    Ok(no_content())
}

/// What to send, as submitted.
struct TestMail {
    email: String,
    template: String,
    /// Name or id of an auth collection, that of superusers if empty.
    collection: String,
}

impl TestMail {
    fn read(body: &Body) -> Result<TestMail, ApiError> {
        let members = ["email", "template", "collection"];
        let [email, template, collection] = body.form().texts(members)?;
        Ok(TestMail { email, template, collection })
    }

    /// The collection whose template it is. Fails with all that is wrong.
    fn check<'a>(&self, schema: &'a Schema) -> Result<&'a Arc<Collection>, ApiError> {
        let mut problems = Problems::default();
        check_length(&mut problems, "collection", &self.collection, 1, TEXT_BYTES_MAX);
        let name = if self.collection.is_empty() { SUPERUSERS } else { &self.collection };
        let collection = schema.find(name).filter(|collection| collection.auth.is_some());
        if collection.is_none() {
            let words = "Must be a valid auth collection id or name.";
            problems.add("collection", Problem::new("validation_invalid_auth_collection", words));
        }
        check_email(&mut problems, "email", &self.email);
        if self.template.is_empty() {
            problems.add("template", Problem::required());
        } else if !TEMPLATES.contains(&self.template.as_str()) {
            let problem = Problem::new("validation_in_invalid", "must be a valid value");
            problems.add("template", problem);
        }
        match collection {
            Some(collection) if problems.is_empty() => Ok(collection),
            _ => Err(ApiError::invalid("Failed to send the test email.", &problems)),
        }
    }

    fn compose(&self, settings: &Settings, of: &Arc<Collection>) -> Result<Mail, ApiError> {
        let record = &self.recipient(of);
        match self.template.as_str() {
            "verification" => mails::verification(settings, record),
            "password-reset" => mails::password_reset(settings, record),
            "email-change" => mails::email_change(settings, record, &self.email),
            "otp" => mails::otp(settings, record, "_PB_TEST_OTP_ID_", "123456"),
            _ => {
                let info = format!("{} - TEST_IP TEST_USER_AGENT", pando_store::now());
                mails::auth_alert(settings, record, &info)
            }
        }
    }

    /// An account that is not stored, whose fields tell their names.
    fn recipient(&self, collection: &Arc<Collection>) -> Record {
        let mut record = Record::new(Arc::clone(collection));
        let mut rng = rand::rng();
        for field in collection.fields.iter().filter(|field| !field.hidden) {
            let text = format!("__pb_test_{}__", field.name);
            record.set(&field.name, &text.into(), &mut rng);
        }
        record.refresh_token_key(&mut rng);
        record.put("email", Value::Text(self.email.clone()));
        record
    }
}
