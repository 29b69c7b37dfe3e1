//! Queries over all parts of SQLite's language that views use: written ones, and random ones.

use pando_testkit::Rng;

pub(crate) const QUERIES: &[&str] = &[
    // As in PocketBase's documentation and tests.
    "SELECT posts.id, posts.title, count(comments.id) as totalComments FROM posts LEFT JOIN comments on comments.post = posts.id GROUP BY posts.id",
    "select\n-- test single line\nposts.id,\n/* multi\n * line comment block */\nposts.link, posts.created from/* inline comment */posts\njoin kinds ON (\n-- inside join\nkinds.id = posts.id\n)\nwhere (\nkinds.id = posts.id\n)",
    "select \"id\", \"created\", [text], `bool`, \"email\", \"one\", \"many\", \"file\", \"kinds\".\"files\", `kinds`.`number` number_alias, \"date\", \"json\", \"rel\", \"rels\", 'single_quoted_custom_literal' as 'single_quoted_column' from kinds",
    "select a.id, b.id as bid, b.created from posts as a left join kinds b",
    "select a.id as id, b.id as bid, lj.id cid, ij.id as did, a.published, _superusers.id as eid, _superusers.email from posts a, kinds as b left join teams lj on lj.id = 123 inner join categories as ij on ij.id = 123 join _superusers where 1=1 group by a.id limit 10",
    "select a.id, count(a.id) count, cast(a.id as int) cast_int, cast(a.id as integer) cast_integer, cast(a.id as real) cast_real, cast(a.id as decimal) cast_decimal, cast(a.id as numeric) cast_numeric, cast(a.id as text) cast_text, cast(a.id as bool) cast_bool, cast(a.id as boolean) cast_boolean, avg(a.id) avg, sum(a.id) sum, total(a.id) total, min(a.id) min, max(a.id) max from posts a",
    "select id, cast( ( case when count(a.id) = 1 then 21 when count(a.id) = 2 then 18 else 0 end ) as int ) as cast_int from posts a",
    "select a.id, a.username, a.email, a.emailVisibility, a.verified, teams.id relid from users a left join teams",
    "select id, id as id2, text as text_alias, url as url_alias, \"kinds\".\"bool\" as bool_alias, number as number_alias, created created_alias, updated updated_alias, 123 as custom from kinds",
    "select distinct id as id2, id, 123 as custom from kinds",
    "select a.id as id, a.text as alias1, a.text as alias2, b.text as alias3, b.text as alias4 from comments a left join comments as b",
    "select id from (select 'a' as id UNION ALL select 'b' as id UNION ALL select 'c' as id)",
    // Groups and the columns beside them.
    "select p.author as id, p.title, count(*) as n, sum(p.views) s, avg(p.rating) a, total(p.rating) t from posts p group by p.author",
    "select p.author as id, p.title, max(p.views) as best from posts p group by p.author",
    "select p.author as id, p.title, p.tags, p.meta, min(p.at) as first from posts p group by 1",
    "select p.author as id, count(*) as n from posts p group by p.author having n > 1 and max(views) > 1 order by n desc, id",
    "select lower(p.status) as id, sum(p.rating) / count(*) as mean, sum(p.views) / 2 as half, group_concat(p.title, '; ') as titles, group_concat(distinct p.status) as all_of from posts p group by lower(p.status)",
    "select p.id, u.email, u.username, count(c.id) n, coalesce(sum(c.likes), 0) likes from posts p left join users u on u.id = p.author left join comments c on c.post = p.id group by p.id, u.id",
    "select p.tags as id, count(*) as n from posts p group by p.tags",
    "select p.meta as id, count(*) as n, count(distinct p.meta) m from posts p group by p.meta",
    "select p.published as id, count(*) as n from posts p group by p.published",
    "select p.title collate nocase as id, count(*) n from posts p group by p.title collate nocase",
    "select strftime('%Y-%m', at) as id, count(*) as posts, sum(views) as views from posts group by strftime('%Y-%m', at) order by id desc",
    "select date(created) as id, count(*) n, count(distinct author) authors, sum(case when published then 1 else 0 end) as done, sum(published) p, max(published) q from posts group by 1",
    // Subqueries, unions and named queries.
    "select p.id, (select count(*) from comments c where c.post = p.id) as n, (select c.text from comments c where c.post = p.id order by c.likes desc limit 1) as top, exists(select 1 from comments where post = p.id and likes > 2) as liked from posts p",
    "select id from posts where author in (select id from users where verified) or category not in (select id from categories where rank > 2)",
    "select id, name, 'team' as kind from teams union all select id, name, 'category' from categories",
    "select id, name as label, 1 as n from teams union select id, rank, 2.5 from categories union select id, text, null from comments",
    "select id from posts except select post from comments",
    "select author as id from posts intersect select id from users order by 1 limit 3",
    "with best as (select post, max(likes) as likes from comments group by post), named(a, b) as (select id, title from posts) select n.a as id, n.b as title, best.likes from named n left join best on best.post = n.a",
    "select id, title from posts order by title, id limit 5 offset 2",
    "select id, title from posts where title in ('a', 'B', 5) or views in ('5', 1, null)",
    "select x.id, x.n from (select author as id, count(*) as n from posts group by author) x where x.n > 1",
    "select x.* from (select id, title, views from posts) x",
    "select id, likes from comments c join (select * from posts) p using (id)",
    "select c.id, post, text from comments c natural join (select id as post from posts)",
    // JSON.
    "select id, json_extract(meta, '$.a') a, meta->>'$.nested.x' b, meta->'list' c, json_extract(meta, '$.nested.x[1]') d, meta ->> 0 e, json_type(meta, '$.a') f, json_array_length(tags) n, json_extract(meta, '$.list[#-1]') g from posts",
    "select p.id || '-' || j.key as id, j.value as tag, j.type, j.fullkey, j.atom from posts p, json_each(p.tags) j",
    "select p.id, count(j.value) as n, group_concat(j.value) as v from posts p left join json_each(p.editors) j group by p.id",
    "select p.id || e.key as id, u.email, e.value as editor from posts p join json_each(p.editors) e join users u on u.id = e.value",
    "select id, json_array(id, views, rating, published, null, tags, json(tags), 1.5) as a, json_object('title', title, 'views', views, 'list', json_array(1, 2)) as o, json_quote(title) q, json_valid(title) v from posts",
    "select author as id, json_group_array(title) as titles, json_group_array(views) v, json_group_object(id, rating) o from posts group by author",
    "select id from posts where exists (select 1 from json_each(posts.tags) where value = 'red')",
    // Numbers, texts, dates.
    "select id, views / 2 a, views * 1.0 / 3 b, views % 3 c, rating / 2 d, rating * 2 e, rating + 1 f, views + rating g, -views h, views / 0 i, 7 / 2 j, 7 % 0 k, 7.0 / 2 l, (views * 2) / 4 m, (rating * 2) / 4 n from posts",
    "select id, title || views a, title || rating b, published || '' c, title + 1 d, title * 2 e, +title f, title > 5 g, views > '5' h, views = title i, rating < title j, published = 1 k, published = 'true' l, not title m, title and views n, views is null o, slug is not '' p, views between 1 and 5 q, '10' > 9 r, 10 > '9' s from posts",
    "select id, round(rating) a, round(rating, 1) b, round(views / 3.0, 2) c, abs(rating) d, min(views, rating) e, max(title, slug) f, sign(rating) g, cast(rating as int) h, cast(title as real) i, cast(title as int) j, cast(views as text) k, cast(rating as text) l, cast(title as numeric) m from posts",
    "select id, substr(title, 2) a, substr(title, -2) b, substr(title, 2, 2) c, substr(title, -3, 2) d, substr(title, 0, 2) e, substr(title, 3, -2) f, instr(title, 'a') g, replace(title, 'a', 'xy') h, trim(title) i, ltrim(title, 'aB') j, rtrim(title, 'a') k, upper(title) l, lower(title) m, length(title) n, length(views) o, length(rating) p, hex(title) q, unicode(title) r, char(65, 66) s, typeof(views) t, typeof(rating) u, typeof(title) v, typeof(null) w, typeof(meta) x from posts",
    "select id, ifnull(nullif(title, ''), 'none') a, coalesce(nullif(views, 0), rating, 'x') b, iif(published, title, views) c, case status when 'a' then 1 when 'b' then 'two' end d, case when views > 2 then rating else views end e, nullif(views, 5) f, concat(title, views, null) g, printf('%05d|%.2f|%s|%-6s|%x', views, rating, title, slug, views) h, format('%d%%', rating) i from posts",
    "select id, date(at) a, datetime(at, '+1 day') b, strftime('%Y', at) c, time(at) d, julianday(at) e, unixepoch(at) f, date(at, 'start of month', '+1 month', '-1 day') g, strftime('%s', at) h, strftime('%H', created) + 1 i, date(title) j, julianday(created) - julianday(at) k from posts",
    "select id, title like 'a%' a, title like '%A%' b, title like 'b_t%' c, title like 'back\\%' d, title like '%!%%' escape '!' e, title glob 'a*' f, title glob '[A-Z]*' g, title glob '*?a' h, views like '5%' i, title not like '%a%' j from posts",
    // Windows.
    "select id, title, row_number() over (order by title, id) as n, rank() over (order by views) r, dense_rank() over (order by views) d, sum(views) over (order by id) s, lag(title) over (order by id) l, lead(views, 1) over (order by id) m, first_value(title) over (partition by author order by id) f, ntile(3) over (order by id) q, avg(rating) over (partition by author) a, count(*) over () c from posts",
    "select id, sum(views) over w as s, max(title) over w as t, group_concat(title) over w g from posts window w as (partition by author order by id rows between 1 preceding and current row)",
    "select author as id, sum(count(*)) over (order by author) as running from posts group by author",
    "select id, title from posts where title > 'a' collate nocase order by title collate nocase desc, id",
    "select (row_number() over (order by id)) as id, title from posts",
    "select id, true as yes, false no, views is true a, published is not true b, published is 1 c, null is null d, title is null e, current_date < '2000' f from posts",
    "select id, sum(likes) filter (where likes > 2) over () as s, count(*) filter (where text like 'a%') over () n from comments",
    "select post as id, count(*) filter (where likes > 2) as n, min(likes) lo, max(text) hi, avg(likes) mean from comments group by post",
    "select id, name from _collections where not system order by name",
    "select k.id, k.json, k.geo, k.many, k.rels, k.made, json_extract(k.geo, '$.lat') as lat, k.json = 5 a, k.json > 'a' b, k.json || '' c, k.json is null d, k.json + 1 e from kinds k",
    "select id, max(json) over (order by id) m, coalesce(json, many) c, nullif(json, 5) n from kinds",
];

const TABLES: [&str; 5] = [
    "posts p",
    "posts p left join users u on u.id = p.author",
    "posts p join comments c on c.post = p.id",
    "posts p left join comments c on c.post = p.id left join users u on u.id = c.user",
    "posts p left join categories k on k.id = p.category and k.rank > 1",
];

/// A filter on the columns of a random query.
pub(crate) fn filter(rng: &mut Rng) -> String {
    let numeric = rng.percent(30);
    let column = *rng.pick(if numeric { &["y0", "y1"] } else { &["x0", "x1", "x"] });
    let sign = *rng.pick(&["=", "!=", ">", ">=", "<", "<=", "?=", "~", "!~", "?~"]);
    let value = match numeric || !sign.ends_with('~') {
        // Whole real numbers have a point as texts, which is lost.
        true => *rng.pick(&["5", "1", "1.5", "null", "0", "true", "-3"]),
        false => *rng.pick(&["''", "'a'", "'A'", "'5'", "id", "'b'"]),
    };
    let sign = if numeric { sign.replace('~', "=").replace("!=", "=") } else { sign.to_owned() };
    format!("{column} {sign} {value}")
}

/// A random query.
pub(crate) fn random(rng: &mut Rng) -> String {
    let table = *rng.pick(&TABLES);
    let mut source = Source { rng, table };
    let filter = match source.rng.below(3) {
        0 => format!(" where {}", source.truth(2)),
        _ => String::new(),
    };
    match source.rng.below(12) {
        0..=2 => format!("select p.id, {} from {table}{filter}", source.columns(3)),
        3 => format!("select distinct p.id, {} from {table}{filter}", source.columns(2)),
        4..=5 => {
            let (columns, aggregates) = (source.columns(1), source.aggregates(3));
            let having = match source.rng.below(4) {
                0 => " having count(*) > 1",
                _ => "",
            };
            format!(
                "select p.id, {columns}, {aggregates} from {table}{filter} group by p.id{having}"
            )
        }
        6 => {
            let (key, aggregates) = (source.any(2), source.aggregates(3));
            format!("select {key} as id, {aggregates} from {table}{filter} group by {key}")
        }
        7 => {
            let (column, key) = (source.any(2), source.any(1));
            format!(
                "select q.id, q.x0, q.x1, q.x0 || q.x1 as x, q.x0 > q.x1 as y0 from (select p.id, \
                 {column} as x0, {key} as x1 from {table}{filter}) q where q.x0 is not null"
            )
        }
        8 => {
            let (key, aggregates) = (source.any(1), source.aggregates(2));
            format!(
                "with g as (select p.status as s, {key} as x0, {aggregates} from {table}{filter} \
                 group by p.status, {key}) select t.id, g.s, g.x0, y0, y1 from teams t left join g on g.s != t.name"
            )
        }
        9 => {
            let (one, other) = (source.any(2), source.number(2));
            let call = *source.rng.pick(&["sum", "max", "min", "count", "avg", "total"]);
            format!(
                "select p.id, {call}({other}) over (partition by {one}) as x0, row_number() over \
                 (order by {other}, p.id) as x1 from posts p"
            )
        }
        10 => {
            let (one, other) = (source.any(2), source.truth(1));
            format!(
                "select k.id, (select {one} from {table} where p.category != k.id order by p.id limit \
                 1) as x0, exists (select 1 from {table} where {other} and p.category = k.id) as x1, \
                 k.name in (select {one} from {table}) as x from categories k"
            )
        }
        _ => {
            let (one, other) = (source.any(2), source.any(2));
            let union = *source.rng.pick(&["union", "union all", "except", "intersect"]);
            format!(
                "select p.id, {one} as x from {table}{filter} {union} select p.id, {other} from posts p"
            )
        }
    }
}

struct Source<'r> {
    rng: &'r mut Rng,
    table: &'static str,
}

impl Source<'_> {
    fn columns(&mut self, count: usize) -> String {
        let columns: Vec<String> =
            (0..count).map(|index| format!("{} as x{index}", self.any(3))).collect();
        columns.join(", ")
    }

    fn aggregates(&mut self, count: usize) -> String {
        let columns: Vec<String> =
            (0..count).map(|index| format!("{} as y{index}", self.aggregate())).collect();
        columns.join(", ")
    }

    fn aggregate(&mut self) -> String {
        match self.rng.below(9) {
            0 => "count(*)".to_owned(),
            1 => format!("count({})", self.any(1)),
            2 => format!("count(distinct {})", self.any(1)),
            3 => format!("sum({})", self.number(2)),
            4 => format!("avg({})", self.any(1)),
            5 => format!("total({})", self.number(2)),
            6 => format!("coalesce(sum({}), 0) / count(*)", self.number(1)),
            7 => format!("sum(case when {} then 1 else 0 end)", self.truth(1)),
            // Of all aggregates only these decide about the columns beside them.
            _ => format!("{}({}) + 0", self.rng.pick(&["sum", "total"]), self.any(1)),
        }
    }

    fn any(&mut self, depth: usize) -> String {
        match self.rng.below(10) {
            0..=3 => self.text(depth),
            4..=7 => self.number(depth),
            8 => self.truth(depth),
            _ => (*self.rng.pick(&[
                "null",
                "p.meta",
                "p.tags",
                "p.place",
                "json_extract(p.meta, '$.a')",
                "p.meta->>'$.nested.x'",
                "(select max(likes) from comments)",
                "(select json from kinds order by id limit 1)",
            ]))
            .to_owned(),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 || self.rng.percent(30) {
            let joined = match self.table {
                table if table.contains(" u ") => "u.email",
                table if table.contains(" c ") => "c.text",
                table if table.contains(" k ") => "k.name",
                _ => "p.slug",
            };
            return (*self.rng.pick(&[
                "'a'", "'B'", "'5'", "''", "'1.5'", "p.title", "p.title", "p.status", "p.at",
                "p.author", joined, "p.id",
            ]))
            .to_owned();
        }
        let depth = depth - 1;
        match self.rng.below(11) {
            0 => format!("lower({})", self.any(depth)),
            1 => format!("({} || {})", self.any(depth), self.any(depth)),
            2 => {
                format!("substr({}, {}, 3)", self.any(depth), self.rng.pick(&["1", "-2", "0", "2"]))
            }
            3 => format!("coalesce({}, {})", self.any(depth), self.any(depth)),
            4 => format!(
                "case when {} then {} else {} end",
                self.truth(depth),
                self.any(depth),
                self.any(depth)
            ),
            5 => format!("cast({} as text)", self.any(depth)),
            6 => format!("replace({}, 'a', '-')", self.text(depth)),
            7 => format!("strftime('%Y', {})", self.text(depth)),
            8 => format!("nullif({}, {})", self.any(depth), self.any(depth)),
            9 => format!("iif({}, {}, {})", self.truth(depth), self.text(depth), self.text(depth)),
            _ => format!(
                "typeof({})",
                self.rng.pick(&["p.views", "p.title", "p.meta", "p.published"])
            ),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        if depth == 0 || self.rng.percent(30) {
            let joined = match self.table {
                table if table.contains(" c ") => "c.likes",
                table if table.contains(" k ") => "k.rank",
                table if table.contains(" u ") => "u.score",
                _ => "p.rating",
            };
            return (*self.rng.pick(&[
                "1",
                "2",
                "0",
                "1.5",
                "-3",
                "2.0",
                "p.views",
                "p.views",
                "p.rating",
                "p.rating",
                joined,
                "p.published",
            ]))
            .to_owned();
        }
        let depth = depth - 1;
        match self.rng.below(11) {
            0..=2 => {
                let sign = *self.rng.pick(&["+", "-", "*", "/", "%"]);
                format!("({} {sign} {})", self.number(depth), self.number(depth))
            }
            3 => format!("length({})", self.any(depth)),
            4 => format!("round({}, 1)", self.number(depth)),
            5 => format!("abs({})", self.number(depth)),
            6 => format!(
                "cast({} as {})",
                self.any(depth),
                self.rng.pick(&["int", "real", "numeric"])
            ),
            7 => format!("instr({}, 'a')", self.text(depth)),
            8 => format!("ifnull({}, 0)", self.number(depth)),
            9 => format!("({} + 1)", self.text(depth)),
            _ => format!(
                "{}({}, {})",
                self.rng.pick(&["min", "max"]),
                self.number(depth),
                self.number(depth)
            ),
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        if depth == 0 {
            return (*self.rng.pick(&[
                "p.published",
                "p.views > 2",
                "p.title != ''",
                "p.at is not null",
            ]))
            .to_owned();
        }
        let depth = depth - 1;
        match self.rng.below(9) {
            0..=3 => {
                let sign = *self.rng.pick(&["=", "!=", "<", "<=", ">", ">=", "is", "is not"]);
                format!("({} {sign} {})", self.any(depth), self.any(depth))
            }
            4 => format!(
                "({} {} {})",
                self.truth(depth),
                self.rng.pick(&["and", "or"]),
                self.any(depth)
            ),
            5 => format!("(not {})", self.any(depth)),
            6 => format!(
                "({} like {})",
                self.any(depth),
                self.rng.pick(&["'%a%'", "'5%'", "'_'", "p.title"])
            ),
            7 => {
                format!("({} in ({}, {}, 'a'))", self.any(depth), self.any(depth), self.any(depth))
            }
            _ => {
                format!("({} between {} and {})", self.any(depth), self.any(depth), self.any(depth))
            }
        }
    }
}
