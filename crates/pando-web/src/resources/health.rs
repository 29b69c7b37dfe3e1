//! `/api/health`: whether the server answers, and a little more for superusers.
//!
//! Source: PocketBase `apis/health.go`.

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::ApiError;
use crate::app::SharedApp;
use crate::real_ip::{expanded, real_ip};
use crate::request::Request;
use crate::response::{self, Pick, Response, picked};

/// What guests see.
const HEALTHY: &str = r#"{"message":"API is healthy.","code":200,"data":{}}"#;

/// Headers of widespread proxies, so that the dashboard can remind of `trustedProxy`.
const PROXY_HEADERS: [&str; 2] = ["CF-Connecting-IP", "Fly-Client-IP"];

pub(crate) async fn show(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    let answer = if request.by_superuser() {
        let (message, data) = ("API is healthy.", details(app, request));
        response::json(StatusCode::OK, &json!({ "message": message, "code": 200, "data": data }))
    } else {
        response::json_text(StatusCode::OK, HEALTHY)
    };
    Ok(picked(request, answer, Pick::Answer))
}

fn details(app: &SharedApp, request: &Request) -> Json {
    let settings = app.store.settings();
    let trusted = settings.trusted_proxy.headers.iter().map(String::as_str);
    let sent = |name: &&str| request.headers.get(*name).is_some_and(|value| !value.is_empty());
    let proxy_header = trusted.chain(PROXY_HEADERS).find(sent).unwrap_or_default();
    json!({
        // No backup runs now: there are none yet.
        "canBackup": true,
        "realIP": expanded(real_ip(request, &settings)),
        "possibleProxyHeader": proxy_header,
    })
}
