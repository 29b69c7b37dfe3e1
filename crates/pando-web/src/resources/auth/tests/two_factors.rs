//! Logging in with two factors.

use super::*;

/// A site where accounts need a password and a one-time password.
fn strict_site() -> Site {
    let mut site = Site::start();
    site.set_options(json!({ "otp": { "enabled": true }, "mfa": { "enabled": true } }));
    site.sign_up("ann@example.com");
    site
}

/// The first factor; returns the id of the session.
fn first(site: &mut Site) -> String {
    let (status, answer) = site.log_in("ann@example.com", PASSWORD);
    assert_eq!(status, 401, "{answer}");
    answer["mfaId"].as_str().unwrap().to_owned()
}

/// Asks for a one-time password; returns a body that logs in with it.
fn one_time_password(site: &mut Site, email: &str) -> Json {
    let before = site.mail_count();
    let (_, answer) = site.post("request-otp", json!({ "email": email }));
    let password = site.sink.nth(before).token_after("<strong>");
    json!({ "otpId": answer["otpId"], "password": password })
}

#[test]
fn the_second_factor_must_be_another() {
    let mut site = strict_site();
    let session = first(&mut site);
    let again = json!({ "identity": "ann@example.com", "password": PASSWORD, "mfaId": session });
    let (status, answer) = site.post("auth-with-password", again);
    let message = "A different authentication method is required.";
    assert_eq!((status, &answer["message"]), (400, &json!(message)));

    let mut body = one_time_password(&mut site, "ann@example.com");
    body["mfaId"] = json!(session);
    let (status, answer) = site.post("auth-with-otp", body);
    assert_eq!(status, 200, "{answer}");
    assert!(answer["token"].is_string());
    assert_eq!(site.rows("_mfas"), Vec::<Json>::new());
    assert_eq!(site.log_in("ann@example.com", PASSWORD).0, 401, "the password is still theirs");
}

#[test]
fn sessions_are_personal_and_end() {
    let mut site = strict_site();
    site.sign_up("bob@example.com");
    let session = first(&mut site);
    let mut refusals = Vec::new();
    for (email, session) in [("bob@example.com", session.as_str()), ("ann@example.com", "x")] {
        let body = json!({ "identity": email, "password": PASSWORD, "mfaId": session });
        refusals.push(site.post("auth-with-password", body).1["message"].take());
    }
    assert_eq!(refusals, ["Invalid MFA session.", "Invalid or expired MFA session."]);

    // Made shorter than the session is old already.
    let aged = site.app.store.write(|tx| {
        Box::pin(async move {
            let mut aged = tx.sql();
            aged.push("UPDATE `_mfas` SET `created` = '2020-01-01 00:00:00.000Z'");
            tx.execute(&aged).await
        })
    });
    let aged: Result<usize, StoreError> = site.runtime.block_on(aged);
    assert_eq!(aged.unwrap(), 1);
    let mut body = one_time_password(&mut site, "ann@example.com");
    body["mfaId"] = json!(session);
    let (status, answer) = site.post("auth-with-otp", body);
    let message = "Invalid or expired MFA session.";
    assert_eq!((status, &answer["message"]), (400, &json!(message)));
    assert_eq!(site.rows("_mfas"), Vec::<Json>::new(), "an expired session is deleted");
}

#[test]
fn a_rule_says_who_needs_two() {
    let mut site = strict_site();
    let rule = r#"email = "ann@example.com" && @request.context = "password""#;
    site.set_options(json!({ "mfa": { "enabled": true, "rule": rule } }));
    site.sign_up("bob@example.com");
    assert_eq!(site.log_in("ann@example.com", PASSWORD).0, 401);
    assert_eq!(site.log_in("bob@example.com", PASSWORD).0, 200);
    let body = one_time_password(&mut site, "ann@example.com");
    assert_eq!(site.post("auth-with-otp", body).0, 200);
}
