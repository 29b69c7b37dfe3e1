//! The grammar, case by case, and a corpus of nasty input.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{NESTING_MAX, ParseError, parse, parse_search};
use crate::expr::{Comparison, Expr, Item, Join, Operand, Operator};
use crate::fixture::{self, NOW};
use crate::{Author, Query, compile};

/// The tree in prefix form.
fn explain(filter: &str) -> Result<String, ParseError> {
    Ok(explain_expr(&parse(filter)?))
}

fn explain_expr(expr: &Expr) -> String {
    let mut parts = Vec::new();
    for (index, (join, item)) in expr.items.iter().enumerate() {
        match join {
            _ if index == 0 => {}
            Join::And => parts.push("and".to_owned()),
            Join::Or => parts.push("or".to_owned()),
        }
        parts.push(match item {
            Item::Group(group) => format!("[{}]", explain_expr(group)),
            Item::Comparison(Comparison { left, operator, right }) => {
                format!("({operator} {left:?} {right:?})")
            }
        });
    }
    parts.join(" ")
}

#[track_caller]
fn check(filter: &str, expect: Expect) {
    let outcome = explain(filter).unwrap_or_else(|error| format!("error: {error}"));
    expect.assert_eq(&outcome);
}

#[test]
fn comparisons() {
    check("a = 1", expect![[r#"(= Identifier("a") Number("1"))"#]]);
    check("a?!~'x'", expect![[r#"(?!~ Identifier("a") Text("x"))"#]]);
    check("-1.5<=a.b:lower", expect![[r#"(<= Number("-1.5") Identifier("a.b:lower"))"#]]);
    check("12-3 = 4", expect![[r#"error: expected a sign operator, got "-3" (number)"#]]);
}

#[test]
fn joins_are_kept_flat() {
    let expected = expect![[
        r#"(= Identifier("a") Number("1")) or (= Identifier("b") Number("2")) and (= Identifier("c") Number("3"))"#
    ]];
    check("a=1 || b=2 && c=3", expected);
}

#[test]
fn a_group_is_complete_wherever_it_stands() {
    check("a = (b = 1)", expect![[r#"[(= Identifier("b") Number("1"))]"#]]);
    let joined =
        expect![[r#"(= Identifier("a") Number("1")) and [(= Identifier("b") Number("2"))]"#]];
    check("a = 1 (b = 2)", joined);
    check("()", expect!["error: empty filter expression"]);
    check("((a=1)", expect!["error: invalid formatted group - missing 1 closing bracket(s)"]);
    check("a=1)", expect!["error: unexpected character ')'"]);
}

#[test]
fn texts_and_escapes() {
    check(r"a = 'it\'s'", expect![[r#"(= Identifier("a") Text("it's"))"#]]);
    check(r#"a = '\"'"#, expect![[r#"(= Identifier("a") Text("\""))"#]]);
    check(r"a = 'x\\'", expect![[r#"(= Identifier("a") Text("x\\"))"#]]);
    check(r"a = '\n\t\r\a'", expect![[r#"(= Identifier("a") Text("\n\t\r\\a"))"#]]);
    check(r"(a = ')\'')", expect![[r#"[(= Identifier("a") Text(")'"))]"#]]);
    check(r"a = 'x\'", expect![[r#"error: invalid quoted text "'x'""#]]);
    check("a = \"x'", expect![[r#"error: invalid quoted text "\"x'""#]]);
}

#[test]
fn comments() {
    check("// all\na = 1 // rest", expect![[r#"(= Identifier("a") Number("1"))"#]]);
    check("// nothing", expect!["error: empty filter expression"]);
    check("a = 1 / 2", expect!["error: invalid comment"]);
    // Where a group ends is found without regard to comments.
    check("(a = 1 // it's\n)", expect![[r#"error: invalid quoted text "'s\n)""#]]);
}

#[test]
fn functions() {
    let expected = expect![[
        r#"(= Call { function: "f", arguments: [Identifier("a"), Text("b"), Number("1")] } Number("1"))"#
    ]];
    check("f(a, // first\n 'b', 1,) = 1", expected);
    check(
        "f(a b) = 1",
        expect![[r#"error: expected comma after the last argument in function "f""#]],
    );
    check("f(,a) = 1", expect![[r#"error: unexpected comma in function "f""#]]);
    check("f(%) = 1", expect![[r#"error: unsupported argument character '%' in function "f""#]]);
    check("f(a", expect![[r#"error: invalid or incomplete function "f" (expected ')')"#]]);
    let deep = "error: invalid identifier argument \"b\" in function \"a\"";
    assert!(
        explain("a(b(c(d(1)))) = 1")
            .is_err_and(|error| format!("error: {error}").starts_with(deep))
    );
}

#[test]
fn a_nul_ends_the_filter() {
    check("a = 1 \0 = 2", expect![[r#"error: expected && or ||, got "=" (sign)"#]]);
    check("a = '\0'", expect![[r#"error: invalid quoted text "'""#]]);
}

#[test]
fn limits_give_errors() {
    let nested = |depth| format!("{}a=1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(NESTING_MAX)).is_ok());
    assert_eq!(parse(&nested(NESTING_MAX + 1)), Err(ParseError::TooDeep));
    assert_eq!(parse(&nested(1000)), Err(ParseError::TooDeep));
    assert_eq!(parse(&nested(1_000_000)), Err(ParseError::TooLong));
    let terms = vec!["a=1"; 10_000].join("||");
    assert_eq!(parse_search(&terms), Err(ParseError::TooLong));
    assert_eq!(parse(&terms).map(|expr| expr.items.len()), Ok(10_000));
    assert_eq!(parse(&"a=1||".repeat(20_000)), Err(ParseError::TooLong));
}

/// The filters of the corpus, one a line; control characters are written as their symbols.
fn corpus() -> impl Iterator<Item = String> {
    let files = [include_str!("../../corpus/language.txt"), include_str!("../../corpus/nasty.txt")];
    files.into_iter().flat_map(str::lines).map(|line| {
        let symbol = |next: char| match next {
            '\u{2400}'..='\u{241f}' => char::from_u32(u32::from(next) - 0x2400).unwrap(),
            '\u{2421}' => '\u{7f}',
            '\u{2424}' => '\n',
            _ => next,
        };
        line.chars().map(symbol).collect()
    })
}

#[test]
fn the_corpus_reads_back_as_it_prints() {
    let mut parsed = 0;
    for filter in corpus() {
        if let Ok(expr) = parse(&filter) {
            assert_eq!(parse(&expr.to_string()), Ok(expr), "{filter}");
            parsed += 1;
        }
    }
    assert!(parsed > 200, "only {parsed} are filters");
}

/// Whatever the filter: the statement prepares, or its error is one of SQL's functions.
#[test]
fn the_corpus_never_breaks_a_statement() {
    let schema = fixture::schema();
    let db = fixture::database(&schema);
    let posts = schema.find("posts").unwrap();
    for filter in corpus() {
        let Ok(expr) = parse(&filter) else { continue };
        for client in [false, true] {
            let mut query = Query::new(&schema, posts, None, NOW).unwrap();
            if client {
                query.only_visible();
            }
            if query.filter(&expr).is_ok() {
                let statement = query.exists();
                if let Err(error) = db.prepare(&statement.text) {
                    let text = error.to_string();
                    assert!(text.contains("no such function"), "{filter}: {text}");
                }
            }
        }
        assert!(compile(&filter, posts, &schema, Author::Client).is_ok());
    }
}

fn operand() -> impl Strategy<Value = Operand> {
    let identifier = "[a-z@_#][a-z0-9_]{1,6}([.:][a-z0-9]{1,3}){0,2}";
    let leaf = prop_oneof![
        identifier.prop_map(Operand::Identifier),
        any::<String>().prop_map(|text| Operand::Text(text.replace('\0', ""))),
        "[\\\\'\"nrta]{0,6}".prop_map(Operand::Text),
        "-?[0-9]{1,4}(\\.[0-9]{1,3})?".prop_map(Operand::Number),
    ];
    leaf.prop_recursive(3, 6, 3, move |inner| {
        (identifier, prop::collection::vec(inner, 0..3))
            .prop_map(|(function, arguments)| Operand::Call { function, arguments })
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    let operator = prop::sample::select(&Operator::ALL[..]).prop_map(|(_, operator)| operator);
    let comparison = (operand(), operator, operand())
        .prop_map(|(left, operator, right)| Item::Comparison(Comparison { left, operator, right }));
    let whole = |item: BoxedStrategy<Item>| {
        let join = prop::sample::select(&[Join::And, Join::Or][..]);
        prop::collection::vec((join, item), 1..4).prop_map(|mut items| {
            // The first join is not written.
            items[0].0 = Join::And;
            Expr { items }
        })
    };
    let item = comparison
        .prop_recursive(4, 12, 3, move |inner| whole(inner.boxed()).prop_map(Item::Group));
    whole(item.boxed())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back(expr in expr()) {
        let text = expr.to_string();
        prop_assert_eq!(parse(&text), Ok(expr), "{}", text);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "[ -~\\n\0é]{0,60}") {
        let _ = parse(&text);
    }
}
