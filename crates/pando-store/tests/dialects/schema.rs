//! Collections with fields of all kinds, and relations of all kinds between them.

use std::sync::Arc;

use pando_schema::{Collection, CollectionKind, Field, FieldKind, Rules, Schema};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOW: OffsetDateTime = datetime!(2024-02-10 11:12:13.456 UTC);

fn field(name: &str, kind: &str) -> Field {
    let mut field = Field::new(name, FieldKind::blank(kind).unwrap());
    field.id = format!("{kind}_{name}");
    field
}

fn id() -> Field {
    let mut id = field("id", "text");
    if let FieldKind::Text { primary_key, .. } = &mut id.kind {
        *primary_key = true;
    }
    id
}

fn many(mut field: Field) -> Field {
    match &mut field.kind {
        FieldKind::Select { max_select, .. }
        | FieldKind::File { max_select, .. }
        | FieldKind::Relation { max_select, .. } => *max_select = 9,
        _ => panic!("{} holds no list", field.name),
    }
    field
}

fn relation(name: &str, target: &str) -> Field {
    let mut field = field(name, "relation");
    if let FieldKind::Relation { collection_id, .. } = &mut field.kind {
        *collection_id = format!("pbc_{target}");
    }
    field
}

fn collection(name: &str, kind: CollectionKind, list: &str, fields: Vec<Field>) -> Collection {
    let mut all = vec![id()];
    all.extend(fields);
    Collection {
        id: format!("pbc_{name}"),
        name: name.to_owned(),
        kind,
        system: false,
        fields: all,
        indexes: Vec::new(),
        rules: Rules { list: Some(list.to_owned()), ..Rules::default() },
        auth: None,
        view_query: String::new(),
        created: String::new(),
        updated: String::new(),
        json_shape: pando_schema::Derived::default(),
    }
}

pub(crate) fn schema() -> Schema {
    let users = vec![
        field("email", "email"),
        field("emailVisibility", "bool"),
        field("verified", "bool"),
        field("name", "text"),
        field("age", "number"),
        many(field("roles", "select")),
        relation("org", "orgs"),
        field("prefs", "json"),
    ];
    let orgs = vec![field("name", "text"), field("size", "number")];
    let posts = vec![
        field("title", "text"),
        field("body", "editor"),
        field("views", "number"),
        field("score", "number"),
        field("pub", "bool"),
        field("at", "date"),
        field("cat", "select"),
        many(field("cats", "select")),
        field("doc", "file"),
        many(field("docs", "file")),
        relation("author", "users"),
        many(relation("tags", "tags")),
        field("meta", "json"),
        field("loc", "geoPoint"),
        field("link", "url"),
        // Names that PostgreSQL does not have, or has taken.
        field("_n", "text"),
        field("xmin", "number"),
    ];
    let comments = vec![
        relation("post", "posts"),
        relation("by", "users"),
        field("text", "text"),
        field("rank", "number"),
        field("extra", "json"),
    ];
    let boards = vec![many(relation("posts", "posts")), field("name", "text")];
    let pins = vec![relation("post", "posts"), field("note", "text")];
    let base = CollectionKind::Base;
    let mut pins = collection("pg_class", base, "", pins);
    pins.indexes.push("CREATE UNIQUE INDEX `pins_post` ON `pg_class` (`post`)".to_owned());
    let mut posts = collection("posts", base, "", posts);
    posts.indexes.push("CREATE INDEX `posts_score` ON `posts` (`score`)".to_owned());
    Schema::new(
        [
            collection("users", CollectionKind::Auth, "", users),
            collection("orgs", base, "name != 'x'", orgs),
            posts,
            collection("tags", base, "", vec![field("name", "text"), field("weight", "number")]),
            collection("comments", base, "rank < 100", comments),
            collection("boards", base, "", boards),
            pins,
        ]
        .map(Arc::new),
    )
}
