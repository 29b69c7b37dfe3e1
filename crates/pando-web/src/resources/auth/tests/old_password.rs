//! Changing one's own password, which takes the old one. Expectations come from PocketBase 0.40.6.

use super::*;

const DIGITS: &str = "1234567890";

#[test]
fn the_old_password_is_judged_however_it_came() {
    let mut site = Site::start();
    let body = json!({ "email": "ann@example.com", "password": DIGITS, "passwordConfirm": DIGITS });
    let made = site.as_superuser("POST", "/api/collections/users/records", body);
    let target = format!("/api/collections/users/records/{}", made["id"].as_str().unwrap());
    let token = site.log_in("ann@example.com", DIGITS).1["token"].as_str().unwrap().to_owned();
    let patch = |site: &mut Site, content_type: &str, body: &str| {
        let request = Request::patch(&target).bytes(content_type, body).token(&token);
        let (status, body) = site.send(&request);
        format!("{status} {}", body["data"])
    };
    let mut answers = Vec::new();
    for body in [
        r#"{"password":"short","passwordConfirm":"short","oldPassword":"1234567890"}"#,
        r#"{"password":"short","passwordConfirm":"short","oldPassword":"wrong"}"#,
        r#"{"password":"short","passwordConfirm":"short"}"#,
        r#"{"passwordConfirm":"x","oldPassword":"1234567890"}"#,
        r#"{"password":"","passwordConfirm":"","oldPassword":"wrong"}"#,
    ] {
        answers.push(patch(&mut site, "application/json", body));
    }
    expect![[r#"
        400 {"password":{"code":"validation_min_text_constraint","message":"Must be at least 8 character(s)."}}
        400 {"oldPassword":{"code":"validation_invalid_old_password","message":"Missing or invalid old password."}}
        400 {"oldPassword":{"code":"validation_required","message":"Cannot be blank."}}
        400 {"password":{"code":"validation_required","message":"Cannot be blank."},"passwordConfirm":{"code":"validation_values_mismatch","message":"Values don't match."}}
        400 {"password":{"code":"validation_required","message":"Cannot be blank."},"passwordConfirm":{"code":"validation_required","message":"Cannot be blank."}}"#]].assert_eq(&answers.join("\n"));
    // In a form it looks like a number.
    let form = format!("password=other-horse&passwordConfirm=other-horse&oldPassword={DIGITS}");
    assert_eq!(patch(&mut site, "application/x-www-form-urlencoded", &form), "200 null");
    assert_eq!(site.log_in("ann@example.com", "other-horse").0, 200);
}
