//! Definitions of fields, good and bad, each in a collection of its own.

use serde_json::{Value, json};

use super::cycle;
use crate::compare::scenario::Step;

pub(super) fn cases() -> Vec<Vec<Step>> {
    definitions()
        .into_iter()
        .map(|field| cycle(&json!({ "name": "shaped", "fields": [field] })))
        .collect()
}

pub(super) fn definitions() -> Vec<Value> {
    let mut fields = names();
    fields.extend(texts());
    fields.extend(choices());
    fields
}

fn names() -> Vec<Value> {
    [
        "title",
        "a b",
        "a-b",
        "ünï",
        "1a",
        "_a",
        "null",
        "true",
        "collectionId",
        "collectionName",
        "expand",
        "created",
        "id",
        "_via_",
        "a_via_b",
        "select",
        "rowid",
        "oid",
        "_rowid_",
        "@x",
        "a.b",
        "a:b",
        "a'b",
        "a\"b",
        "a`b",
        "",
        "count",
        "Title",
        "tokenKey",
        "password",
        "email",
    ]
    .iter()
    .map(|name| json!({ "type": "text", "name": name }))
    .chain([
        json!({ "type": "text", "name": "x".repeat(101) }),
        json!({ "type": "text", "name": 1 }),
        json!({ "type": "bool", "name": "b", "unknown": 1 }),
        json!({ "type": "bool", "name": "b", "required": "yes" }),
        json!({ "type": "bool", "name": "b", "id": "x y" }),
        json!({ "type": "bool", "name": "b", "system": true }),
        json!({ "type": "bool", "name": "b", "hidden": true, "presentable": true, "help": "text" }),
    ])
    .collect()
}

fn texts() -> Vec<Value> {
    vec![
        json!({ "type": "text", "name": "t", "min": 5, "max": 3 }),
        json!({ "type": "text", "name": "t", "min": -1 }),
        json!({ "type": "text", "name": "t", "max": -1 }),
        json!({ "type": "text", "name": "t", "max": 9_007_199_254_740_992_i64 }),
        json!({ "type": "text", "name": "t", "min": 1.5 }),
        json!({ "type": "text", "name": "t", "min": "1" }),
        json!({ "type": "text", "name": "t", "pattern": "[" }),
        json!({ "type": "text", "name": "t", "pattern": "^a+$" }),
        json!({ "type": "text", "name": "t", "pattern": "(?<!a)b" }),
        json!({ "type": "text", "name": "t", "autogeneratePattern": "[" }),
        json!({ "type": "text", "name": "t", "autogeneratePattern": "gen-[a-z]{6}" }),
        json!({ "type": "text", "name": "t", "autogeneratePattern": "gen-[a-z]{6}", "max": 3 }),
        json!({ "type": "text", "name": "t", "primaryKey": true }),
        json!({ "type": "editor", "name": "e", "maxSize": -1 }),
        json!({ "type": "editor", "name": "e", "convertURLs": true }),
        json!({ "type": "number", "name": "n", "min": 5, "max": 3 }),
        json!({ "type": "number", "name": "n", "min": 1.5, "onlyInt": true }),
        json!({ "type": "number", "name": "n", "min": null, "max": null }),
        json!({ "type": "number", "name": "n", "min": "x" }),
        json!({ "type": "number", "name": "n", "min": 0, "max": 0 }),
        json!({ "type": "email", "name": "m", "onlyDomains": ["a.b"], "exceptDomains": ["c.d"] }),
        json!({ "type": "email", "name": "m", "onlyDomains": ["bad domain"] }),
        json!({ "type": "email", "name": "m", "exceptDomains": ["a.b"] }),
        json!({ "type": "email", "name": "m", "onlyDomains": "a.b" }),
        json!({ "type": "url", "name": "u", "onlyDomains": ["a.b"], "exceptDomains": ["a.b"] }),
        json!({ "type": "url", "name": "u", "onlyDomains": [""] }),
        json!({ "type": "date", "name": "d", "min": "2024-01-01", "max": "2023-01-01" }),
        json!({ "type": "date", "name": "d", "min": "bad" }),
        json!({ "type": "date", "name": "d", "min": "2024-01-01 10:00:00.000Z", "max": "" }),
        json!({ "type": "autodate", "name": "d" }),
        json!({ "type": "autodate", "name": "d", "onCreate": true }),
        json!({ "type": "autodate", "name": "d", "onUpdate": true }),
        json!({ "type": "autodate", "name": "d", "onCreate": true, "required": true }),
        json!({ "type": "password", "name": "p" }),
        json!({ "type": "password", "name": "p", "min": 80 }),
        json!({ "type": "password", "name": "p", "min": 10, "max": 5 }),
        json!({ "type": "password", "name": "p", "cost": 3 }),
        json!({ "type": "password", "name": "p", "cost": 32 }),
        json!({ "type": "password", "name": "p", "pattern": "[" }),
        json!({ "type": "password", "name": "p", "max": 80 }),
    ]
}

fn choices() -> Vec<Value> {
    vec![
        json!({ "type": "select", "name": "s" }),
        json!({ "type": "select", "name": "s", "values": [] }),
        json!({ "type": "select", "name": "s", "values": ["a", "a"] }),
        json!({ "type": "select", "name": "s", "values": [""] }),
        json!({ "type": "select", "name": "s", "values": ["a"], "maxSelect": 5 }),
        json!({ "type": "select", "name": "s", "values": ["a", "b"], "maxSelect": -1 }),
        json!({ "type": "select", "name": "s", "values": ["a", "b"], "maxSelect": 2 }),
        json!({ "type": "select", "name": "s", "values": "a" }),
        json!({ "type": "select", "name": "s", "values": [1, 2] }),
        json!({ "type": "file", "name": "f" }),
        json!({ "type": "file", "name": "f", "maxSelect": -1 }),
        json!({ "type": "file", "name": "f", "maxSize": -1 }),
        json!({ "type": "file", "name": "f", "maxSelect": 5, "maxSize": 1000, "mimeTypes": ["image/png"], "thumbs": ["10x10", "0x5"] }),
        json!({ "type": "file", "name": "f", "thumbs": ["bad"] }),
        json!({ "type": "file", "name": "f", "thumbs": ["0x0"] }),
        json!({ "type": "file", "name": "f", "mimeTypes": ["bad"] }),
        json!({ "type": "file", "name": "f", "protected": true }),
        json!({ "type": "relation", "name": "r" }),
        json!({ "type": "relation", "name": "r", "collectionId": "" }),
        json!({ "type": "relation", "name": "r", "collectionId": "unknown" }),
        json!({ "type": "relation", "name": "r", "collectionId": "_pb_users_auth_" }),
        json!({ "type": "relation", "name": "r", "collectionId": "users" }),
        json!({ "type": "relation", "name": "r", "collectionId": "_pb_users_auth_", "minSelect": 3, "maxSelect": 2 }),
        json!({ "type": "relation", "name": "r", "collectionId": "_pb_users_auth_", "minSelect": -1 }),
        json!({ "type": "relation", "name": "r", "collectionId": "_pb_users_auth_", "maxSelect": 5, "cascadeDelete": true }),
        json!({ "type": "json", "name": "j" }),
        json!({ "type": "json", "name": "j", "maxSize": -1 }),
        json!({ "type": "json", "name": "j", "maxSize": 9_007_199_254_740_992_i64 }),
        json!({ "type": "geoPoint", "name": "g" }),
        json!({ "type": "geoPoint", "name": "g", "required": true }),
        json!({ "type": "geopoint", "name": "g" }),
        json!({ "type": "TEXT", "name": "t" }),
    ]
}
