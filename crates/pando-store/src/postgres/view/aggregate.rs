//! Functions of many rows: aggregates and those of windows.
//!
//! Source: <https://sqlite.org/lang_aggfunc.html>, <https://sqlite.org/windowfunctions.html>.

use super::scope::{Scope, same};
use super::select::sort_key;
use super::tree::{Call, Expr, Over, Window};
use super::typed::{Collate, Kind, Typed};
use super::{Translator, ViewRefused};

pub(super) fn is_aggregate(call: &Call) -> bool {
    match call.name.as_str() {
        "min" | "max" => call.arguments.len() == 1,
        "avg" | "count" | "sum" | "total" | "group_concat" | "string_agg" | "json_group_array"
        | "json_group_object" => true,
        _ => false,
    }
}

/// What surrounds the arguments of an aggregate.
struct Around {
    /// `DISTINCT `, if that is asked for.
    distinct: &'static str,
    /// ` ORDER BY …`, where the order of the rows matters.
    order: String,
    filter: Option<String>,
    /// ` OVER (…)`
    over: String,
    /// ` FILTER (…) OVER (…)`
    after: String,
}

impl Translator<'_> {
    pub(super) fn aggregate(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        call: &Call,
    ) -> Result<Typed, ViewRefused> {
        // Windows look at rows of the result, aggregates at those before it.
        let inner = if call.over.is_some() { scope.clone() } else { scope.of_rows() };
        let arguments: Result<Vec<Typed>, ViewRefused> =
            call.arguments.iter().map(|argument| self.expr(&inner, argument)).collect();
        let arguments = arguments?;
        let filter = call.filter.as_ref().map(|filter| self.expr(&inner, filter)).transpose()?;
        let filter = filter.map(|filter| filter.truth());
        let over = match &call.over {
            Some(over) => format!(" OVER ({})", self.over(&inner, expr, over, &call.name)?),
            None => String::new(),
        };
        let filtered = filter.as_ref().map(|filter| format!(" FILTER (WHERE {filter})"));
        let after = format!("{}{over}", filtered.unwrap_or_default());
        let mut order = Vec::new();
        for term in &call.order {
            order.push(sort_key(&self.expr(&inner, &term.expr)?, term));
        }
        if call.over.is_none() {
            let by = scope.grouping.as_ref().map_or(&[][..], |grouping| &grouping.by);
            order.extend(self.reading_order(&inner, by));
        }
        let order = if order.is_empty() {
            String::new()
        } else {
            format!(" ORDER BY {}", order.join(", "))
        };
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        let around = Around { distinct, order, filter, over, after };
        if let Some(typed) = of_window(call, &arguments, &around) {
            return Ok(typed);
        }
        match (call.name.as_str(), arguments.as_slice()) {
            ("count", []) => Ok(Typed::new(Kind::Int, format!("count(*){}", around.after))),
            ("count", [only]) => Ok(Typed::new(
                Kind::Int,
                format!("count({distinct}{}){}", only.key(), around.after),
            )),
            ("sum", [only]) => Ok(sum(only, &around)),
            ("total", [only]) => {
                let sum = sum_of_reals(&only.float(), &around);
                Ok(Typed::new(Kind::Real, format!("coalesce({sum}, 0)")))
            }
            ("avg", [only]) => {
                let float = only.float();
                let sum = sum_of_reals(&float, &around);
                let sql = format!("({sum} / nullif(count({distinct}{float}){}, 0))", around.after);
                Ok(Typed::new(Kind::Real, sql))
            }
            ("min" | "max", [only]) => self.extreme_of_rows(expr, &call.name, only, &around),
            ("group_concat" | "string_agg", [only]) => {
                self.join(expr, only, &Typed::text_literal(","), &around)
            }
            ("group_concat" | "string_agg", [only, separator]) => {
                self.join(expr, only, separator, &around)
            }
            ("json_group_array", [only]) if !call.distinct => {
                let item = self.json_item(&inner, &call.arguments[0], only)?;
                Ok(json_list("[", &item, "]", &around))
            }
            ("json_group_object", [name, value]) if !call.distinct => {
                let value = self.json_item(&inner, &call.arguments[1], value)?;
                let pair = format!("to_json({})::text || ':' || {value}", name.text());
                Ok(json_list("{", &pair, "}", &around))
            }
            (name, _) => self.refuse(
                expr,
                format!("the function {name} has no translation for these arguments"),
            ),
        }
    }

    fn extreme_of_rows(
        &self,
        expr: &Expr,
        name: &str,
        only: &Typed,
        around: &Around,
    ) -> Result<Typed, ViewRefused> {
        if only.collate.is_some_and(|collate| collate != Collate::Binary) {
            return self.refuse(expr, "min and max by a collation have no translation");
        }
        let comparable = only.comparable();
        let (kind, sql) = match comparable.kind {
            Kind::Bool => (Kind::Int, format!("{name}(({})::int)", comparable.sql)),
            Kind::Any => (Kind::Any, format!("pando.{name}({})", comparable.sql)),
            Kind::Int => (Kind::Int, format!("{name}({})", comparable.sql)),
            Kind::Real | Kind::Number => (comparable.kind, format!("{name}({})", comparable.sql)),
            _ => (Kind::Text, format!("{name}({} COLLATE \"C\")", comparable.text())),
        };
        Ok(Typed::new(kind, format!("{sql}{}", around.after)))
    }

    fn join(
        &self,
        expr: &Expr,
        only: &Typed,
        separator: &Typed,
        around: &Around,
    ) -> Result<Typed, ViewRefused> {
        let Around { order, after, distinct, .. } = around;
        let (text, separator) = (only.text(), separator.text());
        if distinct.is_empty() {
            let sql = format!("string_agg({text}, coalesce({separator}, ''){order}){after}");
            return Ok(Typed::new(Kind::Text, sql));
        }
        if after.contains(" OVER ") {
            return self.refuse(expr, "DISTINCT has no translation in a window");
        }
        let sql = format!("pando.join_distinct(array_agg({text}{order}){after}, {separator})");
        Ok(Typed::new(Kind::Text, sql))
    }

    /// What stands in the parentheses after OVER.
    fn over(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        over: &Over,
        function: &str,
    ) -> Result<String, ViewRefused> {
        let window = match over {
            Over::Window(window) => self.based(scope, expr, window)?,
            Over::Named(name) => {
                self.based(scope, expr, &Window { base: Some(name.clone()), ..Window::default() })?
            }
        };
        let mut parts = Vec::new();
        let mut keys = Vec::new();
        for partition in &window.partition {
            keys.push(self.expr(scope, partition)?.key());
        }
        if !keys.is_empty() {
            parts.push(format!("PARTITION BY {}", keys.join(", ")));
        }
        let mut order = Vec::new();
        for term in &window.order {
            order.push(sort_key(&self.expr(scope, &term.expr)?, term));
        }
        let counts = matches!(function, "row_number" | "ntile" | "lag" | "lead" | "first_value");
        let by_rows = window.frame.starts_with(" ROWS");
        if scope.grouping.is_none()
            && (counts || by_rows)
            && (function != "first_value" || !order.is_empty())
        {
            // What is equal there stays in the order in which it is read.
            order.extend(scope.row_order());
        }
        if !order.is_empty() {
            parts.push(format!("ORDER BY {}", order.join(", ")));
        }
        parts.push(window.frame.trim().to_owned());
        Ok(parts.join(" ").trim().to_owned())
    }

    /// A window with what it takes from the one that it names.
    fn based(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        window: &Window,
    ) -> Result<Window, ViewRefused> {
        let Some(name) = &window.base else { return Ok(window.clone()) };
        let found = scope.windows.iter().find(|(known, _)| same(known, name));
        let Some((_, base)) = found.filter(|(_, base)| base.base.is_none()) else {
            return self.refuse(expr, format!("the window {name} is not known"));
        };
        Ok(Window {
            base: None,
            partition: base.partition.clone(),
            order: if window.order.is_empty() { base.order.clone() } else { window.order.clone() },
            frame: if window.frame.is_empty() { base.frame.clone() } else { window.frame.clone() },
        })
    }
}

/// Functions that are of windows only.
fn of_window(call: &Call, arguments: &[Typed], around: &Around) -> Option<Typed> {
    call.over.as_ref()?;
    let after = &around.after;
    let name = call.name.as_str();
    match (name, arguments) {
        ("row_number" | "rank" | "dense_rank", []) => {
            Some(Typed::new(Kind::Int, format!("{name}(){after}")))
        }
        ("percent_rank" | "cume_dist", []) => {
            Some(Typed::new(Kind::Real, format!("{name}(){after}")))
        }
        ("ntile", [count]) => {
            Some(Typed::new(Kind::Int, format!("ntile(({})::int){after}", count.int())))
        }
        ("first_value" | "last_value", [only]) => {
            let pick = |sql: &String| format!("{name}({sql}){after}");
            Some(only.column(pick(&only.sql), only.whole.as_ref().map(pick)))
        }
        ("lag" | "lead", [only, rest @ ..]) if rest.len() < 2 => {
            let step = rest
                .first()
                .map_or_else(|| "1".to_owned(), |step| format!("({})::int", step.int()));
            let pick = |sql: &String| format!("{name}({sql}, {step}){after}");
            Some(only.column(pick(&only.sql), only.whole.as_ref().map(pick)))
        }
        ("nth_value", [only, place]) => {
            let pick = |sql: &String| format!("nth_value({sql}, ({})::int){after}", place.int());
            Some(only.column(pick(&only.sql), only.whole.as_ref().map(pick)))
        }
        _ => None,
    }
}

/// Integers give an integer; one real number makes it real.
fn sum(only: &Typed, around: &Around) -> Typed {
    let number = only.number();
    let Around { distinct, after, .. } = around;
    match number.kind {
        Kind::Int => Typed::new(Kind::Int, format!("(sum({distinct}{}){after})::int8", number.sql)),
        Kind::Number => {
            let whole = Some(format!("(bool_and({}){after})", number.is_whole()));
            Typed { whole, ..Typed::new(Kind::Number, sum_of_reals(&number.sql, around)) }
        }
        _ => Typed::new(Kind::Real, sum_of_reals(&number.sql, around)),
    }
}

/// SQLite loses no digits between the numbers that it adds. PostgreSQL loses none between integers.
fn sum_of_reals(float: &str, around: &Around) -> String {
    let Around { distinct, filter, over, .. } = around;
    let also = filter.as_ref().map_or_else(String::new, |filter| format!(" AND {filter}"));
    format!(
        "pando.sum_total(sum({distinct}{float}) FILTER (WHERE {float} = trunc({float}){also}){over}, \
         pando.sum_rest({distinct}{float}) FILTER (WHERE {float} <> trunc({float}){also}){over})"
    )
}

fn json_list(start: &str, item: &str, end: &str, around: &Around) -> Typed {
    let Around { order, after, .. } = around;
    let sql =
        format!("('{start}' || coalesce(string_agg({item}, ','{order}){after}, '') || '{end}')");
    Typed { json: true, ..Typed::new(Kind::Text, sql) }
}
