//! Functions and operators of JSON.
//!
//! Source: <https://sqlite.org/json1.html>.

use super::scope::Scope;
use super::tree::{Binary, Call, Expr, Node};
use super::typed::{Kind, Typed, literal_text};
use super::{Translator, ViewRefused};

/// A value as a document.
pub(super) fn document(typed: &Typed) -> String {
    match typed.kind {
        Kind::List | Kind::Document => typed.sql.clone(),
        _ => format!("pando.json_doc({})", typed.text()),
    }
}

fn json_text(sql: String) -> Typed {
    Typed { json: true, ..Typed::new(Kind::Text, sql) }
}

impl Translator<'_> {
    pub(super) fn json_call(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        call: &Call,
    ) -> Result<Typed, ViewRefused> {
        let arguments = call.arguments.as_slice();
        let part = |document: &Expr, path: Option<&Expr>| self.json_part(scope, document, path);
        match (call.name.as_str(), arguments) {
            ("json", [only]) => {
                let text = format!("pando.json_compact(({})::text, FALSE)", part(only, None)?);
                Ok(json_text(text))
            }
            ("json_extract", [document, path]) => self.json_value(scope, document, path),
            ("json_extract", [document, paths @ ..]) if !paths.is_empty() => {
                let mut items = Vec::new();
                for path in paths {
                    items
                        .push(format!("coalesce(({})::text, 'null')", part(document, Some(path))?));
                }
                Ok(json_text(format!("('[' || {} || ']')", items.join(" || ',' || "))))
            }
            ("json_array_length", [document, path @ ..]) if path.len() < 2 => {
                let part = part(document, path.first())?;
                Ok(Typed::new(Kind::Int, format!("pando.json_array_length({part})")))
            }
            ("json_type", [document, path @ ..]) if path.len() < 2 => {
                let part = part(document, path.first())?;
                Ok(Typed::new(Kind::Text, format!("pando.json_type({part})")))
            }
            ("json_valid", [only]) => {
                let sql = format!("pando.json_valid({})", self.expr(scope, only)?.text());
                Ok(Typed::new(Kind::Bool, sql))
            }
            ("json_quote", [only]) => {
                let typed = self.expr(scope, only)?;
                Ok(json_text(self.json_item(scope, only, &typed)?))
            }
            ("json_array", items) => {
                let mut texts = Vec::new();
                for item in items {
                    texts.push(self.json_item(scope, item, &self.expr(scope, item)?)?);
                }
                let list =
                    if texts.is_empty() { "''".to_owned() } else { texts.join(" || ',' || ") };
                Ok(json_text(format!("('[' || {list} || ']')")))
            }
            ("json_object", pairs) if pairs.len() % 2 == 0 => {
                let mut texts = Vec::new();
                for pair in pairs.chunks(2) {
                    let name = self.expr(scope, &pair[0])?.text();
                    let value = self.json_item(scope, &pair[1], &self.expr(scope, &pair[1])?)?;
                    texts.push(format!("to_json({name})::text || ':' || {value}"));
                }
                let list =
                    if texts.is_empty() { "''".to_owned() } else { texts.join(" || ',' || ") };
                Ok(json_text(format!("('{{' || {list} || '}}')")))
            }
            (name, _) => self.refuse(expr, format!("the function {name} has no translation")),
        }
    }

    pub(super) fn json_operator(
        &self,
        scope: &Scope<'_>,
        operator: Binary,
        left: &Expr,
        right: &Expr,
    ) -> Result<Typed, ViewRefused> {
        if operator == Binary::PartValue {
            return self.json_value(scope, left, right);
        }
        let part = self.json_part(scope, left, Some(right))?;
        Ok(json_text(format!("pando.json_compact(({part})::text, FALSE)")))
    }

    /// The value at a path.
    fn json_value(
        &self,
        scope: &Scope<'_>,
        document: &Expr,
        path: &Expr,
    ) -> Result<Typed, ViewRefused> {
        let document = self::document(&self.expr(scope, document)?);
        let sql = format!("pando.json_at({document}, {})", self.path(scope, path)?);
        Ok(Typed::new(Kind::Any, sql))
    }

    /// The part of a document at a path, as `json`.
    fn json_part(
        &self,
        scope: &Scope<'_>,
        document: &Expr,
        path: Option<&Expr>,
    ) -> Result<String, ViewRefused> {
        let document = self::document(&self.expr(scope, document)?);
        Ok(match path {
            Some(path) => format!("pando.json_walk({document}, {})", self.path(scope, path)?),
            None => document,
        })
    }

    /// A value as it stands in a document, as text.
    pub(super) fn json_item(
        &self,
        scope: &Scope<'_>,
        expr: &Expr,
        typed: &Typed,
    ) -> Result<String, ViewRefused> {
        // What is taken out of a document needs no quotes if it is a list or an object.
        if let Node::Call(Call { name, arguments, .. }) = &*expr.node
            && let ("json_extract", [document, path]) = (name.as_str(), arguments.as_slice())
        {
            let part = self.json_part(scope, document, Some(path))?;
            return Ok(format!("coalesce(({part})::text, 'null')"));
        }
        Ok(match typed.kind {
            Kind::Null => "'null'".to_owned(),
            Kind::Text if typed.json => format!("coalesce({}, 'null')", typed.sql),
            Kind::Text | Kind::List | Kind::Bytes => {
                format!("coalesce(to_json({})::text, 'null')", typed.text())
            }
            Kind::Int | Kind::Real | Kind::Number | Kind::Bool => {
                format!("coalesce({}, 'null')", typed.text())
            }
            Kind::Document | Kind::Shown | Kind::Any => {
                format!("pando.value_quoted({})", typed.value())
            }
        })
    }

    /// The steps of a path, as `pando.json_walk` takes them.
    pub(super) fn path(&self, scope: &Scope<'_>, path: &Expr) -> Result<String, ViewRefused> {
        let literal = match &*path.node {
            Node::Number(number) => Some(format!("$[{number}]")),
            Node::Text(text) if text.starts_with('$') => Some(text.clone()),
            Node::Text(text) => Some(format!("$.\"{text}\"")),
            _ => self.expr(scope, path)?.literal,
        };
        let steps = literal.as_deref().and_then(steps);
        let Some(steps) = steps else {
            return self.refuse(path, "a path like '$.name[0]' must stand here as a literal");
        };
        let quoted: Vec<String> = steps
            .iter()
            .map(|step| format!("\"{}\"", step.replace('\\', "\\\\").replace('"', "\\\"")))
            .collect();
        Ok(format!("{}::text[]", literal_text(&format!("{{{}}}", quoted.join(",")))))
    }
}

/// Names, and positions after a `#`; those from the end are negative.
fn steps(path: &str) -> Option<Vec<String>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix(".\"") {
            let end = name.find('"')?;
            steps.push(name[..end].to_owned());
            rest = &name[end + 1..];
        } else if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            steps.push(name[..end].to_owned());
            rest = &name[end..];
        } else {
            let position = rest.strip_prefix('[')?;
            let end = position.find(']')?;
            let number = position[..end].strip_prefix('#').unwrap_or(&position[..end]);
            let number: i32 = number.parse().ok()?;
            // Only counted from the end are they negative.
            if (number < 0) != position.starts_with('#') {
                return None;
            }
            steps.push(format!("#{number}"));
            rest = &position[end + 1..];
            continue;
        }
        if steps.last().is_some_and(|name| name.is_empty() || name.starts_with('#')) {
            return None;
        }
    }
    Some(steps)
}
