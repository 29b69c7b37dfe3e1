//! Settings: reading, changing and refusing them.

use serde_json::json;

use super::Area;
use crate::compare::dataset::Dataset;
use crate::compare::scenario::{Actor, Step, target};
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "settings", weight: 2, catalog, random };

const PATH: &str = "/api/settings";

fn catalog(_: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for actor in Actor::ALL {
        cases.push(vec![Step::get(actor, PATH), Step::patch(actor, PATH, &json!({}))]);
    }
    cases.push(vec![Step::get(Actor::Root, "/api/settings?fields=meta.appName,batch")]);
    let changes = [
        json!({ "meta": { "appName": "Compared", "appURL": "https://example.com" } }),
        json!({ "meta": { "appName": "" } }),
        json!({ "meta": { "appURL": "nonsense" } }),
        json!({ "meta": { "senderAddress": "nonsense" } }),
        json!({ "meta": { "senderName": "" } }),
        json!({ "meta": { "hideControls": true } }),
        json!({ "meta": { "hideControls": false, "accentColor": "#ff0000" } }),
        json!({ "meta": { "accentColor": "red" } }),
        json!({ "meta": null }),
        json!({ "meta": 1 }),
        json!({ "meta": [] }),
        json!({ "unknown": 1 }),
        json!({ "smtp": { "enabled": true, "host": "", "port": 0 } }),
        json!({ "smtp": { "port": -1 } }),
        json!({ "smtp": { "port": "587" } }),
        json!({ "smtp": { "authMethod": "X" } }),
        json!({ "smtp": { "password": "secret" } }),
        json!({ "smtp": { "localName": "a b" } }),
        json!({ "backups": { "cron": "bad" } }),
        json!({ "backups": { "cron": "0 0 * * *", "cronMaxKeep": 0 } }),
        json!({ "backups": { "cron": "", "cronMaxKeep": 5 } }),
        json!({ "s3": { "enabled": true } }),
        json!({ "s3": { "secret": "secret" } }),
        json!({ "batch": { "maxRequests": 0 } }),
        json!({ "batch": { "maxRequests": 25, "timeout": 0 } }),
        json!({ "batch": { "maxRequests": 25, "maxBodySize": -1 } }),
        json!({ "batch": { "enabled": false } }),
        json!({ "batch": { "enabled": true, "maxRequests": 25, "timeout": 5 } }),
        json!({ "logs": { "maxDays": -1 } }),
        json!({ "logs": { "maxDays": 3, "minLevel": 4, "logIP": false } }),
        json!({ "logs": { "maxDays": "x" } }),
        json!({ "rateLimits": { "enabled": true, "rules": [] } }),
        json!({ "rateLimits": { "rules": [{ "label": "", "maxRequests": 0, "duration": 0 }] } }),
        json!({ "rateLimits": { "rules": [{ "label": "x y", "maxRequests": 1, "duration": 1, "audience": "@bad" }] } }),
        json!({ "rateLimits": { "rules": [{ "label": "/api/", "maxRequests": 1, "duration": 1 }, { "label": "/api/", "maxRequests": 2, "duration": 1 }] } }),
        json!({ "rateLimits": { "rules": [{ "label": "*:auth", "maxRequests": 100, "duration": 3 }] } }),
        json!({ "rateLimits": { "excludedIPs": ["x"] } }),
        json!({ "trustedProxy": { "headers": ["X-Real-IP"], "useLeftmostIP": true } }),
        json!({ "trustedProxy": { "headers": [], "useLeftmostIP": false } }),
        json!({ "superuserIPs": ["bad"] }),
    ];
    for change in &changes {
        cases.push(vec![Step::patch(Actor::Root, PATH, change), Step::get(Actor::Root, PATH)]);
    }
    // Nothing after this needs the logs.
    cases.push(vec![
        Step::delete(Actor::Root, "/api/logs"),
        Step::get(Actor::Root, target("/api/logs", &[("filter", "created < '2026-01-01'")])),
    ]);
    let rule = json!({ "label": "/api/", "maxRequests": 10_000, "duration": 1 });
    let limits =
        |enabled: bool| json!({ "rateLimits": { "enabled": enabled, "rules": [rule.clone()] } });
    cases.push(vec![
        Step::patch(Actor::Root, PATH, &limits(true)),
        Step::get(Actor::Guest, "/api/health"),
        Step::get(Actor::Root, "/api/crons"),
        Step::patch(Actor::Root, PATH, &limits(false)),
        Step::get(Actor::Root, "/api/crons"),
    ]);
    cases
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let change = json!({ "meta": { "appName": format!("app {}", rng.below(100)) }, "batch": { "maxRequests": 20 + rng.below(9) } });
    vec![Step::patch(Actor::Root, PATH, &change), Step::get(Actor::Root, PATH)]
}
