//! The expressions of indexes: the small part of SQLite's language that means the same in
//! PostgreSQL once it is typed. All else is refused, with the reason.

use pando_schema::{Collection, Field, FieldKind};

use super::quoted;
use crate::postgres::collate::Collate;
use scan::{Token, scan};

mod scan;

/// Parentheses in each other at most.
const DEPTH_MAX: usize = 32;

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    Null,
    /// A value at a path in JSON, of any type.
    Any,
}

pub(super) fn collate(name: &str) -> Result<Collate, String> {
    Collate::parse(name).ok_or_else(|| format!("there is no collation {name}"))
}

/// A translated expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Typed {
    pub(super) sql: String,
    pub(super) kind: Kind,
    pub(super) collate: Collate,
    /// What it says, if it is a literal text or number.
    literal: Option<String>,
}

impl Typed {
    fn new(sql: String, kind: Kind) -> Typed {
        Typed { sql, kind, collate: Collate::Binary, literal: None }
    }

    fn text(literal: String) -> Typed {
        let sql = format!("'{}'", literal.replace('\'', "''"));
        Typed { literal: Some(literal), ..Typed::new(sql, Kind::Text) }
    }

    /// A literal as it compares with something of that kind; anything else as it is.
    fn beside(self, kind: Kind) -> Typed {
        let Some(literal) = self.literal.clone() else { return self };
        let whole = literal.bytes().all(|byte| byte.is_ascii_digit());
        match (self.kind, kind, literal.as_str()) {
            (Kind::Number, Kind::Bool, "0") => Typed::new("FALSE".to_owned(), Kind::Bool),
            (Kind::Number, Kind::Bool, "1") => Typed::new("TRUE".to_owned(), Kind::Bool),
            // Whole numbers only: the text of others has many forms.
            (Kind::Number, Kind::Text, _) if whole => Typed::text(literal),
            (Kind::Text, Kind::Number, _) if whole && !literal.is_empty() => {
                Typed::new(literal, Kind::Number)
            }
            _ => self,
        }
    }

    /// With what its collation does to texts.
    pub(super) fn collated(self) -> Typed {
        let sql = match self.collate {
            _ if self.kind != Kind::Text => self.sql,
            Collate::Binary => self.sql,
            Collate::NoCase => format!("lower({})", self.sql),
            Collate::RightTrim => format!("rtrim({}, ' ')", self.sql),
        };
        Typed { sql, collate: Collate::Binary, ..self }
    }
}

/// A column by its name, which SQLite compares without regard to case.
pub(super) fn column(collection: &Collection, name: &str) -> Option<Typed> {
    let field = collection.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    if let Some(field) = field {
        return Some(of_field(field));
    }
    let row = ["rowid", "_rowid_", "oid"].iter().any(|row| row.eq_ignore_ascii_case(name));
    row.then(|| Typed::new("\"_n\"".to_owned(), Kind::Number))
}

fn of_field(field: &Field) -> Typed {
    let sql = quoted(&field.name);
    match &field.kind {
        FieldKind::Number { .. } => Typed::new(sql, Kind::Number),
        FieldKind::Bool { .. } => Typed::new(sql, Kind::Bool),
        FieldKind::Json { .. } | FieldKind::GeoPoint { .. } => {
            Typed::new(format!("({sql}::text)"), Kind::Text)
        }
        _ if field.multiple() => Typed::new(format!("({sql}::text)"), Kind::Text),
        FieldKind::Text { .. }
        | FieldKind::Editor { .. }
        | FieldKind::Email { .. }
        | FieldKind::Url { .. }
        | FieldKind::Date { .. }
        | FieldKind::Autodate { .. }
        | FieldKind::Select { .. }
        | FieldKind::File { .. }
        | FieldKind::Relation { .. }
        | FieldKind::Password { .. } => Typed::new(sql, Kind::Text),
    }
}

/// An expression that an index orders by.
pub(super) fn value(collection: &Collection, text: &str) -> Result<Typed, String> {
    let tokens = scan(text)?;
    let mut parser = Parser { collection, tokens: &tokens, depth: 0 };
    let value = parser.or()?;
    parser.end()?;
    Ok(value)
}

/// The condition of a partial index.
pub(super) fn condition(collection: &Collection, text: &str) -> Result<String, String> {
    value(collection, text).and_then(truth)
}

fn truth(value: Typed) -> Result<String, String> {
    match value.kind {
        Kind::Bool => Ok(value.sql),
        Kind::Number => Ok(format!("{} <> 0", value.sql)),
        Kind::Text | Kind::Null | Kind::Any => Err(format!("{} is no condition", value.sql)),
    }
}

struct Parser<'p> {
    collection: &'p Collection,
    tokens: &'p [Token],
    depth: usize,
}

impl Parser<'_> {
    fn end(&self) -> Result<(), String> {
        match self.tokens.first() {
            None => Ok(()),
            Some(token) => Err(format!("{token} is not expected")),
        }
    }

    fn next(&mut self) -> Result<&Token, String> {
        let (first, rest) = self.tokens.split_first().ok_or("it ends too early")?;
        self.tokens = rest;
        Ok(first)
    }

    /// Takes the next token if it is that word or sign.
    fn take(&mut self, word: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| token.is(word));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) { Ok(()) } else { Err(format!("{word} is expected")) }
    }

    fn or(&mut self) -> Result<Typed, String> {
        self.joined("OR", Parser::and)
    }

    fn and(&mut self) -> Result<Typed, String> {
        self.joined("AND", Parser::not)
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Typed, String>,
    ) -> Result<Typed, String> {
        let first = part(self)?;
        if !self.tokens.first().is_some_and(|token| token.is(word)) {
            return Ok(first);
        }
        let mut sql = truth(first)?;
        while self.take(word) {
            sql = format!("{sql} {word} {}", truth(part(self)?)?);
        }
        Ok(Typed::new(format!("({sql})"), Kind::Bool))
    }

    fn not(&mut self) -> Result<Typed, String> {
        let mut negations = 0;
        while self.take("NOT") {
            negations += 1;
        }
        let value = self.comparison()?;
        if negations == 0 {
            return Ok(value);
        }
        let not = if negations % 2 == 1 { "NOT " } else { "" };
        Ok(Typed::new(format!("({not}{})", truth(value)?), Kind::Bool))
    }

    fn comparison(&mut self) -> Result<Typed, String> {
        let left = self.operand()?;
        let signs = [
            ("==", "="),
            ("=", "="),
            ("!=", "<>"),
            ("<>", "<>"),
            ("<=", "<="),
            (">=", ">="),
            ("<", "<"),
            (">", ">"),
        ];
        if let Some((_, sign)) = signs.iter().find(|(written, _)| self.take(written)) {
            let right = self.operand()?;
            return compare(left, sign, right);
        }
        if self.take("IS") {
            return self.is(left);
        }
        let negated = self.take("NOT");
        if self.take("ISNULL") || self.take("NOTNULL") || (negated && self.take("NULL")) {
            return Err("write IS NULL or IS NOT NULL".to_owned());
        }
        if self.take("BETWEEN") {
            let low = self.operand()?;
            self.expect("AND")?;
            let high = self.operand()?;
            let low = compare(left.clone(), ">=", low)?.sql;
            let high = compare(left, "<=", high)?.sql;
            let not = if negated { "NOT " } else { "" };
            return Ok(Typed::new(format!("({not}({low} AND {high}))"), Kind::Bool));
        }
        if negated { Err("NOT is not expected".to_owned()) } else { Ok(left) }
    }

    /// What comes after `IS`.
    fn is(&mut self, left: Typed) -> Result<Typed, String> {
        let equal = !self.take("NOT");
        let right = self.operand()?;
        if right.kind == Kind::Null {
            let sign = if equal { "IS NULL" } else { "IS NOT NULL" };
            return Ok(Typed::new(format!("({} {sign})", left.sql), Kind::Bool));
        }
        let sign = if equal { "IS NOT DISTINCT FROM" } else { "IS DISTINCT FROM" };
        compare(left, sign, right)
    }

    fn operand(&mut self) -> Result<Typed, String> {
        let mut value = self.primary()?;
        while self.take("COLLATE") {
            value.collate = match self.next()? {
                Token::Name(name) | Token::Quoted(name) => collate(name)?,
                token => return Err(format!("{token} is no collation")),
            };
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<Typed, String> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err("it is nested too deep".to_owned());
            }
            let value = self.or()?;
            self.expect(")")?;
            self.depth -= 1;
            return Ok(value);
        }
        let sign = if self.take("-") { "-" } else { "" };
        let collection = self.collection;
        match self.next()? {
            Token::Number(number) => {
                let literal = format!("{sign}{number}");
                Ok(Typed { literal: Some(literal.clone()), ..Typed::new(literal, Kind::Number) })
            }
            token if !sign.is_empty() => Err(format!("{token} is no number")),
            Token::Text(text) => Ok(Typed::text(text.clone())),
            Token::Quoted(name) => {
                Ok(column(collection, name).unwrap_or_else(|| Typed::text(name.clone())))
            }
            Token::Column(name) => column(collection, name).ok_or_else(|| unknown(name)),
            Token::Name(name) => {
                let name = name.clone();
                self.named(&name)
            }
            token @ Token::Sign(_) => Err(format!("{token} is not expected")),
        }
    }

    /// A keyword, a function or a column.
    fn named(&mut self, name: &str) -> Result<Typed, String> {
        let upper = name.to_ascii_uppercase();
        if self.take("(") {
            return self.call(&upper);
        }
        match upper.as_str() {
            "NULL" => Ok(Typed::new("NULL".to_owned(), Kind::Null)),
            "TRUE" | "FALSE" => Ok(Typed::new(upper, Kind::Bool)),
            _ => column(self.collection, name).ok_or_else(|| unknown(name)),
        }
    }

    fn call(&mut self, function: &str) -> Result<Typed, String> {
        let mut arguments = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.operand()?);
        }
        let texts = arguments.iter().all(|argument| argument.kind == Kind::Text);
        match (function, arguments.as_slice()) {
            ("LOWER" | "UPPER" | "TRIM" | "LTRIM" | "RTRIM" | "LENGTH", [only]) if texts => {
                let kind = if function == "LENGTH" { Kind::Number } else { Kind::Text };
                Ok(Typed::new(format!("{}({})", function.to_ascii_lowercase(), only.sql), kind))
            }
            ("ABS", [only]) if only.kind == Kind::Number => {
                Ok(Typed::new(format!("abs({})", only.sql), Kind::Number))
            }
            ("COALESCE" | "IFNULL", [one, other]) if one.kind == other.kind => {
                Ok(Typed::new(format!("COALESCE({}, {})", one.sql, other.sql), one.kind))
            }
            ("JSON_EXTRACT", [column, Typed { literal: Some(path), .. }]) if texts => {
                json_path(&column.sql, path)
            }
            _ => Err(format!("the function {function} is not known for these arguments")),
        }
    }
}

fn unknown(name: &str) -> String {
    format!("there is no column {name}")
}

/// The value at a path of names, as filters read it.
fn json_path(column: &str, path: &str) -> Result<Typed, String> {
    let column = column.strip_prefix('(').and_then(|column| column.strip_suffix("::text)"));
    let (Some(column), Some(path)) = (column, path.strip_prefix('$')) else {
        return Err("only paths into JSON columns are known".to_owned());
    };
    let word = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let names: Vec<&str> = path.split('.').skip(1).collect();
    if !(path.is_empty() || path.starts_with('.')) || !names.iter().all(|name| word(name)) {
        return Err(format!("the path ${path} is not one of names"));
    }
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    Ok(Typed::new(format!("pando.json({column}, '{{{}}}')", names.join(",")), Kind::Any))
}

/// Two values of one type. A literal takes the type of the other side, as in SQLite.
fn compare(left: Typed, sign: &str, right: Typed) -> Result<Typed, String> {
    let collate = if left.collate == Collate::Binary { right.collate } else { left.collate };
    let (left_kind, right_kind) = (left.kind, right.kind);
    let (left, right) = (left.beside(right_kind), right.beside(left_kind));
    if left.kind != right.kind || !matches!(left.kind, Kind::Text | Kind::Number | Kind::Bool) {
        return Err(format!("{} and {} are of different types", left.sql, right.sql));
    }
    let [left, right] = [left, right].map(|side| Typed { collate, ..side }.collated().sql);
    Ok(Typed::new(format!("({left} {sign} {right})"), Kind::Bool))
}
