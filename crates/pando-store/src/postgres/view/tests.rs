//! Translations and refusals, as text. That they show the same as SQLite is for `tests/dialects`.

use std::sync::Arc;

use expect_test::{Expect, expect};
use pando_schema::{Collection, CollectionKind, Field, FieldKind, Schema};

use super::{RowOrder, translate};

fn schema() -> Schema {
    let mut posts = Collection::new(CollectionKind::Base, "posts", "", &mut rand::rng());
    for (name, kind) in [
        ("title", "text"),
        ("views", "number"),
        ("pub", "bool"),
        ("meta", "json"),
        ("tags", "select"),
    ] {
        let mut field = Field::new(name, FieldKind::blank(kind).unwrap());
        if let FieldKind::Select { max_select, .. } = &mut field.kind {
            *max_select = 3;
        }
        posts.fields.push(field);
    }
    Schema::new([Arc::new(posts)])
}

/// The translation with JSON fields, of which anything can be one.
#[track_caller]
fn check_with(query: &str, count: usize, order: RowOrder, expect: Expect) {
    let fields: Vec<Field> = (0..count)
        .map(|number| Field::new(&format!("f{number}"), FieldKind::blank("json").unwrap()))
        .collect();
    let shown = translate(query, &fields, &schema(), order);
    expect.assert_eq(&shown.unwrap_or_else(|error| format!("error: {error}")));
}

#[track_caller]
fn check(query: &str, count: usize, expect: Expect) {
    check_with(query, count, RowOrder::Free, expect);
}

#[test]
fn names_are_found_and_values_typed() {
    check(
        "select id, [Title] t, 'x' as 'y', \"none\" from posts",
        4,
        expect![[
            r#"SELECT pando.shown_json(q.c1) AS "f0", pando.shown_json(q.c2) AS "f1", pando.shown_json(q.c3) AS "f2", pando.shown_json(q.c4) AS "f3" FROM (SELECT t1."id" AS c1, t1."title" AS c2, 'x'::text AS c3, 'none'::text AS c4 FROM "posts" AS t1) AS q"#
        ]],
    );
    check(
        "select id, views / 2, title || pub, pub = 1 and views > '5' from posts",
        4,
        expect![[
            r#"SELECT pando.shown_json(q.c1) AS "f0", pando.shown_json((CASE WHEN q.w2 THEN pando.number_text(q.c2) ELSE pando.shown_real(q.c2) END)) AS "f1", pando.shown_json(q.c3) AS "f2", to_json((q.c4)::int) AS "f3" FROM (SELECT t1."id" AS c1, (CASE WHEN (t1."views" = trunc(t1."views")) THEN trunc((t1."views" / nullif((2)::float8, 0))) ELSE (t1."views" / nullif((2)::float8, 0)) END) AS c2, (t1."views" = trunc(t1."views")) AS w2, (t1."title" || (t1."pub")::int::text) AS c3, ((t1."pub" = TRUE) AND (t1."views" > 5)) AS c4 FROM "posts" AS t1) AS q"#
        ]],
    );
    check(
        "select p.meta, p.tags, json_extract(p.meta, '$.a[0]') from posts as p",
        3,
        expect![[
            r##"SELECT q.c1 AS "f0", q.c2 AS "f1", pando.shown_json(pando.shown_text(q.c3)) AS "f2" FROM (SELECT t1."meta" AS c1, t1."tags" AS c2, pando.json_at(t1."meta", '{"a","#0"}'::text[]) AS c3 FROM "posts" AS t1) AS q"##
        ]],
    );
}

#[test]
fn groups_show_columns_of_one_row() {
    check(
        "select id, title, count(*) from posts group by id",
        3,
        expect![[
            r#"SELECT pando.shown_json(q.c1) AS "f0", pando.shown_json(q.c2) AS "f1", to_json((q.c3)::int8) AS "f2" FROM (SELECT t1."id" AS c1, t1."title" AS c2, count(*) AS c3 FROM "posts" AS t1 GROUP BY t1."id", t1."_b" ORDER BY t1."id" COLLATE "C") AS q"#
        ]],
    );
    check(
        "select title, views, max(meta) from posts group by 1",
        3,
        expect![[
            r#"SELECT pando.shown_json(q.c1) AS "f0", pando.shown_json((CASE WHEN (q.c2 = trunc(q.c2)) THEN pando.number_text(q.c2) ELSE pando.shown_real(q.c2) END)) AS "f1", pando.shown_json(pando.shown_text(q.c3)) AS "f2" FROM (SELECT t1."title" AS c1, (array_agg(t1."views" ORDER BY pando.json_cell(t1."meta") DESC NULLS LAST, t1."_n"))[1] AS c2, pando.max(pando.json_cell(t1."meta")) AS c3 FROM "posts" AS t1 GROUP BY t1."title" ORDER BY t1."title" COLLATE "C") AS q"#
        ]],
    );
}

#[test]
fn the_order_of_rows_is_told_where_it_matters() {
    check(
        "select id from posts limit 2",
        1,
        expect![[
            r#"SELECT pando.shown_json(q.c1) AS "f0" FROM (SELECT t1."id" AS c1 FROM "posts" AS t1 ORDER BY t1."id", t1."_n" LIMIT 2) AS q"#
        ]],
    );
    check_with(
        "select id from posts",
        1,
        RowOrder::Read,
        expect![[
            r#"SELECT pando.shown_json(q.c1) AS "f0" FROM (SELECT t1."id" AS c1 FROM "posts" AS t1 ORDER BY t1."id", t1."_n") AS q"#
        ]],
    );
    check(
        "select title from posts union select id from posts",
        1,
        expect![[
            r#"SELECT pando.shown_json(q.c1) AS "f0" FROM (SELECT t5.* FROM (SELECT t3.c1 AS c1 FROM (SELECT t1."title" AS c1 FROM "posts" AS t1) AS t3 UNION SELECT t4.c1 AS c1 FROM (SELECT t2."id" AS c1 FROM "posts" AS t2) AS t4) AS t5 ORDER BY t5.c1 COLLATE "C" NULLS FIRST) AS q"#
        ]],
    );
}

#[test]
fn what_cannot_be_said_is_refused() {
    check(
        "select id, missing from posts",
        2,
        expect![[r#"error: "missing" must be rewritten for PostgreSQL: there is no such column"#]],
    );
    check(
        "select name from sqlite_master",
        1,
        expect![[
            r#"error: "sqlite_master" must be rewritten for PostgreSQL: PostgreSQL has no such table; read _collections"#
        ]],
    );
    check(
        "select id from other",
        1,
        expect![[
            r#"error: "other" must be rewritten for PostgreSQL: there is no such collection"#
        ]],
    );
    check(
        "select id, views << 2 from posts",
        2,
        expect![[
            r#"error: "views << 2" must be rewritten for PostgreSQL: this operator has no translation"#
        ]],
    );
    check(
        "select id, soundex(title) from posts",
        2,
        expect![[
            r#"error: "soundex(title)" must be rewritten for PostgreSQL: the function soundex has no translation for these arguments"#
        ]],
    );
    check(
        "select id, x'00' from posts",
        2,
        expect![[
            r#"error: "x'00' from posts" must be rewritten for PostgreSQL: 'x' has no translation"#
        ]],
    );
    check(
        "select id, json_extract(meta, title) from posts",
        2,
        expect![[
            r#"error: "title" must be rewritten for PostgreSQL: a path like '$.name[0]' must stand here as a literal"#
        ]],
    );
    check(
        "select id from posts where (id, title) = (1, 2)",
        1,
        expect![[
            r#"error: "(id, title)" must be rewritten for PostgreSQL: compare values one by one"#
        ]],
    );
    check(
        "with recursive n(x) as (select 1) select x from n",
        1,
        expect![[
            r#"error: "recursive n(x) as (select 1) select x fr" must be rewritten for PostgreSQL: recursive queries have no translation"#
        ]],
    );
    check(
        "select rowid from (select 1)",
        1,
        expect![[
            r#"error: "rowid" must be rewritten for PostgreSQL: rows have numbers only in tables of collections"#
        ]],
    );
    check(
        "select id from posts limit views",
        1,
        expect![[r#"error: "views" must be rewritten for PostgreSQL: there is no such column"#]],
    );
    check(
        "select id, title from posts",
        1,
        expect![[
            r#"error: "select id, title from posts" must be rewritten for PostgreSQL: 2 columns are understood, where SQLite sees 1"#
        ]],
    );
    check(
        "select id from posts where",
        1,
        expect![[
            r#"error: "" must be rewritten for PostgreSQL: it is not understood at this place"#
        ]],
    );
}

#[test]
fn no_query_is_too_deep_or_too_long() {
    let deep = format!("select {}1{}", "(".repeat(2000), ")".repeat(2000));
    let not = format!("select {}1", "not ".repeat(1200));
    let chain = format!("select {}1", "1+".repeat(2400));
    let cases = format!("select {}1{}", "case when 1 then ".repeat(200), " end".repeat(200));
    let nested = format!("select {}1{}", "(select ".repeat(600), ")".repeat(600));
    for query in [deep, not, chain, cases, nested] {
        let refused = translate(&query, &[], &schema(), RowOrder::Free).unwrap_err();
        assert_eq!(refused.reason, "it is nested too deep");
    }
    // Each named query reads the one before it twice.
    let mut doubling = "with n0 as (select 1 as x)".to_owned();
    for number in 1..40 {
        let before = number - 1;
        doubling.push_str(&format!(", n{number} as (select a.x from n{before} a, n{before} b)"));
    }
    check(
        &format!("{doubling} select x from n39"),
        1,
        expect![[
            r#"error: "with n0 as (select 1 as x), n1 as (select a.x from n0 a, n0 b), n2 as (select a.x from n1 a, n1 b), …" must be rewritten for PostgreSQL: it reads too many tables and queries"#
        ]],
    );
    let long = format!("views{}", " / views".repeat(40));
    check(
        &format!("select {long} from posts"),
        1,
        expect![[
            r#"error: "views / views / views / views / views / views / views / views / views / views / views / views" must be rewritten for PostgreSQL: it would become too long"#
        ]],
    );
}
