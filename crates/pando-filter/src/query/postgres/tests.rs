//! The statements for PostgreSQL. What they find is for the test of pando-store that compares them
//! with those for SQLite.

use expect_test::{Expect, expect};
use pando_schema::Value;

use crate::fixture::{self, NOW, text};
use crate::{Columns, Dialect, Origin, Query, Sql};

#[track_caller]
fn check(filter: &str, sort: &str, ids: &[&str], expect: Expect) {
    let schema = fixture::schema();
    let mut query = Query::new(&schema, schema.find("posts").unwrap(), None, NOW).unwrap();
    query.speak(Dialect::Postgres);
    if !filter.is_empty() {
        query.filter(&crate::parse(filter).unwrap()).unwrap();
    }
    if !sort.is_empty() {
        query.sort(sort).unwrap();
    }
    if !ids.is_empty() {
        query.only_ids(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    }
    let sql = query.list(Columns::Id, 30, 0);
    expect.assert_eq(&format!("{}\n{:?}", sql.text, sql.values));
}

#[test]
fn comparisons_of_one_type_are_plain() {
    check(
        "title = 'a' && views > 5 && pub = true && at <= @now",
        "",
        &[],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" WHERE ("posts"."title" = $1::text AND "posts"."views" > $2::float8 AND "posts"."pub" = TRUE AND "posts"."at" <= $3::text) ORDER BY "posts"."_n" ASC LIMIT 30
            [Text("a"), Real(5.0), Text("2024-02-10 11:12:13.456Z")]"#]],
    );
    check(
        "title != '' && title = '' && views != 5 && views = '5'",
        "",
        &[],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" WHERE ("posts"."title" <> '' AND "posts"."title" = '' AND "posts"."views" <> $1::float8 AND "posts"."views" = $2::float8) ORDER BY "posts"."_n" ASC LIMIT 30
            [Real(5.0), Real(5.0)]"#]],
    );
    check(
        "title ~ 'A_b' && cats:each ?= 'x' && cats:length > 1",
        "",
        &[],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" WHERE ("posts"."_b", "posts"."id") IN (SELECT "posts"."_b", "posts"."id" FROM "posts" LEFT JOIN LATERAL json_array_elements_text("posts"."cats") WITH ORDINALITY __t3(value, ord) ON TRUE WHERE (lower("posts"."title") LIKE $1::text AND __t3.value COLLATE "C" = $2::text AND COALESCE(json_array_length("posts"."cats"), 0) > $3::float8)) ORDER BY "posts"."id" LIMIT 30
            [Text("%a\\_b%"), Text("x"), Real(1.0)]"#]],
    );
    check(
        "meta.a.b = 'x' && meta.a.0 > 5 && loc.lon < 10",
        "",
        &[],
        expect![[r##"
            SELECT "posts"."id" FROM "posts" WHERE (pando.json_text("posts"."meta", '{"a","b"}') COLLATE "C" IS NOT DISTINCT FROM $1::text AND pando.json_at_number("posts"."meta", '{"a","#0"}') > $2::float8 AND pando.json_number("posts"."loc", '{"lon"}') < $3::float8) ORDER BY "posts"."_n" ASC LIMIT 30
            [Text("x"), Real(5.0), Real(10.0)]"##]],
    );
}

#[test]
fn values_of_several_types_are_compared_as_such() {
    check(
        "views = 'abc' && title = views && meta.a < 'x' && cat = 5",
        "",
        &[],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" WHERE (pando.n("posts"."views") = pando.t($1::text) AND pando.t("posts"."title") = pando.n("posts"."views") AND pando.json("posts"."meta", '{"a"}') < pando.t($2::text) AND "posts"."cat" = $3::text) ORDER BY "posts"."_n" ASC LIMIT 30
            [Text("abc"), Text("x"), Text("5.0")]"#]],
    );
    check(
        "meta.a = '5' && title ~ cats && cat:each ?= 1",
        "",
        &[],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" WHERE ("posts"."_b", "posts"."id") IN (SELECT "posts"."_b", "posts"."id" FROM "posts" LEFT JOIN LATERAL pando.items("posts"."cat") WITH ORDINALITY __t5(value, text, ord) ON TRUE WHERE (pando.json("posts"."meta", '{"a"}') IS NOT DISTINCT FROM pando.t($1::text) AND lower("posts"."title") LIKE ('%' || lower("posts"."cats"::text COLLATE "C") || '%') AND __t5.value = pando.n($2::float8))) ORDER BY "posts"."id" LIMIT 30
            [Text("5"), Real(1.0)]"#]],
    );
}

#[test]
fn rows_are_found_by_their_key_and_in_an_order() {
    check(
        "",
        "",
        &["p1"],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" WHERE "posts"."_b" = $1::int8::int2 AND "posts"."id" = $2::text LIMIT 30
            [Int(3612), Text("p1")]"#]],
    );
    check(
        "",
        "title",
        &["p1", "p2"],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" WHERE ("posts"."_b", "posts"."id") IN (SELECT * FROM unnest($1::text::int2[], $2::text::text[])) ORDER BY "posts"."title" ASC, "posts"."id" LIMIT 30
            [Text("{3612,4010}"), Text("{\"p1\",\"p2\"}")]"#]],
    );
    check(
        "",
        "-title,id,views",
        &[],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" ORDER BY "posts"."title" DESC, "posts"."id" ASC LIMIT 30
            []"#]],
    );
    check(
        "author.name = 'x'",
        "author.name",
        &[],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" LEFT JOIN "users" __t3 ON __t3."id" = "posts"."author" WHERE __t3."name" = $1::text ORDER BY __t3."name" ASC NULLS FIRST, "posts"."_n" ASC LIMIT 30
            [Text("x")]"#]],
    );
    check(
        "comments_via_post.text ?= 'x'",
        "-at",
        &[],
        expect![[r#"
            SELECT "posts"."id" FROM "posts" WHERE ("posts"."_b", "posts"."id") IN (SELECT "posts"."_b", "posts"."id" FROM "posts" LEFT JOIN "comments" __t2 ON __t2."post" = "posts"."id" WHERE __t2."text" = $1::text) ORDER BY "posts"."at" DESC, "posts"."_n" ASC LIMIT 30
            [Text("x")]"#]],
    );
    check(
        "comments_via_post.text ?= 'x'",
        "comments_via_post.text",
        &[],
        expect![[r#"
            SELECT c0 FROM (SELECT DISTINCT ON ("posts"."_b", "posts"."id") "posts"."id" AS c0, __t2."text" AS k0, "posts"."_n" AS n FROM "posts" LEFT JOIN "comments" __t2 ON __t2."post" = "posts"."id" WHERE __t2."text" = $1::text ORDER BY "posts"."_b", "posts"."id", __t2."_n") q ORDER BY k0 ASC NULLS FIRST, n LIMIT 30
            [Text("x")]"#]],
    );
}

#[test]
fn a_record_at_hand_is_typed_like_its_table() {
    let schema = fixture::schema();
    let values = vec![text("p1"), text("Ann"), Value::Number(5.0), Value::Bool(true)];
    let record = fixture::record(&schema, "posts", values);
    let mut query = Query::of_record(&schema, &record, Origin::Submitted, None, NOW).unwrap();
    query.speak(Dialect::Postgres);
    query.filter(&crate::parse("views = '5' && pub = true").unwrap()).unwrap();
    expect![[r#"WITH "__record" AS (SELECT $1::text COLLATE "C" AS "id", $2::text COLLATE "C" AS "title", $3::float8 AS "views", ($4::int8 <> 0) AS "pub", $5::text COLLATE "C" AS "at", $6::text COLLATE "C" AS "cat", $7::text::json AS "cats", $8::text COLLATE "C" AS "author", $9::text::json AS "tags", $10::text COLLATE "C" AS "shut", $11::text::json AS "meta", $12::text::json AS "loc", $13::text COLLATE "C" AS "secret") SELECT 1 FROM "__record" WHERE (pando.n("__record"."views") = pando.t($14::text) AND "__record"."pub" = TRUE) LIMIT 1"#]].assert_eq(&query.exists().text);
    expect![[r#"WITH "__record" AS (SELECT $1::text COLLATE "C" AS "id", $2::text COLLATE "C" AS "title", $3::float8 AS "views", ($4::int8 <> 0) AS "pub", $5::text COLLATE "C" AS "at", $6::text COLLATE "C" AS "cat", $7::text::json AS "cats", $8::text COLLATE "C" AS "author", $9::text::json AS "tags", $10::text COLLATE "C" AS "shut", $11::text::json AS "meta", $12::text::json AS "loc", $13::text COLLATE "C" AS "secret") SELECT COUNT(*) FROM "__record" WHERE (pando.n("__record"."views") = pando.t($14::text) AND "__record"."pub" = TRUE)"#]].assert_eq(&query.count().text);
}

#[test]
fn pages_are_written_out_up_to_the_tenth() {
    let page = |limit, offset| {
        let mut sql = Sql::new(Dialect::Postgres);
        super::write_page(&mut sql, limit, offset);
        format!("{} {:?}", sql.text.trim_start(), sql.values)
    };
    let pages = [(30, 0), (30, 270), (30, 300), (i64::MAX, 1)].map(|(limit, at)| page(limit, at));
    expect![[r#"
        LIMIT 30 []
        LIMIT 30 OFFSET 270 []
        LIMIT 30 OFFSET $1::int8 [Int(300)]
        LIMIT 9223372036854775807 OFFSET 1 []"#]]
    .assert_eq(&pages.join("\n"));
}
