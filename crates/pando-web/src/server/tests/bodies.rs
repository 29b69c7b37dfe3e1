//! Bodies that are not what they seem. Expectations come from PocketBase 0.40.6.

use expect_test::expect;
use pando_testkit::http::Multipart;
use serde_json::json;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

const ACCOUNTS: &str = "/api/collections/users/records";

#[test]
fn a_form_is_whole_or_refused_and_so_is_its_query() {
    let server = TestServer::start();
    let fields = "email=a%40b.co&password=correct-horse&passwordConfirm=correct-horse";
    let post = |query: &str, more: &str| {
        let target = format!("{ACCOUNTS}{query}");
        let answer =
            server.send(&Request::post(target).bytes(FORM, format!("{fields}{more}").as_bytes()));
        (answer.status, answer.text())
    };
    let refused = r#"{"data":{},"message":"Something went wrong while processing your request.","status":400}"#;
    for (query, more) in [("", "&name=%zz"), ("", "&name=a;b"), ("?x=%zz", ""), ("?x=a;b", "")] {
        assert_eq!(post(query, more), (400, refused.to_owned()), "{query} {more}");
    }
    let parts = Multipart::new().text("email", "a@b.co");
    let multipart = server.send(&Request::post(format!("{ACCOUNTS}?x=%zz")).multipart(&parts));
    assert_eq!((multipart.status, multipart.text()), (400, refused.to_owned()));
    // What is no UTF-8 becomes replacement characters.
    let body = [fields.as_bytes(), b"&name=\xff"].concat();
    let answer = server.send(&Request::post(ACCOUNTS).bytes(FORM, body));
    assert_eq!((answer.status, answer.json().unwrap()["name"].as_str()), (200, Some("\u{fffd}")));
}

#[test]
fn a_part_with_an_empty_file_name_is_a_text() {
    let server = TestServer::start();
    let parts = Multipart::new()
        .text("password", "correct-horse")
        .text("passwordConfirm", "correct-horse")
        .text("email", "a@b.co")
        .file("avatar", "", "text/plain", b"content");
    let answer = server.send(&Request::post(ACCOUNTS).multipart(&parts));
    expect![[r#"{"data":{"avatar":{"code":"validation_invalid_file","message":"Invalid new files: [content].","params":{"invalidFiles":["content"]}}},"message":"Failed to create record.","status":400}"#]].assert_eq(&answer.text());
}

#[test]
fn an_item_of_a_batch_names_a_path_alone() {
    let server = TestServer::start();
    server.change_settings(|settings| settings.batch.enabled = true);
    let secret = "correct-horse";
    let body = json!({ "email": "a@b.co", "password": secret, "passwordConfirm": secret });
    let post = |url: &str| {
        let item = json!({ "method": "POST", "url": url, "body": body });
        let batch = json!({ "requests": [item] });
        server.send(&Request::post("/api/batch").json(&batch))
    };
    expect![[r#"{"data":{"requests":{"0":{"code":"batch_request_failed","message":"Batch request failed.","response":{"data":{},"message":"Something went wrong while processing your request.","status":400}}}},"message":"Batch transaction failed.","status":400}"#]].assert_eq(&post(&format!("http://localhost{ACCOUNTS}")).text());
    for damage in ["#x", "?x=%zz", "?x=a;b"] {
        assert_eq!(post(&format!("{ACCOUNTS}{damage}")).status, 400, "{damage}");
    }
    assert_eq!(post(ACCOUNTS).status, 200);
}
