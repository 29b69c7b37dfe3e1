//! Queries of views, good and bad.

use serde_json::json;

use super::{DRY_RUN, PATH, create, delete, view};
use crate::compare::areas::records;
use crate::compare::scenario::{Actor, Step};
use crate::http::Request;
use crate::rng::Rng;

pub(super) fn cases() -> Vec<Vec<Step>> {
    let mut cases: Vec<Vec<Step>> = Vec::new();
    for (number, query) in QUERIES.iter().enumerate() {
        // Named, since PostgreSQL has no such table.
        let own = if query.contains("sqlite_master") { "_sqlite" } else { "" };
        cases.push(cycle(&format!("seen{own}{number}"), query));
    }
    cases.push(cycle(
        "seen_long",
        &format!("select id, '{}' as x, missing from teams", "é".repeat(300)),
    ));
    cases.push(cycle("seen_long", &format!("select 1 as id, {}", "missing, ".repeat(200))));
    for extra in [
        json!({ "createRule": "", "updateRule": "x", "deleteRule": null }),
        json!({ "indexes": ["create index idx_seen on seen (id)"] }),
        json!({ "listRule": "name = 'x'", "viewRule": "unknown = 1" }),
        json!({ "fields": [{ "type": "number", "name": "ignored" }] }),
        json!({ "name": "posts" }),
        json!({ "name": "bad name" }),
        json!({ "name": "_collections" }),
        json!({ "viewQuery": null }),
        json!({ "viewQuery": 5 }),
        json!({ "system": true, "id": "viewid000000001" }),
    ] {
        let mut definition = view("seen", "select id, name from teams");
        for (name, value) in extra.as_object().into_iter().flatten() {
            definition[name] = value.clone();
        }
        cases.push(vec![
            Step::post(Actor::Root, PATH, &definition),
            Step::delete(Actor::Root, format!("{PATH}/seen")),
        ]);
    }
    for body in [json!({}), json!({ "query": 1 }), json!({ "query": "x".repeat(5001) })] {
        cases.push(vec![Step::post(Actor::Root, DRY_RUN, &body)]);
    }
    for actor in [Actor::Guest, Actor::Alice] {
        cases.push(vec![Step::post(actor, DRY_RUN, &json!({ "query": "select 1 as id" }))]);
    }
    cases.push(vec![Step::get(Actor::Root, DRY_RUN)]);
    cases
}

/// Tries the query, makes a view of it and uses it. Each view has a name of its own: PocketBase may
/// take a view without tables for the one that had its name before, and count wrong.
fn cycle(name: &str, query: &str) -> Vec<Step> {
    let dry_run = format!("{DRY_RUN}?fields=fields,sample.id,message,data");
    let mut steps =
        vec![Step::new(Actor::Root, Request::post(dry_run).json(&json!({ "query": query })))];
    steps.extend([
        create(&view(name, query)),
        Step::get(Actor::Root, format!("{PATH}/{name}")),
        Step::get(Actor::Guest, records(name) + "?sort=id&perPage=10"),
        delete(name),
    ]);
    steps
}

/// Queries of the common data set.
pub const QUERIES: &[&str] = &[
    "",
    " ",
    ";",
    "x",
    "select 1",
    "select 1 as id",
    "select 1 id",
    "select 'a' as 'id'",
    "SELECT ID FROM teams",
    "select id as ID from teams",
    "select id, Name from teams",
    "select id, NAME as x from teams",
    "select id from missing",
    "select id, missing from teams",
    "select id, \"missing\" from teams",
    "select id, 'missing' from teams",
    "select id, 'missing' as 'text' from teams",
    "select * from teams",
    "select id, t.* from teams t",
    "select id, count(*) as all_of from teams group by id",
    "select id, (select count(*) from posts) as many, count(*) from teams",
    "select id; drop table teams",
    "select id from teams; select id from users",
    "select id from teams; -- done",
    ";;select id from teams;;",
    "select id from teams -- end",
    "select id from teams /* end */",
    "select id /* ; */ from teams",
    "select id -- ;\n from teams",
    "select id, ';' as x from teams",
    "select id, name from teams)",
    "(select id from teams)",
    "select (1 as id",
    "select 'a as id",
    "select 'it''s' as id",
    "select 'a\\' as id, 'b' as x",
    "select 1 as id union select 2",
    "select id, name from teams union select id, name from categories",
    "select id from (select 1 as id union select 2)",
    "select id, name from (select id, name from teams) as inner_teams",
    "with w as (select id, name from teams) select w.id, w.name from w",
    "select '' as id",
    "select null as id",
    "select 'x' as id from teams",
    "select team as id from users",
    "select 1 as id, json_extract('{', '$.a') as x",
    "select id, json_extract(labels, '$[0]') as first from teams",
    "select id, name as 'a b' from teams",
    "select id, name as expand from teams",
    "select id, name as collectionId from teams",
    "select id, name as a_via_b from teams",
    "select id, name as null from teams",
    "select id, id from teams",
    "select id, name, name from teams",
    "select id, name, NAME from teams",
    "select id, name as n, name as m, owner as o, owner as p from teams",
    "select a b c d from teams",
    "select a is b from teams",
    "select id, rank + 1 as next from categories",
    "select id, rank+1 as next, (rank + 2) more, -rank less from categories",
    "select id, case when rank > 1 then 'a' else 'b' end as kind from categories",
    "select id, (case when rank > 1 then 'a' else 'b' end) as kind from categories",
    "select id, cast(rank as int) a, cast(rank as integer) b, cast(rank as real) c, cast(rank as decimal) d, cast(rank as numeric) e, cast(rank as text) f, cast(rank as bool) g, cast(rank as boolean) h, cast(rank as blob) i from categories",
    "select id, CAST ( rank  AS  INT ) as a, cast(rank as int)+1 as b, (cast(rank as int)) as c from categories",
    "select id, cast((case when rank = 1 then 2 else 3 end) as int) as a from categories",
    "select c.id, count(p.id) as posts, total(p.views) as t, sum(p.views) as s, avg(p.views) as a, min(p.views) as lo, max(p.title) as hi, group_concat(p.title) as g from categories c left join posts p on p.category = c.id group by c.id",
    "select COUNT(id) as n, max(id) as id from posts",
    "select (row_number() over()) as id, title from posts order by title, id",
    "select row_number() over() as id, title from posts",
    "select distinct author as id from posts where author != ''",
    "select id, title, body, views, rating, published, contact, link, at, tags, status, cover, papers, private, author, editors, category, meta, place, secret, created, updated from posts",
    "select `id`, \"title\", [slug], `posts`.`views`, \"posts\".[tags] from posts",
    "select [[id]], {{posts}}.[[title]] from {{posts}}",
    "select [[posts.id]], [[posts.title]] as t from {{posts}}",
    "select id, '[[title]]' as x, '{{posts}}' as y from posts",
    "select {:id} as id",
    "select ? as id",
    "select :name as id",
    "select @name as id",
    "select main.posts.id, main.posts.title as t, posts.title as u from main.posts",
    "select id, password, tokenKey, email, emailVisibility, verified, username from users",
    "select id, email as mail, verified as ok from members",
    "select p.id, u.id as uid, u.email, u.team from posts p join users u on p.author = u.id",
    "select p.id, u.id as uid from posts as p, users as u where p.author = u.id",
    "select p.id, u.username from posts p inner join users as u on (p.author = u.id) left outer join teams t on t.id = u.team where t.name != '' order by p.id limit 4",
    "select p.id, u.username from posts p natural join (select 1 as one) u",
    "select p.id, x.name, x.id as xid from posts p left join (select id, name from teams) x on 1 = 0",
    "select p.id, name from posts p cross join (select name from teams limit 1)",
    "select t.id, c.name from teams t join categories c using (id)",
    "select t.id, c.name from teams t full outer join categories c on 1 = 0 where t.id is not null",
    "select p.id from posts p group by p.id having count(*) > 0 limit 3 offset 1",
    "select id from seen",
    "select id, name from _collections where name = 'teams'",
    "select id, name from sqlite_master",
    "select name as id from sqlite_master where name = 'teams'",
    "select id, collectionRef from _externalAuths",
    "select id, verified from _superusers",
    "drop table teams",
    "insert into teams (name) values ('x')",
    "delete from teams",
    "update teams set name = 'x'",
    "pragma table_info(teams)",
    "explain select id from teams",
    "values ('a')",
    "select column1 as id from (values ('a'), ('b'))",
    "select 1 as id from teams where",
    "select 1 as id, random() as r, date('now') as d, 'x' || 'y' as c limit 0",
    "select value as id from json_each('[\"a\",\"b\"]')",
    "select key as id, value as v from json_each('{\"a\":1}')",
    "select id, name from teams t join",
    "select id, (name from teams",
    "select\tid,\n\tname\r\nfrom\tteams\r\nwhere\tname != ''",
    "select id,name from teams",
    "select id , name , owner from teams ",
    "selectid from teams",
    "select id from teams1",
    "select unknown_function(id) as id from teams",
    "select id, max(name) over (partition by owner) as m from teams",
    "select id, name collate nocase as n from teams",
    "select id, owner.x as y from teams as owner",
    "select id, teams.name from teams t",
    "select id, t.name as \"quoted\", t.name as [bracket], t.name as `tick` from teams t",
    "select cast(rowid as text) as id, name from teams",
    "select rowid as id, name from teams",
    "select id, abs(-9223372036854775807 - 1) as x from teams",
];

/// A query made of parts that go together more or less.
pub fn random(rng: &mut Rng) -> String {
    const COLUMNS: &[&str] = &[
        "p.title",
        "p.title as t",
        "p.views",
        "p.views + 1 as more",
        "(p.views + 1) as more",
        "p.tags",
        "p.author",
        "p.author as by",
        "p.id as self",
        "u.id as uid",
        "u.username",
        "u.email mail",
        "u.team as \"team\"",
        "count(p.id) as n",
        "total(p.rating) as sum_of",
        "cast(p.rating as int) as whole",
        "cast(p.views as text) as seen_text",
        "p.meta",
        "json_extract(p.meta, '$.a') as inner_meta",
        "p.created",
        "p.place",
        "p.secret",
        "p.cover",
        "'x' as constant",
        "null as nothing",
        "p.unknown",
        "upper(p.title) as upper_title",
        "p.published or u.active as either",
        "(select max(name) from teams) as best",
    ];
    let mut columns = vec!["p.id"];
    for _ in 0..rng.below(6) {
        columns.push(*rng.pick(COLUMNS));
    }
    let at = rng.below(columns.len());
    columns.swap(0, at);
    let separator = *rng.pick(&[", ", ",", ",\n  ", " , ", ", /* next */ "]);
    let join = *rng.pick(&[
        " left join users u on u.id = p.author",
        " join users as u on (u.id = p.author)",
        "\nINNER JOIN users u ON u.id = p.author",
        ", (select 1 as one) u",
        "",
    ]);
    let filter = *rng.pick(&["", "", " where p.views > 3", "\nwhere u.id = p.author", " -- all"]);
    let end = *rng.pick(&[
        "",
        " group by p.id",
        " group by p.id order by p.id",
        ";",
        " order by p.id limit 7",
    ]);
    let select = *rng.pick(&["select ", "SELECT ", "select distinct ", "Select\n"]);
    let table = *rng.pick(&["posts p", "posts as p", "`posts` p", "[posts] AS [p]"]);
    format!("{select}{} from {table}{join}{filter}{end}", columns.join(separator))
}

/// A filter on what such queries may have.
pub fn filter<'a>(rng: &mut Rng) -> &'a str {
    rng.pick::<&str>(&[
        "id != ''",
        "title ~ 'a'",
        "views > 2",
        "more >= 3",
        "n > 0",
        "tags:length > 0",
        "author.username != ''",
        "self.title != ''",
        "uid.team.name != ''",
        "meta.a != 1",
        "created > '2020-01-01 00:00:00.000Z'",
        "nothing = null",
        "whole > -5 && id > 'a'",
    ])
}
