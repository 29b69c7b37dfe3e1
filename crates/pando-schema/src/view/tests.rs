use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::collection::fixture::{create, rng, schema};

/// `base` with a field of several kinds, and views of it.
fn world() -> Schema {
    let base = create(
        r#"{"name":"base","fields":[
            {"type":"text","name":"title","max":9},{"type":"number","name":"rank"},
            {"type":"select","name":"tags","values":["a","b"],"maxSelect":2},
            {"type":"file","name":"paper"},{"type":"text","name":"secret","hidden":true}]}"#,
        &[],
    )
    .unwrap();
    let schema = schema(&[base]);
    let inner = made(&schema, "inner", "select id, paper as doc, title from base");
    let schema = Schema::new(schema.iter().cloned().chain([inner]));
    let outer = made(&schema, "outer", "select i.id, i.doc sheet from inner i");
    Schema::new(schema.iter().cloned().chain([outer]))
}

fn made(schema: &Schema, name: &str, query: &str) -> Arc<Collection> {
    let mut view = Collection::new(CollectionKind::View, name, "", &mut rng());
    view.fields =
        view_columns(query, schema, &mut rng()).unwrap().into_iter().map(|c| c.field).collect();
    view.view_query = query.to_owned();
    Arc::new(view)
}

/// Each column: name, kind, and the field that it copies. PocketBase says the same of all queries
/// here, with other names for `base` and `inner`.
#[track_caller]
fn check(query: &str, expected: Expect) {
    let mut shown = String::new();
    match view_columns(query, &world(), &mut rng()) {
        Ok(columns) => {
            for ViewColumn { field, source } in columns {
                write!(shown, "{} {}", field.name, field.kind.type_name()).unwrap();
                if let Some((collection, name)) = source {
                    write!(shown, " = {}.{name}", collection.name).unwrap();
                }
                shown.push('\n');
            }
        }
        Err(error) => writeln!(shown, "error: {error}").unwrap(),
    }
    expected.assert_eq(shown.trim_end());
}

#[test]
fn columns_follow_their_table() {
    check(
        "select b.id, b.title t, c.RANK as r, u.email, b.tags from base b \
         left outer join base as c on c.id = b.id join users u where b.id != '' order by t",
        expect![[r#"
            id text
            t text = base.title
            r number = base.rank
            email email = users.email
            tags select = base.tags"#]],
    );
    check(
        "select id, title, main.base.title as y, base.title as z from base",
        expect![[r#"
            id text
            title text = base.title
            y json
            z text = base.title"#]],
    );
    check(
        "select `id`, \"title\" as 'a', [rank], \"base\".\"tags\" from [base]",
        expect![[r#"
            id text
            a text = base.title
            rank number = base.rank
            tags select = base.tags"#]],
    );
    check(
        "select id, title from BASE",
        expect![[r#"
            id text
            title json"#]],
    );
    check(
        "select base.id, one, doc from base, (select 1 as one) x, inner",
        expect![[r#"
        id text
        one json
        doc json"#]],
    );
    check(
        "select i.id, i.doc from inner i natural join base",
        expect![[r#"error: invalid identifier part - expected "as", got i"#]],
    );
}

#[test]
fn an_id_is_a_text_and_another_id_a_relation() {
    check(
        "select base.id, base.id as self, u.id uid, inner.id as v from base, users u, inner",
        expect![[r#"
            id text
            self relation
            uid relation
            v relation"#]],
    );
    check("select (row_number() over()) as id", expect!["id text"]);
}

#[test]
fn some_expressions_tell_their_kind() {
    check(
        "select max(id) as id, count(id) as a, COUNT(*) b, total(rank) c, sum(rank) d, cast(rank as int) e, \
         Cast( rank  as  Real ) as f, cast((case when 1 then 2 end) as text) g, \
         cast(rank as bool) h, cast(rank as blob) i, (rank + 1) as j, cast(rank as int)+1 as k, \
         'title' as l from base",
        expect![[r#"
            id text
            a number
            b number
            c number
            d json
            e number
            f number
            g text
            h bool
            i json
            j json
            k json
            l json"#]],
    );
}

#[test]
fn comments_and_spaces_do_not_matter() {
    check(
        "\n select -- first, second\n base.id,/* a, b */title\tas\n t from/**/base\n join users on (\n-- x\n 1)",
        expect![[r#"
            id text
            t text = base.title"#]],
    );
    check(
        "with w as (select 1) select distinct id, title from base;",
        expect![[r#"
        id text
        title text = base.title"#]],
    );
}

#[test]
fn what_cannot_be_read_is_refused() {
    check(
        "select * from base",
        expect![
            "error: wildcard columns (*) are not supported - manually type the collection field names you want the view query to have"
        ],
    );
    check(
        "select id, b.* from base b",
        expect![
            "error: wildcard columns (*) are not supported - manually type the collection field names you want the view query to have"
        ],
    );
    check(
        "select (1 as id",
        expect![[r#"error: unbalanced parenthesis or quoted expression: "(1 as id""#]],
    );
    check(
        "select 'a as id",
        expect![[r#"error: unbalanced parenthesis or quoted expression: "'a as id""#]],
    );
    check(
        "select id, rank + 1 as more from base",
        expect!["error: invalid identifier parts [rank + 1 as more]"],
    );
    check(
        "select 1 id union select 2 id",
        expect!["error: invalid identifier parts [1 id union 2 id]"],
    );
    check(
        "select id is x from base",
        expect![[r#"error: invalid identifier part - expected "as", got is"#]],
    );
    check(
        "select cast (rank as real) as x from base",
        expect!["error: invalid identifier parts [cast (rank as real) as x]"],
    );
}

#[test]
fn fields_have_the_names_that_the_database_gives() {
    let world = world();
    let show = |query: &str, names: &[&str]| {
        let columns = view_columns(query, &world, &mut rng()).unwrap();
        let (fields, outcome) = view_fields(&columns, names.iter().copied());
        let fields: Vec<String> = fields
            .iter()
            .map(|field| format!("{} {} {}", field.name, field.kind.type_name(), field.id))
            .collect();
        format!("{}\n{outcome:?}", fields.join("\n"))
    };
    let query = "select id, title as a, title as b, TITLE, id as self, 1 as one from base";
    expect![[r#"
        id text text3208210256
        a text _clone_ZBIT
        b text _clone_DIoh
        title json json724990059
        self relation relation2068527459
        one json json2053932785
        Ok(())"#]]
    .assert_eq(&show(query, &["id", "a", "b", "title", "self", "one"]));
    expect![[r#"
        title text _clone_ZBIT
        Err(NoId)"#]]
    .assert_eq(&show("select title from base", &["title"]));
}

#[test]
fn copies_keep_the_options() {
    let columns = view_columns("select secret, title from base", &world(), &mut rng()).unwrap();
    assert!(columns[0].field.hidden);
    assert!(matches!(columns[1].field.kind, FieldKind::Text { max: 9, .. }));
    let again =
        view_columns("select secret, title from base", &world(), &mut StdRng::seed_from_u64(8))
            .unwrap();
    let fields =
        |columns: &[ViewColumn]| columns.iter().map(|c| c.field.clone()).collect::<Vec<_>>();
    assert!(same_fields(&fields(&columns), &fields(&again)), "ids do not count");
    assert!(!same_fields(&fields(&columns)[..1], &fields(&again)));
}

#[test]
fn files_are_followed_through_views() {
    let world = world();
    let source = |view: &str, field: &str| {
        let found = view_file_source(world.by_name(view).unwrap(), field, &world, &mut rng());
        found.map(|(collection, field)| format!("{}.{field}", collection.name))
    };
    assert_eq!(source("outer", "sheet").as_deref(), Some("base.paper"));
    assert_eq!(source("inner", "doc").as_deref(), Some("base.paper"));
    assert_eq!(source("inner", "paper"), None);
    assert_eq!(source("inner", "id"), None);
}

#[test]
fn views_are_followed_five_deep() {
    let mut world = world();
    let mut last = "base".to_owned();
    for level in 1..=6 {
        let view = made(&world, &format!("level{level}"), &format!("select id, paper from {last}"));
        last.clone_from(&view.name);
        world = Schema::new(world.iter().cloned().chain([view]));
    }
    let deep =
        |name: &str| view_file_source(world.by_name(name).unwrap(), "paper", &world, &mut rng());
    assert!(deep("level5").is_some());
    assert!(deep("level6").is_none());
}

#[test]
fn one_statement_without_semicolons_around_it() {
    assert_eq!(single_statement(" ;select ';' as id;; "), Ok("select ';' as id"));
    assert_eq!(single_statement("select 1; select 2"), Err(ViewQueryError::Multiple));
    // Refused by the database, which is given one statement to run.
    assert!(single_statement("select 1) ; select (2").is_ok());
}

#[test]
fn an_id_that_is_no_text_is_made_one() {
    let types = |kind: &str| [("id".to_owned(), kind.to_owned()), ("x".to_owned(), String::new())];
    let query = "select 1 as id, 2 as x;";
    assert_eq!(with_text_id(query, &types("TEXT")).unwrap(), "select 1 as id, 2 as x");
    let wrapped = with_text_id(query, &types("")).unwrap();
    assert_eq!(wrapped, "SELECT CAST([[id]] as TEXT) [[id]],[[x]] FROM (select 1 as id, 2 as x)");
    assert_eq!(
        quote_names(&wrapped).unwrap(),
        "SELECT CAST(`id` as TEXT) `id`,`x` FROM (select 1 as id, 2 as x)"
    );
}

#[test]
fn names_in_brackets_are_quoted() {
    assert_eq!(
        quote_names("[[a.b c]] {{t}} [[*]] [x] '[[y]]'").unwrap(),
        "`a`.`b c` `t` [[*]] [x] '`y`'"
    );
    assert_eq!(quote_names("select {:a}"), Err(ViewQueryError::Parameter("a".to_owned())));
}
