use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(statement: &str, expected: Expect) {
    expected.assert_eq(&Index::parse(statement).build());
}

#[test]
fn statements_are_normalised() {
    check("CREATE INDEX i1 ON c1 (title)", expect!["CREATE INDEX `i1` ON `c1` (`title`)"]);
    check(
        "create unique index if not exists main.i2 on `whatever` (lower(title) collate nocase) where n > 1",
        expect![
            "CREATE UNIQUE INDEX IF NOT EXISTS `main`.`i2` ON `whatever` (lower(title) COLLATE nocase) WHERE n > 1"
        ],
    );
    check(
        "CREATE INDEX `i1` ON [c2] (title, \"n\" desc)",
        expect![[r#"
            CREATE INDEX `i1` ON `c2` (
              `title`,
              `n` DESC
            )"#]],
    );
}

#[test]
fn a_condition_may_hold_parentheses() {
    check(
        "create index a on b (lower(c))\n where (d = ')') ",
        expect!["CREATE INDEX `a` ON `b` (lower(c)) WHERE (d = ')')"],
    );
}

#[test]
fn commas_inside_parentheses_and_quotes_do_not_split() {
    check(
        "create index a on b (coalesce(x, 'a,b'), `y`)",
        expect![[r#"
            CREATE INDEX `a` ON `b` (
              coalesce(x, 'a,b'),
              `y`
            )"#]],
    );
}

#[test]
fn a_condition_may_have_parentheses() {
    check(
        "create index a on b (lower(x), y) where (x = ')' or x in (1, 2))\n",
        expect![[r#"
            CREATE INDEX `a` ON `b` (
              lower(x),
              `y`
            ) WHERE (x = ')' or x in (1, 2))"#]],
    );
}

#[test]
fn nothing_else_follows_the_columns() {
    for rest in [";", "; drop table x", " -- x", "\nx", "where (1)", " whereas", " where"] {
        assert!(!Index::parse(&format!("create index a on b (c){rest}")).valid(), "{rest}");
    }
}

#[test]
fn broken_statements_are_invalid() {
    let statements = [
        "",
        "bad",
        "create index on x (a)",
        "create index a on b ( )",
        "create index a on b ('c)",
        "create index a.b.c on d (e)",
        "create index a on b (c); drop table b",
        "create index a on b (c);",
        "create index a on b (c) -- d",
        "create index a on b (c)where d = 1",
        "create index a on b (c) where",
    ];
    for statement in statements {
        assert!(!Index::parse(statement).valid(), "{statement}");
    }
}

#[test]
fn a_unique_index_of_one_column_is_found_without_regard_to_case() {
    let indexes = [
        "CREATE INDEX `a` ON `t` (`email`)".to_owned(),
        "CREATE UNIQUE INDEX `b` ON `t` (`email`, `x`)".to_owned(),
        "CREATE UNIQUE INDEX `c` ON `t` (`Email`) WHERE `email` != ''".to_owned(),
    ];
    let found = single_column_unique_index(&indexes, "email").map(|index| index.index_name);
    assert_eq!(found.as_deref(), Some("c"));
    assert_eq!(single_column_unique_index(&indexes, "x"), None);
}

fn any_column() -> impl Strategy<Value = IndexColumn> {
    let name = prop_oneof!["[a-z_][a-zA-Z0-9_]{0,8}", r"lower\([a-z]{1,5}\)", "[a-z]{1,4} \\+ 1"];
    (name, "(nocase|binary)?", "(ASC|DESC)?").prop_map(|(name, collate, sort)| IndexColumn {
        name,
        collate,
        sort,
    })
}

proptest! {
    #[test]
    fn what_is_built_is_parsed_back(
        names in ("([a-z]{1,4})?", "[a-z_][a-z0-9_]{0,12}", "[a-z_][a-z0-9_]{0,12}"),
        columns in proptest::collection::vec(any_column(), 1..4),
        // As in PocketBase, the last parenthesis of a statement ends its columns.
        condition in "([a-z]{1,4} != '[^'()]{0,4}x')?",
        unique: bool,
        optional: bool,
    ) {
        let (schema_name, index_name, table_name) = names;
        let index =
            Index { schema_name, index_name, table_name, columns, condition, unique, optional };
        prop_assert_eq!(Index::parse(&index.build()), index);
    }

    #[test]
    fn any_text_parses(text in ".{0,60}", columns in ".{0,40}") {
        let statement = format!("create index {text} on {text} ({columns}) where {columns}");
        for statement in [text, statement] {
            let index = Index::parse(&statement);
            prop_assert_eq!(index.build().is_empty(), !index.valid());
        }
    }
}
