//! Comparisons as SQLite makes them, of typed expressions.
//!
//! Source: <https://sqlite.org/datatype3.html#comparison_expressions>, `expr.c`
//! (`sqlite3CompareAffinity`), `resolve.c` (`TK_TRUTH`).

use super::operand::{Operand, Pull, Source};
use super::term::{write_lower, write_number_of_json};
use crate::SqlValue;
use crate::compare::{Binary, Form};
use crate::sql::Sql;
use crate::term::Term;

const EMPTY: &Term = &Term::Value(SqlValue::Text(String::new()));

/// Appends a comparison.
pub(crate) fn write_form(sql: &mut Sql, form: Form, left: &Term, right: &Term) {
    let (l, r) = (Operand::of(left), Operand::of(right));
    match form {
        Form::Binary(binary @ (Binary::Is | Binary::IsNot)) => match right {
            Term::Truth(flag) => write_truth(sql, &l, *flag, binary == Binary::IsNot),
            _ => write_binary(sql, l, binary, r),
        },
        Form::Binary(binary) => write_binary(sql, l, binary, r),
        Form::BothEmpty(binary) => {
            sql.push(if binary == Binary::IsNot { "FALSE" } else { "TRUE" });
        }
        Form::WithEmpty(binary) => write_binary(sql, l, binary, Operand::of(EMPTY)),
        Form::EmptyWith(binary) => write_binary(sql, Operand::of(EMPTY), binary, r),
        Form::RightEmpty => write_empty(sql, &r, true),
        Form::RightNotEmpty => write_empty(sql, &r, false),
        Form::LeftEmpty => write_empty(sql, &l, true),
        Form::LeftNotEmpty => write_empty(sql, &l, false),
        Form::Coalesced(binary) => write_coalesced(sql, l, binary, r),
        Form::Like { negated } => write_like(sql, &l, &r, negated),
        Form::Contains { negated } => write_contains(sql, &l, &r, negated),
    }
}

fn write_binary(sql: &mut Sql, mut l: Operand<'_>, binary: Binary, mut r: Operand<'_>) {
    if l.is_null() || r.is_null() {
        let other = if l.is_null() { &r } else { &l };
        match binary {
            Binary::Is => other.write_null(sql, true),
            Binary::IsNot => other.write_null(sql, false),
            Binary::Equal
            | Binary::Less
            | Binary::LessOrEqual
            | Binary::Greater
            | Binary::GreaterOrEqual => {
                sql.push("NULL::boolean");
            }
        }
        return;
    }
    let pull = pull(l.pull, r.pull);
    if pull == Pull::Numeric {
        l.numeric();
        r.numeric();
    }
    if l.is_number() && r.is_number() {
        write_numbers(sql, &l, binary, &r);
    } else if pull == Pull::Text || (l.is_text() && r.is_text()) {
        write_texts(sql, &l, binary, &r);
    } else if pull == Pull::Numeric || !write_with_known(sql, &l, binary, &r) {
        write_values(sql, &l, binary, &r, pull == Pull::Numeric);
    }
}

/// Compares a value of any type with a known one, if that is possible as a text or a number, which
/// is faster.
fn write_with_known(sql: &mut Sql, l: &Operand<'_>, binary: Binary, r: &Operand<'_>) -> bool {
    let Some(known) = l.known().or(r.known()) else { return false };
    let equality = matches!(binary, Binary::Equal | Binary::Is | Binary::IsNot);
    if known.is_text() {
        // The text of no number is equal to it.
        let possible = equality && !known.like_a_number();
        if possible {
            write_texts(sql, l, binary, r);
        }
        return possible;
    }
    let possible = known.double().is_some() && [l, r].iter().any(|side| side.is_json());
    if possible {
        let write = |sql: &mut Sql, side: &Operand<'_>| match &side.source {
            Source::Row(term, _) => write_number_of_json(sql, term),
            Source::Null | Source::Known(_) => side.write_float(sql),
        };
        write(sql, l);
        sql.push(sign(binary, l, r));
        write(sql, r);
    }
    possible
}

/// Which conversion two sides bring to their comparison.
fn pull(left: Pull, right: Pull) -> Pull {
    match (left, right) {
        (Pull::Numeric, _) | (_, Pull::Numeric) => Pull::Numeric,
        (Pull::None, other) | (other, Pull::None) => other,
        (Pull::Text | Pull::Blob, Pull::Text | Pull::Blob) => Pull::Blob,
    }
}

fn sign(binary: Binary, l: &Operand<'_>, r: &Operand<'_>) -> &'static str {
    let always = l.always && r.always;
    match binary {
        Binary::Equal => " = ",
        Binary::Is if always => " = ",
        Binary::Is => " IS NOT DISTINCT FROM ",
        Binary::IsNot if always => " <> ",
        Binary::IsNot => " IS DISTINCT FROM ",
        Binary::Less => " < ",
        Binary::LessOrEqual => " <= ",
        Binary::Greater => " > ",
        Binary::GreaterOrEqual => " >= ",
    }
}

fn write_texts(sql: &mut Sql, l: &Operand<'_>, binary: Binary, r: &Operand<'_>) {
    l.write_text(sql);
    l.write_collation(r, sql);
    sql.push(sign(binary, l, r));
    r.write_text(sql);
}

fn write_numbers(sql: &mut Sql, l: &Operand<'_>, binary: Binary, r: &Operand<'_>) {
    let truths = [l, r].map(|side| side.is_bool() || side.truth().is_some());
    if truths == [true, true] && (l.is_bool() || r.is_bool()) {
        l.write_truth(sql);
        sql.push(sign(binary, l, r));
        r.write_truth(sql);
        return;
    }
    // A few integers of the request are no doubles.
    if [l, r].iter().any(|side| side.known().is_some_and(|value| value.double().is_none())) {
        return write_values(sql, l, binary, r, false);
    }
    l.write_float(sql);
    sql.push(sign(binary, l, r));
    r.write_float(sql);
}

fn write_values(sql: &mut Sql, l: &Operand<'_>, binary: Binary, r: &Operand<'_>, numeric: bool) {
    let write = |sql: &mut Sql, side: &Operand<'_>| {
        let converted = numeric && !side.is_number() && side.known().is_none();
        sql.push(if converted { "pando.numeric(" } else { "" });
        side.write_value(sql);
        sql.push(if converted { ")" } else { "" });
    };
    write(sql, l);
    sql.push(sign(binary, l, r));
    write(sql, r);
}

/// `IS TRUE` and its relatives, which ask for a truth value instead of comparing.
fn write_truth(sql: &mut Sql, l: &Operand<'_>, flag: bool, negated: bool) {
    sql.push(if negated { "NOT COALESCE(" } else { "COALESCE(" });
    sql.push(if flag { "" } else { "NOT " });
    if l.is_null() {
        sql.push("NULL::boolean");
    } else if l.is_bool() {
        l.write_truth(sql);
    } else if l.is_number() {
        sql.push("(");
        l.write_float(sql);
        sql.push(" <> 0)");
    } else {
        sql.push("pando.truth(");
        l.write_value(sql);
        sql.push(")");
    }
    sql.push(", FALSE)");
}

/// Whether a side is empty or null.
fn write_empty(sql: &mut Sql, side: &Operand<'_>, empty: bool) {
    if side.is_number() || side.is_null() {
        return side.write_null(sql, empty);
    }
    let sign = if empty { " = ''" } else { " <> ''" };
    if side.always {
        side.write_text(sql);
        sql.push(sign);
    } else if side.is_any() {
        sql.push("COALESCE(");
        side.write_text(sql);
        sql.push(", '')").push(sign);
    } else {
        sql.push("(");
        side.write_text(sql);
        sql.push(sign).push(if empty { " OR " } else { " AND " });
        side.write_null(sql, empty);
        sql.push(")");
    }
}

/// Both sides with null read as empty, and without any conversion.
fn write_coalesced(sql: &mut Sql, l: Operand<'_>, binary: Binary, r: Operand<'_>) {
    let l = if l.is_null() { Operand::of(EMPTY) } else { l };
    let r = if r.is_null() { Operand::of(EMPTY) } else { r };
    if l.is_number() && r.is_number() {
        let distinct = if binary == Binary::IsNot { Binary::IsNot } else { Binary::Is };
        return write_numbers(sql, &l, distinct, &r);
    }
    let texts = l.is_text() && r.is_text();
    let write = |sql: &mut Sql, side: &Operand<'_>| {
        sql.push(if side.always { "" } else { "COALESCE(" });
        if texts {
            side.write_text(sql)
        } else {
            side.write_value(sql)
        }
        sql.push(match (side.always, texts) {
            (true, _) => "",
            (false, true) => ", '')",
            (false, false) => ", pando.t(''))",
        });
    };
    write(sql, &l);
    sql.push(if binary == Binary::IsNot { " <> " } else { " = " });
    write(sql, &r);
}

/// The right side is a part of the left one.
fn write_contains(sql: &mut Sql, l: &Operand<'_>, r: &Operand<'_>, negated: bool) {
    if l.is_null() || r.is_null() {
        sql.push("NULL::boolean");
        return;
    }
    write_lower(sql, l);
    sql.push(if negated { " NOT LIKE " } else { " LIKE " });
    match r.known() {
        Some(value) => {
            let part = value.text().to_ascii_lowercase();
            sql.bind(SqlValue::Text(format!("%{}%", before_nul(&part))));
        }
        None => {
            sql.push("('%' || ");
            write_lower(sql, r);
            sql.push(" || '%')");
        }
    }
}

/// The right side is a pattern. Lower case on both sides, since SQLite ignores the case of ASCII
/// letters; the escape character is PostgreSQL's own.
fn write_like(sql: &mut Sql, l: &Operand<'_>, r: &Operand<'_>, negated: bool) {
    if l.is_null() || r.is_null() {
        sql.push("NULL::boolean");
        return;
    }
    let Some(value) = r.known() else {
        sql.push(if negated { "NOT pando.like(" } else { "pando.like(" });
        l.write_text(sql);
        sql.push(", ");
        r.write_text(sql);
        sql.push(")");
        return;
    };
    let text = value.text();
    let pattern = before_nul(&text).to_ascii_lowercase();
    if ends_in_escape(&pattern) {
        // Matches nothing in SQLite; PostgreSQL would refuse it.
        let binary = if negated { Binary::Equal } else { Binary::Less };
        return write_texts(sql, l, binary, l);
    }
    write_lower(sql, l);
    sql.push(if negated { " NOT LIKE " } else { " LIKE " }).bind(SqlValue::Text(pattern));
}

/// A pattern ends at its first NUL in SQLite.
fn before_nul(pattern: &str) -> &str {
    pattern.split('\0').next().unwrap_or("")
}

/// Whether nothing is left for the last backslash to escape.
fn ends_in_escape(pattern: &str) -> bool {
    pattern.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}
