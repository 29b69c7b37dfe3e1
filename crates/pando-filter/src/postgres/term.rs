//! Terms as PostgreSQL's expressions of their own type.

use super::operand::{Operand, Source};
use crate::SqlValue;
use crate::sql::Sql;
use crate::term::{Alias, Column, Holds, JsonStep, Term};

/// Appends a term, of the type that [`Operand`] tells.
pub(crate) fn write_term(sql: &mut Sql, term: &Term) {
    match term {
        Term::Column(column) => {
            column.write(sql);
            sql.push(if column.holds == Holds::Json { "::text" } else { "" });
        }
        Term::Json(column, path) => write_json(sql, ["pando.json", "pando.json_at"], column, path),
        Term::Length(column) => {
            let list = column.holds == Holds::Json;
            sql.push(if list { "COALESCE(json_array_length(" } else { "pando.length(" });
            column.write(sql);
            sql.push(if list { "), 0)" } else { ")" });
        }
        Term::Each(alias, _) => write_of(sql, alias, ".value"),
        Term::Matched(alias, _) => write_of(sql, alias, ".matched"),
        Term::Lower(inner) => write_lower(sql, &Operand::of(inner)),
        Term::GeoDistance(arguments) => {
            sql.push("pando.distance(");
            for (index, argument) in arguments.iter().enumerate() {
                sql.push(if index == 0 { "" } else { ", " });
                Operand::of(argument).write_float(sql);
            }
            sql.push(")");
        }
        Term::Strftime(arguments) => write_strftime(sql, arguments),
        Term::Changed(condition) => {
            sql.push("(");
            condition.write(sql);
            sql.push(")");
        }
        Term::Null
        | Term::Integer(_)
        | Term::Truth(_)
        | Term::Value(_)
        | Term::Flag(_)
        | Term::Stored(..) => {
            let operand = Operand::of(term);
            if operand.is_number() { operand.write_float(sql) } else { operand.write_text(sql) }
        }
    }
}

fn write_of(sql: &mut Sql, alias: &Alias, column: &'static str) {
    alias.write(sql);
    sql.push(column);
}

/// Appends a term of any type as text.
pub(crate) fn write_text_of_any(sql: &mut Sql, term: &Term) {
    match term {
        Term::Json(column, path) => {
            write_json(sql, ["pando.json_text", "pando.json_at_text"], column, path);
        }
        Term::Each(alias, _) => write_of(sql, alias, ".text"),
        Term::Matched(alias, _) => write_of(sql, alias, ".matched_text"),
        other => {
            sql.push("(");
            write_term(sql, other);
            sql.push(")::text");
        }
    }
}

/// Appends a value at a path as it compares with numbers.
pub(crate) fn write_number_of_json(sql: &mut Sql, term: &Term) {
    if let Term::Json(column, path) = term {
        write_json(sql, ["pando.json_number", "pando.json_at_number"], column, path);
    }
}

/// The value at a path: by the first function where all steps are names, which needs no loop.
fn write_json(sql: &mut Sql, functions: [&'static str; 2], column: &Column, path: &[JsonStep]) {
    // SQLite refuses an empty step when it runs the statement, and so do we.
    if path.contains(&JsonStep::Empty) {
        sql.push("(pando.json_refused(");
        column.write(sql);
        sql.push(match functions[0] {
            "pando.json_text" => ")).t",
            "pando.json_number" => ")).n",
            _ => "))",
        });
        return;
    }
    let [by_names, by_steps] = functions;
    let names = path.iter().all(|step| matches!(step, JsonStep::Key(_)));
    sql.push(if names { by_names } else { by_steps }).push("(");
    column.write(sql);
    sql.push(", '{");
    for (index, step) in path.iter().enumerate() {
        sql.push(if index == 0 { "\"" } else { ",\"" });
        match step {
            JsonStep::Key(key) => sql.name(key),
            // No array is that long.
            JsonStep::Index(index) => {
                sql.push("#").integer(i32::try_from(*index).unwrap_or(i32::MAX).into())
            }
            JsonStep::Empty => sql,
        }
        .push("\"");
    }
    sql.push("}')");
}

/// `strftime(format, time, modifiers…)`: without a time, of now.
fn write_strftime(sql: &mut Sql, arguments: &[Term]) {
    let mut arguments = arguments.iter().map(Operand::of);
    let (format, time) = (arguments.next(), arguments.next());
    sql.push("pando.strftime(");
    if let Some(format) = format {
        format.write_text(sql);
    }
    sql.push(", ");
    match time {
        Some(time) => time.write_value(sql),
        None => {
            sql.push("pando.t('now')");
        }
    }
    sql.push(", ARRAY[");
    for (index, modifier) in arguments.enumerate() {
        sql.push(if index == 0 { "" } else { ", " });
        modifier.write_text(sql);
    }
    sql.push("]::text[])");
}

/// Appends the text of a side with its ASCII letters in lower case.
pub(crate) fn write_lower(sql: &mut Sql, side: &Operand<'_>) {
    match side.known() {
        Some(value) => {
            sql.bind(SqlValue::Text(value.text().to_ascii_lowercase()));
        }
        None => {
            sql.push("lower(");
            side.write_text(sql);
            sql.push(")");
        }
    }
}

/// Appends a function to join that gives the items of a column.
pub(crate) fn write_each(sql: &mut Sql, column: &Column) {
    let list = column.holds == Holds::Json;
    sql.push(if list { "LATERAL json_array_elements_text(" } else { "LATERAL pando.items(" });
    column.write(sql);
    sql.push(") WITH ORDINALITY");
}

/// Appends that a list holds the id of a row of `table`: once so that an index of the list can
/// tell, and once so that the index of the ids can, since the planner knows no way from one to the
/// other.
pub(crate) fn write_holds_id(sql: &mut Sql, column: &Column, table: &Alias) {
    sql.push("pando.list(");
    column.write(sql);
    sql.push(") @> ARRAY[");
    table.write(sql);
    sql.column("id").push("] AND ");
    table.write(sql);
    sql.column("id").push(" = ANY(pando.list(");
    column.write(sql);
    sql.push("))");
}

/// Appends a function to join that gives the items of a JSON array of the request.
pub(crate) fn write_items(sql: &mut Sql, items: &SqlValue) {
    sql.push("LATERAL pando.items(").bind(items.clone()).push(") WITH ORDINALITY");
}

/// Appends what a subquery of all values selects.
pub(crate) fn write_matched(sql: &mut Sql, value: &Term) {
    let operand = Operand::of(value);
    if operand.is_any() {
        operand.write_value(sql);
        sql.push(" AS matched, ");
        operand.write_text(sql);
        sql.push(" AS matched_text");
    } else {
        if operand.is_text() {
            operand.write_text(sql)
        } else {
            write_term(sql, value)
        }
        sql.push(" AS matched");
    }
}

/// Whether what orders rows by a term can be null; `None` if it is the same in all rows.
pub(crate) fn sort_nullable(term: &Term) -> Option<bool> {
    let operand = Operand::of(term);
    matches!(operand.source, Source::Row(..)).then_some(!operand.always)
}

/// Appends what orders rows by a term.
pub(crate) fn write_sort_key(sql: &mut Sql, term: &Term) {
    let operand = Operand::of(term);
    if operand.is_text() { operand.write_text(sql) } else { write_term(sql, term) }
}
