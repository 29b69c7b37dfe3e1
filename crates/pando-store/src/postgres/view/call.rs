//! Functions of one row.
//!
//! Source: <https://sqlite.org/lang_corefunc.html>, <https://sqlite.org/lang_datefunc.html>.

use super::aggregate::is_aggregate;
use super::compare::Compare;
use super::expression::{null_test, unified};
use super::scope::Scope;
use super::tree::{Call, Expr, Node};
use super::typed::{Affinity, Collate, Kind, Typed, common, literal_text};
use super::{Translator, ViewRefused};

impl Translator<'_> {
    pub(super) fn call(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        call: &Call,
    ) -> Result<Typed, ViewRefused> {
        if call.over.is_some() || is_aggregate(call) {
            return self.aggregate(scope, expr, call);
        }
        if call.name.starts_with("json") {
            return self.json_call(scope, expr, call);
        }
        let arguments: Result<Vec<Typed>, ViewRefused> =
            call.arguments.iter().map(|argument| self.expr(scope, argument)).collect();
        let arguments = arguments?;
        if let Some(typed) = of_texts(&call.name, &arguments)
            .or_else(|| of_numbers(&call.name, &arguments))
            .or_else(|| of_times(&call.name, &arguments))
        {
            return Ok(typed);
        }
        match (call.name.as_str(), arguments.as_slice()) {
            ("coalesce" | "ifnull", [_, _, ..]) => Ok(coalesce(&arguments)),
            ("iif" | "if", [condition, then, rest @ ..]) if rest.len() < 2 => {
                let otherwise = rest.first().cloned().unwrap_or_else(Typed::null);
                let condition = condition.truth();
                Ok(unified(&[then.clone(), otherwise], |values| {
                    format!("(CASE WHEN {condition} THEN {} ELSE {} END)", values[0], values[1])
                }))
            }
            ("nullif", [one, other]) => {
                // Functions convert nothing that they compare.
                let [left, right] =
                    [one, other].map(|side| Typed { affinity: Affinity::None, ..side.clone() });
                let same = self.compare(expr, &left, Compare::Equal, &right)?.sql;
                Ok(unified(&[Typed::null(), one.clone()], |values| {
                    format!("(CASE WHEN {same} THEN {} ELSE {} END)", values[0], values[1])
                }))
            }
            ("min" | "max", [_, _, ..]) => self.extreme(expr, &call.name, &arguments),
            ("likely" | "unlikely" | "likelihood", [only, ..]) => Ok(only.clone()),
            ("format" | "printf", [format, rest @ ..]) => self.format(expr, call, format, rest),
            (name, _) => {
                let reason = format!("the function {name} has no translation for these arguments");
                self.refuse(expr, reason)
            }
        }
    }

    /// The least or greatest of several values; NULL if one of them is.
    fn extreme(&self, expr: &Expr, name: &str, arguments: &[Typed]) -> Result<Typed, ViewRefused> {
        if arguments.iter().any(|argument| argument.collate.is_some()) {
            return self.refuse(expr, "values cannot be compared by a collation here");
        }
        let comparable: Vec<Typed> = arguments.iter().map(Typed::comparable).collect();
        let function = if name == "min" { "least" } else { "greatest" };
        let nulls: Vec<String> =
            comparable.iter().map(|argument| null_test(argument, false).sql).collect();
        let text = common(comparable.iter().map(|argument| argument.kind)) == Kind::Text;
        let collate = if text { " COLLATE \"C\"" } else { "" };
        let made = unified(&comparable, |values| {
            let list = values.join(", ");
            format!(
                "(CASE WHEN {} THEN NULL ELSE {function}({list}{collate}) END)",
                nulls.join(" OR ")
            )
        });
        if made.whole.is_none() {
            return Ok(made);
        }
        // Of equal ones, the least is the last and the greatest the first.
        let mut whole: Vec<String> = comparable
            .iter()
            .map(|it| format!(" WHEN {} = {} THEN {}", it.float(), made.sql, it.is_whole()))
            .collect();
        if name == "min" {
            whole.reverse();
        }
        Ok(Typed { whole: Some(format!("(CASE{} END)", whole.concat())), ..made })
    }

    fn format(
        &self,
        expr: &Expr,
        call: &Call,
        format: &Typed,
        arguments: &[Typed],
    ) -> Result<Typed, ViewRefused> {
        let known = match call.arguments.first().map(|argument| &*argument.node) {
            Some(Node::Text(text)) => formats_known(text),
            _ => false,
        };
        if !known {
            let reason = "the format must be a literal of %d, %i, %s, %f, %x, %c and %%";
            return self.refuse(expr, reason);
        }
        let values: Vec<String> = arguments.iter().map(Typed::value).collect();
        let sql =
            format!("pando.printf({}, ARRAY[{}]::pando.value[])", format.sql, values.join(", "));
        Ok(Typed::new(Kind::Text, sql))
    }
}

/// Whether `pando.printf` knows all that a format asks for.
fn formats_known(format: &str) -> bool {
    format.split('%').skip(1).enumerate().all(|(index, part)| {
        // The second of two signs of percent has nothing before the next one.
        let flags = part.trim_start_matches(|c: char| "-+ 0,.".contains(c) || c.is_ascii_digit());
        match flags.chars().next() {
            Some(conversion) => "disfxXc".contains(conversion) || index > 0,
            None => true,
        }
    })
}

fn coalesce(arguments: &[Typed]) -> Typed {
    let nulls: Vec<String> =
        arguments.iter().map(|argument| null_test(argument, true).sql).collect();
    let kind = common(arguments.iter().map(|argument| argument.kind));
    let made = unified(arguments, |values| format!("coalesce({})", values.join(", ")));
    if made.whole.is_none() {
        return Typed { kind, ..made };
    }
    let whole = nulls
        .iter()
        .zip(arguments)
        .map(|(there, argument)| format!(" WHEN {there} THEN {}", argument.is_whole()));
    Typed { whole: Some(format!("(CASE{} END)", whole.collect::<String>())), ..made }
}

fn text(sql: String) -> Option<Typed> {
    Some(Typed::new(Kind::Text, sql))
}

fn int(sql: String) -> Option<Typed> {
    Some(Typed::new(Kind::Int, sql))
}

fn real(sql: String) -> Option<Typed> {
    Some(Typed::new(Kind::Real, sql))
}

fn of_texts(name: &str, arguments: &[Typed]) -> Option<Typed> {
    let trim = if name == "trim" { "btrim" } else { name };
    match (name, arguments) {
        ("lower" | "upper", [only]) => text(format!("{name}({} COLLATE \"C\")", only.text())),
        ("length", [only]) => int(format!("length({})", only.text())),
        ("octet_length", [only]) => int(format!("octet_length({})", only.text())),
        ("trim" | "ltrim" | "rtrim", [only]) => text(format!("{trim}({}, ' ')", only.text())),
        ("trim" | "ltrim" | "rtrim", [from, signs]) => {
            text(format!("{trim}({}, {})", from.text(), signs.text()))
        }
        ("substr" | "substring", [from, start]) => {
            text(format!("pando.substr({}, {})", from.text(), start.int()))
        }
        ("substr" | "substring", [from, start, length]) => {
            text(format!("pando.substr({}, {}, {})", from.text(), start.int(), length.int()))
        }
        ("instr", [one, other]) => int(format!("strpos({}, {})", one.text(), other.text())),
        ("replace", [from, old, new]) => {
            text(format!("replace({}, {}, {})", from.text(), old.text(), new.text()))
        }
        ("hex", [only]) => {
            text(format!("upper(encode(convert_to(coalesce({}, ''), 'UTF8'), 'hex'))", only.text()))
        }
        ("unicode", [only]) => int(format!("nullif(ascii({}), 0)", only.text())),
        ("char", [_, ..]) => {
            let signs: Vec<String> =
                arguments.iter().map(|code| format!("pando.char({})", code.int())).collect();
            text(format!("concat({})", signs.join(", ")))
        }
        ("concat" | "concat_ws", [_, ..]) => {
            let texts: Vec<String> = arguments.iter().map(Typed::text).collect();
            text(format!("{name}({})", texts.join(", ")))
        }
        ("glob", [pattern, from]) => {
            let sql = format!("pando.glob({}, {})", pattern.text(), from.text());
            Some(Typed::new(Kind::Bool, sql))
        }
        ("like", [pattern, from]) => {
            let lower = |side: &Typed| Collate::NoCase.applied(&side.text());
            let sql = format!("({} LIKE {} ESCAPE '')", lower(from), lower(pattern));
            Some(Typed::new(Kind::Bool, sql))
        }
        ("typeof", [only]) => text(format!("pando.value_type({})", type_of(only))),
        _ => None,
    }
}

/// What `pando.value_type` tells the type of: the value, and whether it is no integer for sure.
fn type_of(typed: &Typed) -> String {
    match typed.kind {
        Kind::Real => format!("{}, FALSE", typed.value()),
        Kind::Number => format!("{}, {}", typed.value(), typed.is_whole()),
        _ => format!("{}, NULL", typed.value()),
    }
}

fn of_numbers(name: &str, arguments: &[Typed]) -> Option<Typed> {
    match (name, arguments) {
        ("abs", [only]) => {
            let number = only.number();
            let int8 = if number.kind == Kind::Int { "::int8" } else { "" };
            let sql = format!("abs({}{int8})", number.sql);
            Some(Typed { sql, literal: None, ..number })
        }
        ("sign", [only]) => int(format!("sign(pando.float({}))::int8", only.value())),
        ("round", [only]) => real(format!("pando.round({}, 0)", only.float())),
        ("round", [only, digits]) => {
            real(format!("pando.round({}, {})", only.float(), digits.int()))
        }
        ("random", []) => int("pando.random()".to_owned()),
        ("acos" | "cos" | "sin" | "radians", [only]) => {
            real(format!("pando.{name}(pando.float({}))", only.value()))
        }
        _ => None,
    }
}

fn of_times(name: &str, arguments: &[Typed]) -> Option<Typed> {
    let (format, times) = match (name, arguments) {
        ("date", times) => ("'%Y-%m-%d'".to_owned(), times),
        ("time", times) => ("'%H:%M:%S'".to_owned(), times),
        ("datetime", times) => ("'%Y-%m-%d %H:%M:%S'".to_owned(), times),
        ("julianday", times) => ("'%J'".to_owned(), times),
        ("unixepoch", times) => ("'%s'".to_owned(), times),
        ("strftime", [format, times @ ..]) => (format.text(), times),
        _ => return None,
    };
    let time =
        times.first().map_or_else(|| format!("pando.t({})", literal_text("now")), Typed::value);
    let modifiers: Vec<String> = times.iter().skip(1).map(Typed::text).collect();
    let sql = format!("pando.strftime({format}, {time}, ARRAY[{}]::text[])", modifiers.join(", "));
    match name {
        "julianday" => real(format!("({sql})::float8")),
        "unixepoch" => int(format!("({sql})::int8")),
        _ => text(sql),
    }
}
