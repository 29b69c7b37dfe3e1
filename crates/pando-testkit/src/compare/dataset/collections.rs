//! The collections of the common data set: every field type, every kind of rule.
//!
//! `{{name}}` stands for the id of a collection made earlier in the list.

use serde_json::{Value, json};

/// What is changed in the `users` collection that every fresh directory has.
pub(super) fn users_patch(fields: &[Value], indexes: &[Value]) -> Value {
    let mut fields = fields.to_vec();
    fields.extend([
        json!({ "type": "text", "name": "username", "max": 40 }),
        json!({ "type": "select", "name": "role", "values": ["admin", "editor", "reader"] }),
        json!({ "type": "number", "name": "score" }),
        json!({ "type": "text", "name": "secret", "hidden": true }),
        json!({ "type": "relation", "name": "team", "collectionId": "{{teams}}", "maxSelect": 1 }),
        json!({ "type": "bool", "name": "active" }),
    ]);
    let mut indexes = indexes.to_vec();
    indexes.push(json!(
        "CREATE UNIQUE INDEX `idx_username` ON `users` (`username`) WHERE `username` != ''"
    ));
    json!({
        "fields": fields,
        "indexes": indexes,
        "listRule": "verified = true || id = @request.auth.id",
        "viewRule": "verified = true || id = @request.auth.id",
        "createRule": "",
        "updateRule": "id = @request.auth.id",
        "deleteRule": "id = @request.auth.id",
        "manageRule": "@request.auth.role = 'admin'",
        "passwordAuth": { "enabled": true, "identityFields": ["email", "username"] },
    })
}

/// The collections to create, in order.
pub(super) fn collections() -> Vec<Value> {
    vec![
        teams(),
        members(),
        categories(),
        posts(),
        comments(),
        kinds(),
        limits(),
        notes(),
        gates(),
        joins(),
        locked(),
        beacons(),
    ]
}

fn autodates() -> [Value; 2] {
    [
        json!({ "type": "autodate", "name": "created", "onCreate": true }),
        json!({ "type": "autodate", "name": "updated", "onCreate": true, "onUpdate": true }),
    ]
}

fn base(name: &str, rules: [Option<&str>; 5], fields: Vec<Value>) -> Value {
    let [list, view, create, update, delete] = rules;
    json!({
        "name": name, "type": "base", "fields": fields,
        "listRule": list, "viewRule": view, "createRule": create,
        "updateRule": update, "deleteRule": delete,
    })
}

const OPEN: [Option<&str>; 5] = [Some(""); 5];

fn teams() -> Value {
    base(
        "teams",
        OPEN,
        vec![
            json!({ "type": "text", "name": "name", "required": true, "presentable": true }),
            json!({ "type": "relation", "name": "owner", "collectionId": "_pb_users_auth_", "maxSelect": 1 }),
            json!({ "type": "json", "name": "labels" }),
        ],
    )
}

fn members() -> Value {
    let mut fields = vec![json!({ "type": "text", "name": "nick" })];
    fields.extend(autodates());
    json!({
        "name": "members", "type": "auth", "fields": fields,
        "listRule": null, "viewRule": "id = @request.auth.id", "createRule": "",
        "updateRule": "id = @request.auth.id", "deleteRule": null,
        "authRule": "verified = true", "manageRule": null,
        "authToken": { "duration": 3600 },
        "fileToken": { "duration": 600 },
    })
}

fn categories() -> Value {
    let mut definition = base(
        "categories",
        OPEN,
        vec![
            json!({ "type": "text", "name": "name", "required": true }),
            json!({ "type": "number", "name": "rank", "onlyInt": true }),
        ],
    );
    definition["indexes"] =
        json!(["CREATE UNIQUE INDEX `idx_category_name` ON `categories` (`name`)"]);
    definition
}

fn posts() -> Value {
    let mut fields = vec![
        json!({ "type": "text", "name": "title", "required": true, "max": 100, "presentable": true }),
        json!({ "type": "text", "name": "slug", "pattern": "^[a-z0-9-]*$" }),
        json!({ "type": "editor", "name": "body" }),
        json!({ "type": "number", "name": "views", "onlyInt": true, "min": 0 }),
        json!({ "type": "number", "name": "rating", "min": -10, "max": 10 }),
        json!({ "type": "bool", "name": "published" }),
        json!({ "type": "email", "name": "contact" }),
        json!({ "type": "url", "name": "link" }),
        json!({ "type": "date", "name": "at" }),
        json!({ "type": "select", "name": "tags", "maxSelect": 4,
            "values": ["red", "green", "blue", "dark blue", "ünï"] }),
        json!({ "type": "select", "name": "status", "values": ["open", "closed", "draft"] }),
        json!({ "type": "file", "name": "cover", "maxSelect": 1, "maxSize": 200000,
            "mimeTypes": ["image/png", "image/jpeg", "image/gif", "image/svg+xml"],
            "thumbs": ["20x20", "20x0", "0x20", "20x20t", "20x20b", "20x20f"] }),
        json!({ "type": "file", "name": "papers", "maxSelect": 3 }),
        json!({ "type": "file", "name": "private", "maxSelect": 1, "protected": true }),
        json!({ "type": "relation", "name": "author", "collectionId": "_pb_users_auth_", "maxSelect": 1 }),
        json!({ "type": "relation", "name": "editors", "collectionId": "_pb_users_auth_", "maxSelect": 3 }),
        json!({ "type": "relation", "name": "category", "collectionId": "{{categories}}",
            "maxSelect": 1, "cascadeDelete": true }),
        json!({ "type": "json", "name": "meta" }),
        json!({ "type": "geoPoint", "name": "place" }),
        json!({ "type": "text", "name": "secret", "hidden": true }),
    ];
    fields.extend(autodates());
    let rules = [
        Some("status = 'open' || author = @request.auth.id || editors.id ?= @request.auth.id"),
        Some("status != 'draft' || author = @request.auth.id"),
        Some("@request.auth.id != '' && @request.body.author = @request.auth.id"),
        Some("author = @request.auth.id && @request.body.author:isset = false"),
        Some("author = @request.auth.id"),
    ];
    let mut definition = base("posts", rules, fields);
    definition["indexes"] = json!([
        "CREATE UNIQUE INDEX `idx_post_slug` ON `posts` (`slug`) WHERE `slug` != ''",
        "CREATE INDEX `idx_post_author` ON `posts` (`author`, `created`)",
    ]);
    definition
}

fn comments() -> Value {
    let mut fields = vec![
        json!({ "type": "text", "name": "text", "required": true, "min": 2 }),
        json!({ "type": "relation", "name": "post", "collectionId": "{{posts}}", "maxSelect": 1,
            "required": true, "cascadeDelete": true }),
        json!({ "type": "relation", "name": "user", "collectionId": "_pb_users_auth_", "maxSelect": 1 }),
        json!({ "type": "number", "name": "likes" }),
    ];
    fields.extend(autodates());
    let rules = [
        Some(""),
        Some("post.status != 'draft'"),
        Some("@request.auth.id != '' && post.status = 'open'"),
        Some("user = @request.auth.id && (@request.body.likes:changed = false || likes < 5)"),
        Some("user = @request.auth.id || post.author.id = @request.auth.id"),
    ];
    base("comments", rules, fields)
}

/// One field of each type, open to all: for values of odd types.
fn kinds() -> Value {
    let mut fields = vec![
        json!({ "type": "text", "name": "text" }),
        json!({ "type": "editor", "name": "editor" }),
        json!({ "type": "number", "name": "number" }),
        json!({ "type": "bool", "name": "bool" }),
        json!({ "type": "email", "name": "email" }),
        json!({ "type": "url", "name": "url" }),
        json!({ "type": "date", "name": "date" }),
        json!({ "type": "select", "name": "one", "values": ["a", "b", "c"] }),
        json!({ "type": "select", "name": "many", "maxSelect": 3, "values": ["a", "b", "c", "d"] }),
        json!({ "type": "file", "name": "file", "maxSelect": 1 }),
        json!({ "type": "file", "name": "files", "maxSelect": 3 }),
        json!({ "type": "relation", "name": "rel", "collectionId": "{{teams}}", "maxSelect": 1 }),
        json!({ "type": "relation", "name": "rels", "collectionId": "{{teams}}", "maxSelect": 3 }),
        json!({ "type": "json", "name": "json" }),
        json!({ "type": "geoPoint", "name": "geo" }),
        json!({ "type": "password", "name": "word" }),
        json!({ "type": "text", "name": "made", "autogeneratePattern": "gen-[a-z0-9]{6}" }),
    ];
    fields.extend(autodates());
    base("kinds", OPEN, fields)
}

/// Every field with limits: for validation errors.
fn limits() -> Value {
    let fields = vec![
        json!({ "type": "text", "name": "text", "required": true, "min": 3, "max": 8, "pattern": "^\\w+$" }),
        json!({ "type": "editor", "name": "editor", "required": true, "maxSize": 40 }),
        json!({ "type": "number", "name": "number", "required": true, "min": -5, "max": 50.5 }),
        json!({ "type": "number", "name": "int", "onlyInt": true, "max": 100 }),
        json!({ "type": "bool", "name": "bool", "required": true }),
        json!({ "type": "email", "name": "email", "required": true, "onlyDomains": ["example.com", "test.org"] }),
        json!({ "type": "email", "name": "mail", "exceptDomains": ["bad.com"] }),
        json!({ "type": "url", "name": "url", "required": true, "exceptDomains": ["bad.com"] }),
        json!({ "type": "url", "name": "site", "onlyDomains": ["example.com"] }),
        json!({ "type": "date", "name": "date", "required": true,
            "min": "2020-01-01 00:00:00.000Z", "max": "2030-01-01 00:00:00.000Z" }),
        json!({ "type": "select", "name": "one", "required": true, "values": ["a", "b"] }),
        json!({ "type": "select", "name": "many", "maxSelect": 2, "required": true, "values": ["a", "b", "c"] }),
        json!({ "type": "file", "name": "file", "maxSelect": 1, "maxSize": 100, "required": true }),
        json!({ "type": "file", "name": "files", "maxSelect": 2, "mimeTypes": ["text/plain; charset=utf-8", "image/png"] }),
        json!({ "type": "relation", "name": "rel", "collectionId": "{{teams}}", "maxSelect": 1, "required": true }),
        json!({ "type": "relation", "name": "rels", "collectionId": "{{teams}}", "minSelect": 1, "maxSelect": 2 }),
        json!({ "type": "json", "name": "json", "required": true, "maxSize": 30 }),
        json!({ "type": "geoPoint", "name": "geo", "required": true }),
        json!({ "type": "password", "name": "word", "required": true, "min": 4, "max": 10, "cost": 4, "pattern": "^[a-z]+$" }),
    ];
    base("limits", OPEN, fields)
}

/// Private to their owner: for realtime and cascades.
fn notes() -> Value {
    let mine = Some("owner = @request.auth.id");
    base(
        "notes",
        [mine; 5],
        vec![
            json!({ "type": "text", "name": "text" }),
            json!({ "type": "relation", "name": "owner", "collectionId": "_pb_users_auth_",
            "maxSelect": 1, "cascadeDelete": true }),
            json!({ "type": "relation", "name": "parent", "collectionId": "{{teams}}", "maxSelect": 2, "cascadeDelete": true }),
            json!({ "type": "number", "name": "size" }),
        ],
    )
}

/// Rules over everything a request carries.
fn gates() -> Value {
    let rules = [
        Some("@request.headers.x_key = 'abc' || @request.query.key = name"),
        Some("@request.auth.collectionName = 'users' && @request.auth.verified = true"),
        Some(
            "@request.body.flags:length > 1 || @request.method = 'PUT' || @request.context = 'batch'",
        ),
        Some("@request.auth.team.name ~ 'team' && @request.body.level:isset = true"),
        Some("level < 5 && (name:lower = 'a' || open = true)"),
    ];
    base(
        "gates",
        rules,
        vec![
            json!({ "type": "text", "name": "name" }),
            json!({ "type": "number", "name": "level" }),
            json!({ "type": "bool", "name": "open" }),
            json!({ "type": "select", "name": "flags", "maxSelect": 3, "values": ["x", "y", "z"] }),
        ],
    )
}

/// Rules over other collections.
fn joins() -> Value {
    let rules = [
        Some("@collection.teams.owner ?= @request.auth.id"),
        Some("@collection.categories:c.name ?= label && @collection.categories:c.rank ?> 2"),
        Some("@collection.users.id ?= @request.auth.id"),
        Some("post.comments_via_post.user ?= @request.auth.id"),
        None,
    ];
    base(
        "joins",
        rules,
        vec![
            json!({ "type": "text", "name": "label" }),
            json!({ "type": "relation", "name": "post", "collectionId": "{{posts}}", "maxSelect": 1 }),
        ],
    )
}

fn locked() -> Value {
    base("locked", [None; 5], vec![json!({ "type": "text", "name": "text" })])
}

/// Marks the end of what realtime tests wait for.
fn beacons() -> Value {
    base("beacons", OPEN, vec![json!({ "type": "text", "name": "mark" })])
}
