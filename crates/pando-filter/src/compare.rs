//! Decides how two operands are compared: what is empty, what is null, what LIKE looks for.
//!
//! Both back ends use these decisions, the SQL one and the one in memory, so that they agree.
//!
//! Source: PocketBase `tools/search/filter.go`.

use crate::SqlValue;
use crate::condition::{Compare, Condition, EveryMatch, Matches};
use crate::expr::{Comparator, Operator};
use crate::postgres::Operand;
use crate::sql::{Dialect, Sql};
use crate::term::{Alias, Term};

/// How null and empty values are equated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum NullFallback {
    #[default]
    Auto,
    /// Null is null: for JSON values.
    Disabled,
    /// Null counts as empty even where that seems impossible.
    Enforced,
}

/// A resolved operand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolved {
    pub(crate) term: Term,
    pub(crate) fallback: NullFallback,
    /// All values that the operand's path leads to, when those can be several.
    pub(crate) matches: Option<Box<Matches>>,
    /// The table of auth records whose e-mail address this is, if not everyone may see it.
    pub(crate) email_of: Option<Alias>,
}

impl From<Term> for Resolved {
    fn from(term: Term) -> Resolved {
        Resolved { term, fallback: NullFallback::Auto, matches: None, email_of: None }
    }
}

/// What the choice of a [`Form`] depends on in one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traits {
    pub(crate) empty: bool,
    pub(crate) known_non_empty: bool,
    pub(crate) fallback: NullFallback,
}

/// The shape of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Binary(Binary),
    /// `''` with itself.
    BothEmpty(Binary),
    /// The left side with `''`.
    WithEmpty(Binary),
    /// `''` with the right side.
    EmptyWith(Binary),
    /// The right side is empty or null.
    RightEmpty,
    RightNotEmpty,
    /// The left side is empty or null.
    LeftEmpty,
    LeftNotEmpty,
    /// Both sides with null read as empty.
    Coalesced(Binary),
    /// The right side is a pattern.
    Like {
        negated: bool,
    },
    /// The right side is a part of the left one.
    Contains {
        negated: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    Is,
    IsNot,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Binary {
    fn sign(self) -> &'static str {
        match self {
            Binary::Equal => " = ",
            Binary::Is => " IS ",
            Binary::IsNot => " IS NOT ",
            Binary::Less => " < ",
            Binary::LessOrEqual => " <= ",
            Binary::Greater => " > ",
            Binary::GreaterOrEqual => " >= ",
        }
    }
}

impl Traits {
    pub(crate) fn of(term: &Term, fallback: NullFallback) -> Traits {
        let (mut count, mut empty_value) = (0, false);
        term.each_value(&mut |value| {
            count += 1;
            empty_value |= match value {
                SqlValue::Null => true,
                SqlValue::Text(text) => text.is_empty(),
                SqlValue::Int(_) | SqlValue::Real(_) => false,
            };
        });
        let auto = fallback == NullFallback::Auto;
        let literal = matches!(term, Term::Integer(0 | 1) | Term::Truth(_));
        let null = matches!(term, Term::Null);
        Traits {
            empty: null || (auto && count == 1 && empty_value),
            known_non_empty: fallback != NullFallback::Enforced
                && (literal || (count > 0 && !empty_value && !null)),
            fallback,
        }
    }
}

impl Form {
    /// The form for an operator. `right_has_values`: the right side comes, at least in part, from
    /// the filter or the request, and so can be a pattern.
    pub(crate) fn choose(
        kind: Comparator,
        left: Traits,
        right: Traits,
        right_has_values: bool,
    ) -> Form {
        match (kind, right_has_values) {
            (Comparator::Equal, _) => Form::equality(true, left, right),
            (Comparator::NotEqual, _) => Form::equality(false, left, right),
            (Comparator::Like, true) => Form::Like { negated: false },
            (Comparator::Like, false) => Form::Contains { negated: false },
            (Comparator::NotLike, true) => Form::Like { negated: true },
            (Comparator::NotLike, false) => Form::Contains { negated: true },
            (Comparator::Less, _) => Form::Binary(Binary::Less),
            (Comparator::LessOrEqual, _) => Form::Binary(Binary::LessOrEqual),
            (Comparator::Greater, _) => Form::Binary(Binary::Greater),
            (Comparator::GreaterOrEqual, _) => Form::Binary(Binary::GreaterOrEqual),
        }
    }

    fn equality(equal: bool, left: Traits, right: Traits) -> Form {
        // IS NOT rather than !=, which is null instead of true where one side is null.
        let plain = if equal { Binary::Equal } else { Binary::IsNot };
        let disabled = NullFallback::Disabled;
        if left.fallback == disabled || right.fallback == disabled {
            return Form::Binary(if equal { Binary::Is } else { Binary::IsNot });
        }
        if left.empty && right.empty {
            return Form::BothEmpty(plain);
        }
        if left.known_non_empty || right.known_non_empty {
            return match (left.empty, right.empty) {
                (true, _) => Form::EmptyWith(plain),
                (_, true) => Form::WithEmpty(plain),
                (false, false) => Form::Binary(plain),
            };
        }
        match (left.empty, right.empty, equal) {
            (true, _, true) => Form::RightEmpty,
            (true, _, false) => Form::RightNotEmpty,
            (_, true, true) => Form::LeftEmpty,
            (_, true, false) => Form::LeftNotEmpty,
            (false, false, _) => Form::Coalesced(plain),
        }
    }

    pub(crate) fn write(self, sql: &mut Sql, left: &Term, right: &Term) {
        if sql.dialect == Dialect::Postgres {
            return crate::postgres::write_form(sql, self, left, right);
        }
        match self {
            Form::Binary(binary) => {
                left.write(sql);
                sql.push(binary.sign());
                right.write(sql);
            }
            Form::BothEmpty(binary) => {
                sql.push("''").push(binary.sign()).push("''");
            }
            Form::WithEmpty(binary) => {
                left.write(sql);
                sql.push(binary.sign()).push("''");
            }
            Form::EmptyWith(binary) => {
                sql.push("''").push(binary.sign());
                right.write(sql);
            }
            Form::RightEmpty => write_empty(sql, right, " = ", " OR ", " IS NULL)"),
            Form::RightNotEmpty => {
                write_empty(sql, right, " IS NOT ", " AND ", " IS NOT NULL)");
            }
            Form::LeftEmpty => write_empty(sql, left, " = ", " OR ", " IS NULL)"),
            Form::LeftNotEmpty => {
                write_empty(sql, left, " IS NOT ", " AND ", " IS NOT NULL)");
            }
            Form::Coalesced(binary) => {
                sql.push("COALESCE(");
                left.write(sql);
                sql.push(", '')").push(binary.sign()).push("COALESCE(");
                right.write(sql);
                sql.push(", '')");
            }
            Form::Like { negated } => {
                left.write(sql);
                sql.push(if negated { " NOT LIKE " } else { " LIKE " });
                right.write(sql);
                sql.push(" ESCAPE '\\'");
            }
            Form::Contains { negated } => {
                left.write(sql);
                sql.push(if negated { " NOT LIKE ('%' || " } else { " LIKE ('%' || " });
                right.write(sql);
                sql.push(" || '%') ESCAPE '\\'");
            }
        }
    }
}

fn write_empty(
    sql: &mut Sql,
    term: &Term,
    sign: &'static str,
    join: &'static str,
    null: &'static str,
) {
    sql.push("(");
    term.write(sql);
    sql.push(sign).push("''").push(join);
    term.write(sql);
    sql.push(null);
}

/// The condition that two operands make, with its multi-match check.
pub(crate) fn compare(left: Resolved, operator: Operator, right: Resolved) -> Condition {
    let guards: Vec<Alias> =
        [&left, &right].iter().filter_map(|side| side.email_of.clone()).collect();
    let plain = compare_terms(
        left.term.clone(),
        left.fallback,
        operator.kind,
        right.term.clone(),
        right.fallback,
    );
    let every = if operator.any { None } else { every_match(left, operator.kind, right) };
    let mut condition = match every {
        None => plain,
        Some(every) => Condition::All(vec![plain, Condition::EveryMatch(Box::new(every))]),
    };
    for table in guards {
        condition = Condition::All(vec![condition, Condition::EmailVisible(table)]);
    }
    condition
}

/// The multi-match check of a comparison, if one of its sides can have several values.
fn every_match(left: Resolved, kind: Comparator, right: Resolved) -> Option<EveryMatch> {
    let matched = |matches: &Matches| {
        Term::Matched(matches.alias.clone(), Operand::of(&matches.value).shape())
    };
    let auto = NullFallback::Auto;
    Some(match (left.matches, right.matches) {
        (None, None) => return None,
        (Some(first), Some(second)) => {
            let (l, r) = (matched(&first), matched(&second));
            let failure = compare_terms(l, left.fallback, kind, r, right.fallback);
            EveryMatch { first: *first, second: Some(*second), failure }
        }
        // PocketBase keeps the fallback of the side with many values only.
        (Some(first), None) => {
            let l = matched(&first);
            let failure = compare_terms(l, left.fallback, kind, right.term, auto);
            EveryMatch { first: *first, second: None, failure }
        }
        (None, Some(first)) => {
            let r = matched(&first);
            let failure = compare_terms(left.term, auto, kind, r, right.fallback);
            EveryMatch { first: *first, second: None, failure }
        }
    })
}

fn compare_terms(
    left: Term,
    left_fallback: NullFallback,
    kind: Comparator,
    right: Term,
    right_fallback: NullFallback,
) -> Condition {
    let (l, r) = (Traits::of(&left, left_fallback), Traits::of(&right, right_fallback));
    let form = Form::choose(kind, l, r, right.has_values());
    let right = match form {
        Form::Like { .. } => right.map_values(&|value| SqlValue::Text(pattern(&value))),
        _ => right,
    };
    Condition::Compare(Box::new(Compare { left, form, right }))
}

/// The LIKE pattern for a value: anything that contains it, unless it has a `%` of its own.
pub(crate) fn pattern(value: &SqlValue) -> String {
    let text = plain_text(value);
    if has_unescaped_percent(&text) {
        return text;
    }
    format!("%{}%", escape_wildcards(&text))
}

/// A value as text, the way PocketBase prints it (Go's `cast.ToString`).
pub(crate) fn plain_text(value: &SqlValue) -> String {
    match value {
        SqlValue::Null => String::new(),
        SqlValue::Int(number) => number.to_string(),
        // Rust also prints the shortest digits that read back as the same number.
        SqlValue::Real(number) => number.to_string(),
        SqlValue::Text(text) => text.clone(),
    }
}

fn has_unescaped_percent(text: &str) -> bool {
    let mut previous = '\0';
    for next in text.chars() {
        if next == '%' && previous != '\\' {
            return true;
        }
        previous = if next == '\\' && previous == '\\' { '\0' } else { next };
    }
    false
}

/// Puts a backslash before each `\`, `%` and `_` that has none.
fn escape_wildcards(text: &str) -> String {
    let mut reversed = Vec::with_capacity(text.len() + 2);
    let mut wildcard = false;
    for next in text.chars().rev() {
        if wildcard {
            if next != '\\' {
                reversed.push('\\');
            }
            wildcard = false;
        } else {
            wildcard = matches!(next, '\\' | '%' | '_');
        }
        reversed.push(next);
    }
    if wildcard {
        reversed.push('\\');
    }
    reversed.iter().rev().collect()
}
