//! What comes by mail: verification, a new password, another address, one-time passwords.

use super::*;

/// A request for a mail; returns the mail.
fn ask(site: &mut Site, action: &str, body: Json) -> Delivery {
    let before = site.mail_count();
    let (status, answer) = site.post(action, body);
    assert!(status < 300, "{answer}");
    site.sink.nth(before)
}

/// The problem with one field of a refused body.
fn code<'a>(answer: &'a Json, field: &str) -> &'a str {
    answer["data"][field]["code"].as_str().unwrap_or_default()
}

#[test]
fn an_address_is_verified() {
    let mut site = Site::start();
    let id = site.sign_up("ann@example.com");
    let mail = ask(&mut site, "request-verification", json!({ "email": "ann@example.com" }));
    let token = mail.token_after("/_/#/auth/confirm-verification/");
    for email in ["ann@example.com", "nobody@example.com"] {
        assert_eq!(site.post("request-verification", json!({ "email": email })).0, 204);
    }
    assert_eq!(site.mail_count(), 1, "not twice at once, and not to strangers");

    let (status, answer) = site.post("confirm-verification", json!({ "token": "x" }));
    assert_eq!((status, code(&answer, "token")), (400, "validation_invalid_token_claims"));
    let (status, answer) = site.post("confirm-password-reset", json!({ "token": token }));
    assert_eq!((status, code(&answer, "token")), (400, "validation_invalid_token"));
    assert!(!site.verified(&id));
    assert_eq!(site.post("confirm-verification", json!({ "token": token })).0, 204);
    assert!(site.verified(&id));
    // PocketBase's tokens last, so that a second click on the link is no error.
    assert_eq!(site.post("confirm-verification", json!({ "token": token })).0, 204);
}

#[test]
fn a_token_is_void_when_the_address_changes() {
    let mut site = Site::start();
    let id = site.sign_up("ann@example.com");
    let mail = ask(&mut site, "request-verification", json!({ "email": "ann@example.com" }));
    let token = mail.token_after("confirm-verification/");
    let target = format!("/api/collections/users/records/{id}");
    site.as_superuser("PATCH", &target, json!({ "email": "eve@example.com" }));
    let (status, answer) = site.post("confirm-verification", json!({ "token": token }));
    assert_eq!((status, code(&answer, "token")), (400, "validation_invalid_token"));
    assert!(!site.verified(&id));
}

#[test]
fn a_lost_password_is_replaced() {
    let mut site = Site::start();
    let id = site.sign_up("ann@example.com");
    let (_, login) = site.log_in("ann@example.com", PASSWORD);
    let mail = ask(&mut site, "request-password-reset", json!({ "email": "ann@example.com" }));
    let token = mail.token_after("/_/#/auth/confirm-password-reset/");
    assert_eq!(site.post("request-password-reset", json!({ "email": "ann@example.com" })).0, 204);
    assert_eq!(site.mail_count(), 1);

    let reset = |password: &str, confirm: &str| json!({ "token": token, "password": password, "passwordConfirm": confirm });
    let (_, answer) = site.post("confirm-password-reset", reset("short", "other"));
    assert_eq!(code(&answer, "password"), "validation_length_out_of_range");
    assert_eq!(code(&answer, "passwordConfirm"), "validation_values_mismatch");
    let long = "p".repeat(72);
    let (_, answer) = site.post("confirm-password-reset", reset(&long, &long));
    assert_eq!(code(&answer, "password"), "validation_max_text_constraint");
    let right = reset("battery staple", "battery staple");
    assert_eq!(site.post("confirm-password-reset", right.clone()).0, 204);
    let (status, answer) = site.post("confirm-password-reset", right);
    assert_eq!((status, code(&answer, "token")), (400, "validation_invalid_token"));

    assert!(site.verified(&id), "the mail was read");
    assert_eq!(site.log_in("ann@example.com", PASSWORD).0, 400);
    assert_eq!(site.log_in("ann@example.com", "battery staple").0, 200);
    let refresh = Request::post("/api/collections/users/auth-refresh");
    let (status, _) = site.send(&refresh.token(login["token"].as_str().unwrap()));
    assert_eq!(status, 401, "the new password revokes tokens");
}

#[test]
fn an_address_changes_by_mail_and_password() {
    let mut site = Site::start();
    let id = site.sign_up("ann@example.com");
    site.sign_up("bob@example.com");
    let (_, login) = site.log_in("ann@example.com", PASSWORD);
    let token = login["token"].as_str().unwrap().to_owned();
    let mut request = |email: &str| {
        let request = Request::post("/api/collections/users/request-email-change");
        let (_, answer) = site.send(&request.json(&json!({ "newEmail": email })).token(&token));
        code(&answer, "newEmail").to_owned()
    };
    assert_eq!(request("ann@example.com"), "validation_not_in_invalid");
    assert_eq!(request("bob@example.com"), "validation_invalid_new_email");
    assert_eq!(request("new@example.com"), "");
    let mail = site.sink.nth(0);
    assert_eq!(mail.header("To"), "new@example.com");
    let token = mail.token_after("/_/#/auth/confirm-email-change/");

    let confirm = |password: &str| json!({ "token": token, "password": password });
    let (_, answer) = site.post("confirm-email-change", confirm("wrong"));
    assert_eq!(code(&answer, "password"), "validation_invalid_password");
    let other = site.sign_up("new@example.com");
    let (_, answer) = site.post("confirm-email-change", confirm(PASSWORD));
    assert_eq!(code(&answer, "token"), "validation_invalid_token_email");
    let target = format!("/api/collections/users/records/{other}");
    let superuser = site.superuser.clone();
    assert_eq!(site.send(&Request::delete(target).token(&superuser)).0, 204);
    assert_eq!(site.post("confirm-email-change", confirm(PASSWORD)).0, 204);
    assert!(site.verified(&id));
    assert_eq!(site.log_in("new@example.com", PASSWORD).0, 200);
    let (_, answer) = site.post("confirm-email-change", confirm(PASSWORD));
    assert_eq!(code(&answer, "token"), "validation_invalid_token");
}

#[test]
fn a_one_time_password_works_once() {
    let mut site = Site::start();
    let (status, _) = site.post("request-otp", json!({ "email": "ann@example.com" }));
    assert_eq!(status, 403, "not switched on");
    site.set_options(json!({ "otp": { "enabled": true, "length": 6 } }));
    let id = site.sign_up("ann@example.com");
    let (status, answer) = site.post("request-otp", json!({ "email": "nobody@example.com" }));
    assert_eq!((status, answer["otpId"].as_str().unwrap().len()), (200, 15));
    assert_eq!(site.mail_count(), 0);

    let (_, answer) = site.post("request-otp", json!({ "email": "ann@example.com" }));
    let otp_id = answer["otpId"].clone();
    let password = site.sink.nth(0).token_after("<strong>");
    assert_eq!(password.len(), 6);
    // The address is proven only once it is noted that the mail went there.
    assert_eq!(site.mail_count(), 1);
    let log_in = |password: &str| json!({ "otpId": otp_id, "password": password });
    let (status, answer) = site.post("auth-with-otp", log_in("12345x"));
    assert_eq!((status, &answer["message"]), (400, &json!("Invalid or expired OTP.")));
    let (status, answer) = site.post("auth-with-otp", log_in(&password));
    assert_eq!((status, &answer["record"]["id"]), (200, &json!(id)));
    assert_eq!(answer["record"]["verified"], true);
    assert_eq!(site.rows("_otps"), Vec::<Json>::new());
    assert_eq!(site.post("auth-with-otp", log_in(&password)).0, 400);
    assert_eq!(site.log_in("ann@example.com", PASSWORD).0, 400, "its maker may know it");
}

#[test]
fn one_time_passwords_cannot_be_guessed() {
    let mut site = Site::start();
    site.set_options(json!({ "otp": { "enabled": true } }));
    site.sign_up("ann@example.com");
    let (_, answer) = site.post("request-otp", json!({ "email": "ann@example.com" }));
    let guess = json!({ "otpId": answer["otpId"], "password": "0" });
    let statuses: Vec<u16> = (0..7).map(|_| site.post("auth-with-otp", guess.clone()).0).collect();
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429, 429]);
}

#[test]
fn the_last_of_ten_one_time_passwords_is_used_again() {
    let mut site = Site::start();
    site.set_options(json!({ "otp": { "enabled": true } }));
    site.sign_up("ann@example.com");
    let ids: Vec<Json> = (0..12)
        .map(|_| site.post("request-otp", json!({ "email": "ann@example.com" })).1["otpId"].take())
        .collect();
    assert_eq!((&ids[10], &ids[11]), (&ids[9], &ids[9]));
    assert_eq!((site.mail_count(), site.rows("_otps").len()), (10, 10));
}

#[test]
fn a_mail_under_way_is_sent_before_the_stop() {
    let mut site = Site::start();
    site.sign_up("ann@example.com");
    assert_eq!(site.post("request-verification", json!({ "email": "ann@example.com" })).0, 204);
    site.app.life.stopping.cancel();
    assert!(site.runtime.block_on(site.app.life.drained(LONG)));
    assert!(site.app.mailer.idle() && !site.app.life.failed());
    assert_eq!(site.sink.nth(0).header("To"), "ann@example.com");
}
