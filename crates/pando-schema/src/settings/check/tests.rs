use expect_test::{Expect, expect};
use serde_json::{Map, Value};

use super::*;

#[track_caller]
fn check(json: &str, expected: Expect) {
    let input: Map<String, Value> = serde_json::from_str(json).unwrap();
    let mut settings = Settings::initial();
    settings.load_json(&input).unwrap();
    let shown = match settings.check() {
        Ok(()) => "ok".to_owned(),
        Err(problems) => Value::Object(problems.messages()).to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn mail() {
    check(
        r#"{"smtp":{"enabled":true,"host":"","port":0,"authMethod":"x","localName":"a b"}}"#,
        expect![[
            r#"{"smtp":{"authMethod":"must be a valid value","host":"cannot be blank","localName":"must be a valid IP address or DNS name","port":"cannot be blank"}}"#
        ]],
    );
    check(r#"{"smtp":{"enabled":true,"host":"::1","localName":"mail.a-b.c"}}"#, expect!["ok"]);
    check(r#"{"smtp":null}"#, expect!["ok"]);
}

#[test]
fn stores_and_backups() {
    check(
        r#"{"s3":{"enabled":true},"backups":{"cron":"x","cronMaxKeep":0,"s3":{"endpoint":"a b"}}}"#,
        expect![[
            r#"{"backups":{"cron":"invalid cron expression - must be a valid macro or to have exactly 5 space separated segments","cronMaxKeep":"cannot be blank","s3":{"endpoint":"must be a valid URL"}},"s3":{"accessKey":"cannot be blank","bucket":"cannot be blank","endpoint":"cannot be blank","region":"cannot be blank","secret":"cannot be blank"}}"#
        ]],
    );
    check(
        r#"{"backups":{"cron":"@daily","cronMaxKeep":-1}}"#,
        expect![[r#"{"backups":{"cronMaxKeep":"must be no less than 1"}}"#]],
    );
}

#[test]
fn the_application_itself() {
    check(
        r##"{"meta":{"accentColor":"#12345","appName":"","appURL":"a b","senderAddress":"x"}}"##,
        expect![[
            r#"{"meta":{"accentColor":"the length must be exactly 7","appName":"cannot be blank","appURL":"must be a valid URL","senderAddress":"must be a valid email address"}}"#
        ]],
    );
    check(
        r##"{"meta":{"accentColor":"#12345z"}}"##,
        expect![[r#"{"meta":{"accentColor":"must be a valid hexadecimal color code"}}"#]],
    );
}

#[test]
fn numbers() {
    check(
        r#"{"logs":{"maxDays":-1,"maxDataSize":-1,"minLevel":9007199254740992},
            "batch":{"enabled":true,"maxRequests":0,"timeout":-1,"maxBodySize":-1}}"#,
        expect![[
            r#"{"batch":{"maxBodySize":"must be no less than 0","maxRequests":"cannot be blank","timeout":"must be no less than 0"},"logs":{"maxDataSize":"must be no less than 0","maxDays":"must be no less than 0","minLevel":"must be no greater than 9007199254740991"}}"#
        ]],
    );
}

#[test]
fn limits() {
    check(
        r#"{"rateLimits":{"enabled":true,"rules":[]}}"#,
        expect![[r#"{"rateLimits":{"rules":"cannot be blank"}}"#]],
    );
    check(
        r#"{"rateLimits":{"rules":[{"label":"a","maxRequests":1,"duration":1},
            {"label":"a","maxRequests":1,"duration":1}]}}"#,
        expect![[
            r#"{"rateLimits":{"rules":{"1":{"label":"Rate limit rule configuration with label a already exists or conflicts with another rule."}}}}"#
        ]],
    );
    check(
        r#"{"rateLimits":{"rules":[{"label":"a b","maxRequests":0,"duration":-1,"audience":"x"},
            {"label":"POST /api/","maxRequests":1,"duration":1}]}}"#,
        expect![[
            r#"{"rateLimits":{"rules":{"0":{"audience":"must be a valid value","duration":"must be no less than 1","label":"must be in a valid format","maxRequests":"cannot be blank"}}}}"#
        ]],
    );
}

#[test]
fn networks_are_addresses_or_ranges() {
    check(
        r#"{"superuserIPs":["","a","1.2.3.4/33","01.2.3.4","1.2.3.4%eth0","::1/064","::1%"]}"#,
        expect![[
            r#"{"superuserIPs":{"0":"cannot be blank","1":"invalid IP or CIDR subnet","2":"invalid IP or CIDR subnet","3":"invalid IP or CIDR subnet","4":"invalid IP or CIDR subnet","5":"invalid IP or CIDR subnet","6":"invalid IP or CIDR subnet"}}"#
        ]],
    );
    check(
        r#"{"superuserIPs":["1.2.3.4","1.2.3.4/8","::1/64","fe80::1%eth0","::1%a/64"]}"#,
        expect!["ok"],
    );
}
