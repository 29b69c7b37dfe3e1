//! Expressions: operators, literals and names.

use super::compare::Compare;
use super::scope::{Meaning, Scope};
use super::select::Rows;
use super::tree::{Among, Binary, ColumnName, Expr, Like, Node, Query, Unary};
use super::typed::{Affinity, Collate, Kind, Typed, common, literal_text};
use super::{BYTES_MAX, Translator, ViewRefused};

impl Translator<'_> {
    pub(super) fn expr(&self, scope: &Scope<'_>, expr: &Expr) -> Result<Typed, ViewRefused> {
        let typed = match self.group_expression(scope, expr) {
            Some(typed) => typed,
            None => self.node(scope, expr)?,
        };
        // Some operators write their operands several times.
        if typed.sql.len() + typed.whole.as_ref().map_or(0, String::len) > BYTES_MAX {
            return self.refuse(expr, "it would become too long");
        }
        Ok(typed)
    }

    fn node(&self, scope: &Scope<'_>, expr: &Expr) -> Result<Typed, ViewRefused> {
        Ok(match &*expr.node {
            Node::Null => Typed::null(),
            Node::Number(number) => Typed::number_literal(number),
            Node::Text(text) => Typed::text_literal(text),
            Node::Name(name) => self.name(scope, expr, name)?,
            Node::Unary(operator, operand) => self.unary(*operator, &self.expr(scope, operand)?),
            Node::Binary(operator, left, right) => {
                self.binary(scope, expr, *operator, left, right)?
            }
            Node::Is { left, right, negated } => self.is(scope, expr, left, right, *negated)?,
            Node::IsNull { operand, negated } => null_test(&self.expr(scope, operand)?, *negated),
            Node::Between { operand, low, high, negated } => {
                let operand = self.expr(scope, operand)?;
                let low =
                    self.compare(expr, &operand, Compare::GreaterOrEqual, &self.expr(scope, low)?)?;
                let high =
                    self.compare(expr, &operand, Compare::LessOrEqual, &self.expr(scope, high)?)?;
                negate(Typed::new(Kind::Bool, format!("({} AND {})", low.sql, high.sql)), *negated)
            }
            Node::In { operand, among, negated } => {
                negate(self.among(scope, expr, operand, among)?, *negated)
            }
            Node::Like { form, operand, pattern, escape, negated } => {
                let like = self.like(scope, *form, operand, pattern, escape.as_ref())?;
                negate(like, *negated)
            }
            Node::Collate(operand, name) => match Collate::parse(name) {
                Some(collate) => Typed { collate: Some(collate), ..self.expr(scope, operand)? },
                None => return self.refuse(expr, format!("there is no collation {name}")),
            },
            Node::Cast(operand, kind) => cast(&self.expr(scope, operand)?, kind),
            Node::Case { base, arms, otherwise } => {
                self.case(scope, base.as_ref(), arms, otherwise.as_ref())?
            }
            Node::Exists(query) => {
                let relation = self.query(query, Some(scope), Rows::All)?;
                Typed::new(Kind::Bool, format!("EXISTS ({})", relation.sql))
            }
            Node::Subquery(query) => self.subquery(scope, expr, query)?,
            Node::Row(_) => return self.refuse(expr, "compare values one by one"),
            Node::Call(call) => self.call(scope, expr, call)?,
        })
    }

    pub(super) fn compare(
        &self,
        expr: &Expr,
        left: &Typed,
        compare: Compare,
        right: &Typed,
    ) -> Result<Typed, ViewRefused> {
        compare.write(left, right).or_else(|reason| self.refuse(expr, reason))
    }

    fn name(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        name: &ColumnName,
    ) -> Result<Typed, ViewRefused> {
        match scope.find(name) {
            Meaning::Column(typed, scope, index) => return Ok(self.grouped(scope, typed, index)),
            Meaning::Alias(alias, scope) => {
                // It is not known in itself.
                let scope = Scope { aliases: Vec::new(), ..scope.clone() };
                return self.expr(&scope, alias);
            }
            Meaning::Nothing => {}
        }
        let clock = |format: &str| {
            let sql = format!("pando.strftime('{format}', pando.t('now'), '{{}}')");
            Ok(Typed::new(Kind::Text, sql))
        };
        match name.column.to_ascii_uppercase().as_str() {
            _ if name.quoted => Ok(Typed::text_literal(&name.column)),
            "TRUE" if name.table.is_none() => Ok(Typed::new(Kind::Bool, "TRUE")),
            "FALSE" if name.table.is_none() => Ok(Typed::new(Kind::Bool, "FALSE")),
            "CURRENT_DATE" => clock("%Y-%m-%d"),
            "CURRENT_TIME" => clock("%H:%M:%S"),
            "CURRENT_TIMESTAMP" => clock("%Y-%m-%d %H:%M:%S"),
            "ROWID" | "_ROWID_" | "OID" => {
                self.refuse(expr, "rows have numbers only in tables of collections")
            }
            _ => self.refuse(expr, "there is no such column"),
        }
    }

    fn unary(&self, operator: Unary, operand: &Typed) -> Typed {
        match operator {
            Unary::Not => Typed::new(Kind::Bool, format!("(NOT {})", operand.truth())),
            Unary::Plus => Typed { affinity: Affinity::None, ..operand.clone() },
            Unary::Invert => Typed::new(Kind::Int, format!("(~ {})", operand.int())),
            Unary::Minus => {
                let number = operand.number();
                let literal = number.literal.as_ref().filter(|literal| !literal.starts_with('-'));
                let literal = literal.map(|literal| format!("-{literal}"));
                // The least integer has no positive counterpart.
                if literal.as_deref() == Some("-9223372036854775808") {
                    return Typed::new(Kind::Int, "'-9223372036854775808'::int8");
                }
                let sql = format!("(-{})", number.sql);
                Typed { literal, whole: number.whole.clone(), ..Typed::new(number.kind, sql) }
            }
        }
    }

    fn binary(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        operator: Binary,
        left: &Expr,
        right: &Expr,
    ) -> Result<Typed, ViewRefused> {
        if matches!(operator, Binary::Part | Binary::PartValue) {
            return self.json_operator(scope, operator, left, right);
        }
        let (l, r) = (self.expr(scope, left)?, self.expr(scope, right)?);
        let compared = |compare| self.compare(expr, &l, compare, &r);
        match operator {
            Binary::Or | Binary::And => {
                let word = if operator == Binary::And { "AND" } else { "OR" };
                Ok(Typed::new(Kind::Bool, format!("({} {word} {})", l.truth(), r.truth())))
            }
            Binary::Equal => compared(Compare::Equal),
            Binary::NotEqual => compared(Compare::NotEqual),
            Binary::Less => compared(Compare::Less),
            Binary::LessOrEqual => compared(Compare::LessOrEqual),
            Binary::Greater => compared(Compare::Greater),
            Binary::GreaterOrEqual => compared(Compare::GreaterOrEqual),
            Binary::BitAnd => Ok(Typed::new(Kind::Int, format!("({} & {})", l.int(), r.int()))),
            Binary::BitOr => Ok(Typed::new(Kind::Int, format!("({} | {})", l.int(), r.int()))),
            Binary::Add => Ok(arithmetic(&l, "+", &r)),
            Binary::Subtract => Ok(arithmetic(&l, "-", &r)),
            Binary::Multiply => Ok(arithmetic(&l, "*", &r)),
            Binary::Divide => Ok(divide(&l, &r)),
            Binary::Remainder => Ok(remainder(&l, &r)),
            Binary::Concat => Ok(Typed::new(Kind::Text, format!("({} || {})", l.text(), r.text()))),
            Binary::ShiftLeft | Binary::ShiftRight | Binary::Part | Binary::PartValue => {
                self.refuse(expr, "this operator has no translation")
            }
        }
    }

    fn is(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        left: &Expr,
        right: &Expr,
        negated: bool,
    ) -> Result<Typed, ViewRefused> {
        let (l, r) = (self.expr(scope, left)?, self.expr(scope, right)?);
        if matches!(&*right.node, Node::Name(_)) && matches!(r.sql.as_str(), "TRUE" | "FALSE") {
            let not = if negated { " NOT" } else { "" };
            return Ok(Typed::new(Kind::Bool, format!("({} IS{not} {})", l.truth(), r.sql)));
        }
        self.compare(expr, &l, if negated { Compare::IsNot } else { Compare::Is }, &r)
    }

    fn among(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        operand: &Expr,
        among: &Among,
    ) -> Result<Typed, ViewRefused> {
        let operand = self.expr(scope, operand)?;
        let items = match among {
            Among::Query(query) => return self.among_rows(scope, expr, &operand, query),
            Among::List(items) => items,
        };
        let mut tests = Vec::new();
        for item in items {
            // Only the left side has a say in what is converted.
            let item = Typed { affinity: Affinity::None, ..self.expr(scope, item)? };
            tests.push(self.compare(expr, &operand, Compare::Equal, &item)?.sql);
        }
        let sql =
            if tests.is_empty() { "FALSE".to_owned() } else { format!("({})", tests.join(" OR ")) };
        Ok(Typed::new(Kind::Bool, sql))
    }

    fn among_rows(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        operand: &Typed,
        query: &Query,
    ) -> Result<Typed, ViewRefused> {
        let relation = self.query(query, Some(scope), Rows::All)?;
        let [column] = relation.columns.as_slice() else {
            return self.refuse(expr, "the query must have one column");
        };
        let alias = self.fresh();
        let column = column.typed.column(format!("{alias}.{}", column.typed.sql), None);
        let sides = Compare::Equal.sides(operand, &column);
        let (left, right) = sides.or_else(|reason| self.refuse(expr, reason))?;
        let sql = format!("({left} IN (SELECT {right} FROM ({}) AS {alias}))", relation.sql);
        Ok(Typed::new(Kind::Bool, sql))
    }

    fn like(
        &self,
        scope: &Scope<'_>,
        form: Like,
        operand: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
    ) -> Result<Typed, ViewRefused> {
        let (text, like) = (self.expr(scope, operand)?.text(), self.expr(scope, pattern)?);
        if form == Like::Glob {
            return Ok(Typed::new(Kind::Bool, format!("pando.glob({}, {text})", like.text())));
        }
        let escape = match escape {
            None => String::new(),
            Some(escape) => match &*escape.node {
                Node::Text(sign) if sign.chars().count() == 1 => sign.to_ascii_lowercase(),
                _ => return self.refuse(escape, "one character must stand here"),
            },
        };
        let pattern = match &like.literal {
            Some(literal) if like.kind == Kind::Text => literal_text(&literal.to_ascii_lowercase()),
            _ => format!("lower({} COLLATE \"C\")", like.text()),
        };
        let escape = literal_text(&escape);
        let sql = format!("(lower({text} COLLATE \"C\") LIKE {pattern} ESCAPE {escape})");
        Ok(Typed::new(Kind::Bool, sql))
    }

    fn case(
        &self,
        scope: &Scope<'_>,
        base: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Result<Typed, ViewRefused> {
        let base = base.map(|base| self.expr(scope, base)).transpose()?;
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (when, then) in arms {
            let test = self.expr(scope, when)?;
            conditions.push(match &base {
                Some(base) => self.compare(when, base, Compare::Equal, &test)?.sql,
                None => test.truth(),
            });
            results.push(self.expr(scope, then)?);
        }
        results.push(match otherwise {
            Some(otherwise) => self.expr(scope, otherwise)?,
            None => Typed::null(),
        });
        Ok(unified(&results, |values| {
            let arms = conditions.iter().zip(values);
            let arms: String =
                arms.map(|(when, then)| format!(" WHEN {when} THEN {then}")).collect();
            let last = values.last().map_or("NULL", String::as_str);
            format!("(CASE{arms} ELSE {last} END)")
        }))
    }

    fn subquery(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        query: &Query,
    ) -> Result<Typed, ViewRefused> {
        let relation = self.query(query, Some(scope), Rows::First)?;
        let [column] = relation.columns.as_slice() else {
            return self.refuse(expr, "the query must have one column");
        };
        let only = |name: &String| {
            let alias = self.fresh();
            format!("(SELECT {alias}.{name} FROM ({}) AS {alias})", relation.sql)
        };
        let sql = match &column.typed.whole {
            Some(_) => only(&column.typed.sql),
            None => format!("({})", relation.sql),
        };
        Ok(column.typed.column(sql, column.typed.whole.as_ref().map(only)))
    }
}

/// Values of one kind, put together by `assemble`: their own, and whether numbers are whole.
pub(super) fn unified(parts: &[Typed], assemble: impl Fn(&[String]) -> String) -> Typed {
    let kind = common(parts.iter().map(|part| part.kind));
    let values: Vec<String> = parts.iter().map(|part| part.as_kind(kind)).collect();
    let mixed = parts.iter().any(|part| part.kind == Kind::Real || part.whole.is_some());
    let whole = (kind == Kind::Number && mixed)
        .then(|| assemble(&parts.iter().map(Typed::is_whole).collect::<Vec<_>>()));
    let json = parts.iter().all(|part| part.json || part.kind == Kind::Null);
    Typed { whole, json, ..Typed::new(kind, assemble(&values)) }
}

pub(super) fn negate(condition: Typed, negated: bool) -> Typed {
    if negated { Typed::new(Kind::Bool, format!("(NOT {})", condition.sql)) } else { condition }
}

pub(super) fn null_test(operand: &Typed, negated: bool) -> Typed {
    let sql = match (operand.kind, negated) {
        // `IS NOT NULL` asks all parts of a value.
        (Kind::Any, true) => format!("(NOT ({} IS NULL))", operand.sql),
        (Kind::Shown, _) => {
            return null_test(&Typed::new(Kind::Any, operand.value()), negated);
        }
        (_, true) => format!("({} IS NOT NULL)", operand.sql),
        (_, false) => format!("({} IS NULL)", operand.sql),
    };
    Typed::new(Kind::Bool, sql)
}

/// Whether the outcome of two numbers is an integer.
fn both_whole(left: &Typed, right: &Typed) -> String {
    match (left.kind, right.kind) {
        (Kind::Int, _) => right.is_whole(),
        (_, Kind::Int) => left.is_whole(),
        _ => format!("({} AND {})", left.is_whole(), right.is_whole()),
    }
}

/// Sums and products: integers stay integers.
fn arithmetic(left: &Typed, sign: &str, right: &Typed) -> Typed {
    let (l, r) = (left.number(), right.number());
    match (l.kind, r.kind) {
        (Kind::Int, Kind::Int) => {
            // Literals are of a smaller type.
            let sql = format!("({}::int8 {sign} {})", l.sql, r.sql);
            Typed::new(Kind::Int, sql)
        }
        (Kind::Real, _) | (_, Kind::Real) => {
            Typed::new(Kind::Real, format!("({} {sign} {})", l.float(), r.float()))
        }
        _ => {
            let steps = sign != "*" && (l.kind == Kind::Int || r.kind == Kind::Int);
            let plain = steps && l.whole.is_none() && r.whole.is_none();
            let whole = (!plain).then(|| both_whole(&l, &r));
            let sql = format!("({} {sign} {})", l.float(), r.float());
            Typed { whole, ..Typed::new(Kind::Number, sql) }
        }
    }
}

/// Without a remainder between integers; by zero it is NULL.
fn divide(left: &Typed, right: &Typed) -> Typed {
    let (l, r) = (left.number(), right.number());
    match (l.kind, r.kind) {
        (Kind::Int, Kind::Int) => {
            Typed::new(Kind::Int, format!("({}::int8 / nullif({}, 0))", l.sql, r.sql))
        }
        (Kind::Real, _) | (_, Kind::Real) => {
            Typed::new(Kind::Real, format!("({} / nullif({}, 0))", l.float(), r.float()))
        }
        _ => {
            let whole = both_whole(&l, &r);
            let exact = format!("({} / nullif({}, 0))", l.float(), r.float());
            let sql = format!("(CASE WHEN {whole} THEN trunc({exact}) ELSE {exact} END)");
            Typed { whole: Some(whole), ..Typed::new(Kind::Number, sql) }
        }
    }
}

/// Of what is left of the numbers without their fractions; by zero it is NULL.
fn remainder(left: &Typed, right: &Typed) -> Typed {
    let (l, r) = (left.number(), right.number());
    let sql = format!("mod({}, nullif({}, 0))", l.int(), r.int());
    match (l.kind, r.kind) {
        (Kind::Int, Kind::Int) => Typed::new(Kind::Int, sql),
        (Kind::Real, _) | (_, Kind::Real) => Typed::new(Kind::Real, format!("({sql})::float8")),
        _ => {
            let whole = Some(both_whole(&l, &r));
            Typed { whole, ..Typed::new(Kind::Number, format!("({sql})::float8")) }
        }
    }
}

/// CAST, by the affinity of the type's name.
///
/// Source: <https://sqlite.org/datatype3.html#determination_of_column_affinity>.
fn cast(operand: &Typed, kind: &str) -> Typed {
    let kind = kind.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    if has(&["INT"]) {
        Typed::new(Kind::Int, operand.int()).with_affinity(Affinity::Numeric)
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Typed::new(Kind::Text, operand.text()).with_affinity(Affinity::Text)
    } else if kind.is_empty() || has(&["BLOB"]) {
        Typed::new(Kind::Bytes, operand.text()).with_affinity(Affinity::Blob)
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        Typed::new(Kind::Real, operand.float()).with_affinity(Affinity::Numeric)
    } else {
        // Texts become integers even if they are written like real numbers.
        let whole = if operand.is_number() { operand.whole.clone() } else { None };
        Typed { literal: None, whole, ..operand.number() }.with_affinity(Affinity::Numeric)
    }
}
