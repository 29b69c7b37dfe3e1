//! The statements, and what they find.

use std::sync::Arc;

use expect_test::{Expect, expect};
use pando_schema::{Record, Value};
use serde_json::json;

use super::{Columns, Origin, Query, check_rule};
use crate::fixture::{self, NOW, text};
use crate::{FilterError, Purpose, RequestContext, SqlValue};

fn guest() -> RequestContext {
    RequestContext::new(Purpose::Default, "GET", None)
}

fn member() -> RequestContext {
    let schema = fixture::schema();
    let values = vec![
        text("u1"),
        text("a@b.co"),
        Value::Bool(false),
        Value::Bool(true),
        text("hash"),
        text("Ann"),
        Value::Number(30.0),
        Value::List(vec!["admin".to_owned()]),
        text("o1"),
    ];
    let auth = Arc::new(fixture::record(&schema, "users", values));
    RequestContext::new(Purpose::Default, "GET", Some(auth))
}

/// Shows the statement that lists the ids of posts, and its values.
#[track_caller]
fn check(request: &RequestContext, filter: &str, sort: &str, expect: Expect) {
    let schema = fixture::schema();
    let posts = schema.find("posts").unwrap();
    let mut query = Query::new(&schema, posts, Some(request), NOW).unwrap();
    let expr = crate::parse(filter).unwrap();
    let outcome =
        query.filter(&expr).and_then(|()| if sort.is_empty() { Ok(()) } else { query.sort(sort) });
    let shown = match outcome {
        Err(error) => format!("error: {error}"),
        Ok(()) => {
            let sql = query.list(Columns::Id, 30, 0);
            fixture::database(&schema).prepare(&sql.text).unwrap();
            format!("{}\n{:?}", sql.text, sql.values)
        }
    };
    expect.assert_eq(&shown);
}

#[test]
fn plain_fields_need_no_join() {
    check(
        &guest(),
        "title = 'a' && views > 5 || title = ''",
        "-views,id",
        expect![[r#"
        SELECT `posts`.`id` FROM `posts` WHERE (`posts`.`title` = ? AND `posts`.`views` > ? OR (`posts`.`title` = '' OR `posts`.`title` IS NULL)) ORDER BY `posts`.`views` DESC, `posts`.`id` ASC LIMIT ?
        [Text("a"), Real(5.0), Int(30)]"#]],
    );
    check(
        &guest(),
        "author.id = 'u1'",
        "",
        expect![[r#"
        SELECT `posts`.`id` FROM `posts` WHERE `posts`.`author` = ? LIMIT ?
        [Text("u1"), Int(30)]"#]],
    );
    check(
        &guest(),
        "title ~ 'a_b' && title !~ 'a%' && title ~ cat",
        "",
        expect![[r#"
        SELECT `posts`.`id` FROM `posts` WHERE (`posts`.`title` LIKE ? ESCAPE '\' AND `posts`.`title` NOT LIKE ? ESCAPE '\' AND `posts`.`title` LIKE ('%' || `posts`.`cat` || '%') ESCAPE '\') LIMIT ?
        [Text("%a\\_b%"), Text("a%"), Int(30)]"#]],
    );
}

#[test]
fn relations_are_joined_once() {
    check(
        &guest(),
        "author.name = 'x' || author.age > 5",
        "author.name",
        expect![[r#"
        SELECT `posts`.`id` FROM `posts` LEFT JOIN `users` __t3 ON __t3.`id` = `posts`.`author` WHERE (__t3.`name` = ? OR __t3.`age` > ?) ORDER BY __t3.`name` ASC LIMIT ?
        [Text("x"), Real(5.0), Int(30)]"#]],
    );
    check(
        &guest(),
        "author.org.name ?= 'x'",
        "",
        expect![[r#"
        SELECT DISTINCT `posts`.`id` FROM `posts` LEFT JOIN `users` __t3 ON __t3.`id` = `posts`.`author` LEFT JOIN `orgs` __t5 ON __t5.`id` = __t3.`org` WHERE __t5.`name` = ? LIMIT ?
        [Text("x"), Int(30)]"#]],
    );
}

#[test]
fn every_value_must_match_unless_any_may() {
    check(
        &guest(),
        "cats:each ?= 'a'",
        "",
        expect![[r#"
        SELECT DISTINCT `posts`.`id` FROM `posts` LEFT JOIN json_each(CASE WHEN iif(json_valid(`posts`.`cats`), json_type(`posts`.`cats`)='array', FALSE) THEN `posts`.`cats` ELSE json_array(`posts`.`cats`) END) __t2 WHERE __t2.value = ? LIMIT ?
        [Text("a"), Int(30)]"#]],
    );
    check(
        &guest(),
        "cats:each = 'a'",
        "",
        expect![[r#"
        SELECT DISTINCT `posts`.`id` FROM `posts` LEFT JOIN json_each(CASE WHEN iif(json_valid(`posts`.`cats`), json_type(`posts`.`cats`)='array', FALSE) THEN `posts`.`cats` ELSE json_array(`posts`.`cats`) END) __t2 WHERE (__t2.value = ? AND NOT EXISTS (SELECT 1 FROM (SELECT __t3.value AS matched FROM `posts` __t1 LEFT JOIN json_each(CASE WHEN iif(json_valid(__t1.`cats`), json_type(__t1.`cats`)='array', FALSE) THEN __t1.`cats` ELSE json_array(__t1.`cats`) END) __t3 WHERE __t1.`id` = `posts`.`id`) __t4 WHERE NOT (__t4.matched = ?))) LIMIT ?
        [Text("a"), Text("a"), Int(30)]"#]],
    );
    check(
        &guest(),
        "comments_via_post.text != tags.name",
        "id",
        expect![[r#"
        SELECT DISTINCT `posts`.`id` FROM `posts` LEFT JOIN `comments` __t2 ON __t2.`post` = `posts`.`id` LEFT JOIN json_each(CASE WHEN iif(json_valid(`posts`.`tags`), json_type(`posts`.`tags`)='array', FALSE) THEN `posts`.`tags` ELSE json_array(`posts`.`tags`) END) __t7 LEFT JOIN `tags` __t8 ON __t8.`id` = __t7.value WHERE (COALESCE(__t2.`text`, '') IS NOT COALESCE(__t8.`name`, '') AND NOT EXISTS (SELECT 1 FROM (SELECT __t3.`text` AS matched FROM `posts` __t1 LEFT JOIN `comments` __t3 ON __t3.`post` = __t1.`id` WHERE __t1.`id` = `posts`.`id`) __t4 LEFT JOIN (SELECT __t6.`name` AS matched FROM `posts` __t5 LEFT JOIN json_each(CASE WHEN iif(json_valid(__t5.`tags`), json_type(__t5.`tags`)='array', FALSE) THEN __t5.`tags` ELSE json_array(__t5.`tags`) END) __t9 LEFT JOIN `tags` __t6 ON __t6.`id` = __t9.value WHERE __t5.`id` = `posts`.`id`) __t10 WHERE NOT (COALESCE(__t4.matched, '') IS NOT COALESCE(__t10.matched, '')))) ORDER BY `posts`.`id` ASC LIMIT ?
        [Int(30)]"#]],
    );
}

#[test]
fn the_request_is_bound() {
    check(
        &member(),
        "author = @request.auth.id && @request.auth.name = title",
        "id",
        expect![[r#"
        SELECT `posts`.`id` FROM `posts` WHERE (`posts`.`author` = ? AND COALESCE(CAST(? AS TEXT), '') = COALESCE(`posts`.`title`, '')) ORDER BY `posts`.`id` ASC LIMIT ?
        [Text("u1"), Text("Ann"), Int(30)]"#]],
    );
    check(
        &guest(),
        "author = @request.auth.id && @request.auth.name = title",
        "",
        expect![[r#"
        SELECT `posts`.`id` FROM `posts` WHERE ((`posts`.`author` = '' OR `posts`.`author` IS NULL) AND (`posts`.`title` = '' OR `posts`.`title` IS NULL)) LIMIT ?
        [Int(30)]"#]],
    );
    check(
        &member(),
        "@request.auth.org.name = 'x'",
        "",
        expect![[r#"
        SELECT DISTINCT `posts`.`id` FROM `posts` LEFT JOIN `users` __t2 ON __t2.`id` = ? LEFT JOIN `orgs` __t5 ON __t5.`id` = __t2.`org` WHERE __t5.`name` = ? LIMIT ?
        [Text("u1"), Text("x"), Int(30)]"#]],
    );
    check(
        &member(),
        "@collection.users:x.id ?= author && @collection.users:x.age ?> 5",
        "",
        expect![[r#"
        SELECT DISTINCT `posts`.`id` FROM `posts` LEFT JOIN `users` __t2 WHERE (COALESCE(__t2.`id`, '') = COALESCE(`posts`.`author`, '') AND __t2.`age` > ?) LIMIT ?
        [Real(5.0), Int(30)]"#]],
    );
}

#[test]
fn functions_and_json() {
    check(
        &guest(),
        "strftime('%Y', at) = '2024' && meta.a.0 = 1",
        "",
        expect![[r#"
        SELECT `posts`.`id` FROM `posts` WHERE (strftime(?,`posts`.`at`) = ? AND (CASE WHEN json_valid(`posts`.`meta`) THEN JSON_EXTRACT(`posts`.`meta`, '$.a[0]') ELSE JSON_EXTRACT(json_object('pb', `posts`.`meta`), '$.pb.a[0]') END) IS ?) LIMIT ?
        [Text("%Y"), Text("2024"), Real(1.0), Int(30)]"#]],
    );
}

#[test]
fn equal_queries_have_equal_text() {
    let schema = fixture::schema();
    let posts = schema.find("posts").unwrap();
    let text = |title: &str| {
        let request = guest();
        let mut query = Query::new(&schema, posts, Some(&request), NOW).unwrap();
        let filter = format!("title = '{title}' && comments_via_post.text != 'x'");
        query.filter(&crate::parse(&filter).unwrap()).unwrap();
        query.list(Columns::All, 30, 0).text
    };
    assert_eq!(text("a"), text("b"));
}

/// What a client may not do with a filter or a sort; `None` means that it may.
#[track_caller]
fn check_client(filter: &str, sort: &str, expected: Option<FilterError>) {
    let schema = fixture::schema();
    let posts = schema.find("posts").unwrap();
    let request = guest();
    let mut query = Query::new(&schema, posts, Some(&request), NOW).unwrap();
    query.only_visible();
    let expr = crate::parse(filter).unwrap();
    let outcome = query.filter(&expr).and_then(|()| query.sort(sort));
    assert_eq!(outcome.err(), expected);
}

fn left(literal: &str, cause: FilterError) -> Option<FilterError> {
    Some(FilterError::Left { literal: literal.to_owned(), cause: Box::new(cause) })
}

#[test]
fn clients_reach_no_hidden_field_and_no_closed_collection() {
    check_client("title = 'a'", "id", None);
    let hidden = FilterError::Hidden("secret".to_owned());
    check_client("secret = 'a'", "id", left("secret", hidden));
    check_client("id = 'a'", "secret", Some(FilterError::Sort("secret".to_owned())));
    let hidden = FilterError::Hidden("password".to_owned());
    check_client("author.password ~ 'a'", "id", left("author.password", hidden));
    let closed = FilterError::ClosedCollection("closed".to_owned());
    check_client("shut.name = 'a'", "id", left("shut.name", closed));
}

#[test]
fn clients_obey_the_list_rules_of_joined_collections() {
    let schema = fixture::schema();
    let db = fixture::database(&schema);
    for (id, name) in [("o1", "x"), ("o2", "y")] {
        fixture::insert(&db, &fixture::record(&schema, "orgs", vec![text(id), text(name)]));
        let mut user = fixture::record(&schema, "users", vec![text(id)]);
        user.put("org", text(id));
        fixture::insert(&db, &user);
        let mut post = fixture::record(&schema, "posts", vec![text(id)]);
        post.put("author", text(id));
        fixture::insert(&db, &post);
    }
    let posts = schema.find("posts").unwrap();
    let expr = crate::parse("author.org.name != ''").unwrap();
    let mut query = Query::new(&schema, posts, None, NOW).unwrap();
    query.filter(&expr).unwrap();
    assert_eq!(fixture::rows(&db, &query.list(Columns::Id, 9, 0)).unwrap(), ["o1", "o2"]);
    let mut query = Query::new(&schema, posts, None, NOW).unwrap();
    query.only_visible();
    query.filter(&expr).unwrap();
    assert_eq!(fixture::rows(&db, &query.list(Columns::Id, 9, 0)).unwrap(), ["o2"]);
    assert_eq!(fixture::rows(&db, &query.count()).unwrap(), ["1"]);
}

#[test]
fn rows_that_joins_repeat_are_listed_and_counted_once() {
    let schema = fixture::schema();
    let db = fixture::database(&schema);
    fixture::insert(&db, &fixture::record(&schema, "posts", vec![text("p1")]));
    for id in ["c1", "c2"] {
        let values = vec![text(id), text("p1"), text("hi")];
        fixture::insert(&db, &fixture::record(&schema, "comments", values));
    }
    let posts = schema.find("posts").unwrap();
    let mut query = Query::new(&schema, posts, None, NOW).unwrap();
    query.filter(&crate::parse("comments_via_post.text ?= 'hi'").unwrap()).unwrap();
    query.sort("id").unwrap();
    assert_eq!(fixture::rows(&db, &query.list(Columns::Id, 9, 0)).unwrap(), ["p1"]);
    assert_eq!(fixture::rows(&db, &query.count()).unwrap(), ["1"]);
    assert_eq!(fixture::rows(&db, &query.exists()).unwrap(), ["1"]);
    query.only_id("p2");
    assert!(fixture::rows(&db, &query.exists()).unwrap().is_empty());
}

fn submitted(title: &str) -> (pando_schema::Schema, Record) {
    let schema = fixture::schema();
    let values = vec![text("new"), text(title), Value::Number(5.0)];
    let record = fixture::record(&schema, "posts", values);
    (schema, record)
}

#[test]
fn a_submitted_record_is_queried_as_it_is_given() {
    let (schema, record) = submitted("5");
    let db = fixture::database(&schema);
    let mut request = guest();
    request.body.insert("tags".to_owned(), json!(["t1", "t2"]));
    let holds = |origin, rule: &str| {
        let mut query = Query::of_record(&schema, &record, origin, Some(&request), NOW).unwrap();
        query.filter(&crate::parse(rule).unwrap())?;
        Ok::<bool, FilterError>(!fixture::rows(&db, &query.exists()).unwrap().is_empty())
    };
    assert_eq!(holds(Origin::Submitted, "id = 'new' && @request.body.tags:length = 2"), Ok(true));
    // Only columns convert what they are compared with.
    assert_eq!(holds(Origin::Submitted, "views = '5'"), Ok(false));
    assert_eq!(holds(Origin::Stored, "views = '5'"), Ok(true));
    assert!(holds(Origin::Submitted, "comments_via_post.text = ''").is_err());
    assert_eq!(holds(Origin::Stored, "comments_via_post.text = ''"), Ok(true));
}

#[test]
fn limits_of_filters_and_sorts() {
    let (schema, record) = submitted("");
    let mut query = Query::new(&schema, &record.collection, None, NOW).unwrap();
    let many = crate::parse(&vec!["id=1"; 200].join("||")).unwrap();
    assert_eq!(query.filter(&many), Ok(()));
    let more = crate::parse(&vec!["id=1"; 201].join("||")).unwrap();
    assert_eq!(query.filter(&more), Err(FilterError::ExpressionLimit));
    assert_eq!(query.sort("id,id,id,id,id,id,id,id,id"), Err(FilterError::SortLimit));
    assert_eq!(query.sort(&"a".repeat(256)), Err(FilterError::SortLength));
    for wrong in ["", "id,", "--id", "@now", "null", "id asc", "missing", "@collection.x.y"] {
        assert!(query.clone().sort(wrong).is_err(), "{wrong}");
    }
    for right in ["id", "+id", "-id , title", "@random", "-@rowid", "author.name", "meta.a"] {
        assert_eq!(query.clone().sort(right), Ok(()), "{right}");
    }
}

#[test]
fn values_never_become_text() {
    let schema = fixture::schema();
    let posts = schema.find("posts").unwrap();
    let mut query = Query::new(&schema, posts, None, NOW).unwrap();
    let poison = "'; DROP TABLE posts; --";
    let filter = crate::Comparison {
        left: crate::Operand::Identifier("title".to_owned()),
        operator: crate::Operator::every(crate::Comparator::Equal),
        right: crate::Operand::Text(poison.to_owned()),
    };
    let items = vec![(crate::Join::And, crate::Item::Comparison(filter))];
    query.filter(&crate::Expr { items }).unwrap();
    let sql = query.exists();
    assert!(!sql.text.contains("DROP"));
    assert_eq!(sql.values, [SqlValue::Text(poison.to_owned())]);
}

#[track_caller]
fn check_rule_error(rule: &str, expect: Expect) {
    let schema = fixture::schema();
    let outcome = check_rule(rule, schema.find("posts").unwrap(), &schema);
    expect.assert_eq(&outcome.err().unwrap_or_default());
}

#[test]
fn wrong_rules_are_explained_as_by_pocketbase() {
    check_rule_error("@request.auth.id != '' && secret = @request.body.secret", expect![""]);
    check_rule_error(
        "missing = 1",
        expect![[r#"invalid left operand "missing" - unknown field "missing""#]],
    );
    check_rule_error(
        "title = missing",
        expect![[r#"invalid right operand "missing" - unknown field "missing""#]],
    );
    check_rule_error(
        "title.x = 1",
        expect![[r#"invalid left operand "title.x" - field "title" is not a valid relation"#]],
    );
    check_rule_error("title = ", expect!["invalid or incomplete filter expression"]);
    check_rule_error(
        "@request.body.title:each = 1",
        expect![[
            r#"invalid left operand "@request.body.title:each" - field "title" doesn't support multivalue operations"#
        ]],
    );
    check_rule_error(
        "comments_via_text.x = 1",
        expect![[
            r#"invalid left operand "comments_via_text.x" - invalid back relation field "text""#
        ]],
    );
    check_rule_error(
        "@collection.none.x = 1",
        expect![[
            r#"invalid left operand "@collection.none.x" - failed to load collection "none" from field path "@collection.none.x""#
        ]],
    );
    check_rule_error(
        "geoDistance(1, 2) < 5",
        expect![[
            r#"invalid left operand "geoDistance" - [geoDistance] expected 4 arguments, got 2"#
        ]],
    );
}
