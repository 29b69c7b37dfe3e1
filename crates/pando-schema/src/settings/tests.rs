use expect_test::expect;
use serde_json::{Map, Value};

use super::*;

fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn new_settings_are_stored_as_pocketbase_stores_them() {
    expect![[r##"{"superuserIPs":[],"smtp":{"enabled":false,"port":587,"host":"smtp.example.com","username":"","password":"","authMethod":"","tls":false,"localName":""},"backups":{"cron":"","cronMaxKeep":3,"s3":{"enabled":false,"bucket":"","region":"","endpoint":"","accessKey":"","forcePathStyle":false}},"s3":{"enabled":false,"bucket":"","region":"","endpoint":"","accessKey":"","forcePathStyle":false},"meta":{"accentColor":"#1055c9","appName":"Acme","appURL":"http://localhost:8090","senderName":"Support","senderAddress":"support@example.com","hideControls":false},"rateLimits":{"rules":[{"label":"*:auth","audience":"","duration":3,"maxRequests":2},{"label":"*:create","audience":"","duration":5,"maxRequests":20},{"label":"/api/batch","audience":"","duration":1,"maxRequests":3},{"label":"/api/","audience":"","duration":10,"maxRequests":300}],"excludedIPs":[],"enabled":false},"trustedProxy":{"headers":[],"useLeftmostIP":false},"batch":{"enabled":false,"maxRequests":50,"timeout":3,"maxBodySize":0},"logs":{"maxDataSize":0,"maxDays":5,"minLevel":0,"logIP":true,"logAuthId":false}}"##]]
        .assert_eq(&Settings::initial().to_stored());
}

#[test]
fn secrets_are_stored_but_not_shown() {
    let mut settings = Settings::initial();
    let json = r#"{"smtp":{"password":"hush1"},"s3":{"secret":"hush2"},
        "backups":{"s3":{"secret":"hush3"}}}"#;
    settings.load_json(&object(json)).unwrap();
    assert_eq!(settings.to_stored().matches("hush").count(), 3);
    let shown = settings.to_json().to_string();
    assert!(!shown.contains("hush") && !shown.contains("password") && !shown.contains("secret"));
    assert_eq!(Settings::from_stored(&settings.to_stored()).unwrap(), settings);
}

#[test]
fn a_request_changes_only_what_it_names() {
    let mut settings = Settings::initial();
    let json = r#"{"meta":{"appName":"Mine"},"Trusted-Proxy":{"use_leftmost_ip":true},
        "rateLimits":{"rules":[{"label":"a"}]},"logs":null,"unknown":1}"#;
    settings.load_json(&object(json)).unwrap();
    let mut expected = Settings::initial();
    expected.meta.app_name = "Mine".to_owned();
    expected.trusted_proxy.use_leftmost_ip = true;
    expected.rate_limits.rules =
        vec![RateLimitRule { label: "a".to_owned(), ..RateLimitRule::default() }];
    expected.logs = Logs::default();
    assert_eq!(settings, expected);
}

#[test]
fn wrong_types_and_encrypted_settings_are_refused() {
    let mut settings = Settings::initial();
    assert!(settings.load_json(&object(r#"{"meta":"x"}"#)).is_err());
    assert!(settings.load_json(&object(r#"{"meta":{"appName":1}}"#)).is_err());
    assert!(Settings::from_stored("bm90IGpzb24=").is_err());
}

#[test]
fn rate_limits_follow_a_renamed_collection() {
    let mut settings = Settings::initial();
    assert!(!settings.rename_collection("users", "people"));
    settings.rate_limits.rules[0].label = "users:auth".to_owned();
    assert!(settings.rename_collection("users", "people"));
    assert_eq!(settings.rate_limits.rules[0].label, "people:auth");
}
