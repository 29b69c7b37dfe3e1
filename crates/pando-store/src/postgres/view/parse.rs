//! Reads a query in SQLite's language.
//!
//! SQLite itself has taken the query before, so that what is not understood here is rare rather
//! than wrong: it is refused.
//!
//! Source: <https://sqlite.org/lang_select.html>.

use std::ops::Range;

use super::ViewRefused;
use super::scan::{Lexeme, Token, scan};
use super::tree::{
    Compound, Constraint, Core, Expr, Join, Joined, Named, OrderTerm, Query, ResultColumn, Select,
    Source, Window,
};

mod expression;

/// Levels of queries and parentheses in each other at most: each takes some of the stack.
const LEVELS_MAX: usize = 24;

/// Words that end what stands before them and so are no names of it.
const RESERVED: [&str; 34] = [
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "ON",
    "USING",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "CROSS",
    "NATURAL",
    "OUTER",
    "AND",
    "OR",
    "NOT",
    "IS",
    "IN",
    "LIKE",
    "GLOB",
    "BETWEEN",
    "ISNULL",
    "NOTNULL",
    "COLLATE",
    "ESCAPE",
    "AS",
];

pub(super) fn parse(query: &str) -> Result<Query, ViewRefused> {
    let lexemes = scan(query)?;
    let mut parser = Parser { text: query, lexemes: &lexemes, at: 0, levels: 0 };
    let read = if parser.starts_query(0) { parser.query()? } else { parser.table_alone()? };
    parser.take(";");
    if parser.at < lexemes.len() {
        return Err(parser.unexpected());
    }
    Ok(read)
}

pub(super) struct Parser<'q> {
    text: &'q str,
    lexemes: &'q [Lexeme],
    at: usize,
    levels: usize,
}

type Read<T> = Result<T, ViewRefused>;

impl<'q> Parser<'q> {
    fn peek(&self, ahead: usize) -> Option<&'q Token> {
        self.lexemes.get(self.at + ahead).map(|lexeme| &lexeme.token)
    }

    fn is(&self, ahead: usize, word: &str) -> bool {
        match self.peek(ahead) {
            Some(Token::Word(found)) => found.eq_ignore_ascii_case(word),
            Some(Token::Sign(found)) => *found == word,
            Some(Token::Name(_) | Token::Quoted(_) | Token::Text(_) | Token::Number(_)) | None => {
                false
            }
        }
    }

    /// Takes the next token if it is that word or sign.
    fn take(&mut self, word: &str) -> bool {
        let found = self.is(0, word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Read<()> {
        if self.take(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> ViewRefused {
        let start = self.start();
        let part: String = self.text[start..].chars().take(40).collect();
        ViewRefused { part, reason: "it is not understood at this place".to_owned() }
    }

    /// Where the next token starts.
    fn start(&self) -> usize {
        self.lexemes.get(self.at).map_or(self.text.len(), |lexeme| lexeme.span.start)
    }

    /// From a start to the end of the last token.
    fn since(&self, start: usize) -> Range<usize> {
        let end = self.at.checked_sub(1).and_then(|last| self.lexemes.get(last));
        start..end.map_or(start, |lexeme| lexeme.span.end.max(start))
    }

    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.levels += 1;
        if self.levels > LEVELS_MAX {
            return Err(ViewRefused {
                reason: "it is nested too deep".to_owned(),
                ..self.unexpected()
            });
        }
        let outcome = part(self);
        self.levels -= 1;
        outcome
    }

    /// One or more, with commas between them.
    fn list<T>(&mut self, mut part: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut items = vec![part(self)?];
        while self.take(",") {
            items.push(part(self)?);
        }
        Ok(items)
    }

    /// A name, in any quotes.
    fn name(&mut self) -> Read<String> {
        let name = match self.peek(0) {
            Some(
                Token::Word(name) | Token::Name(name) | Token::Quoted(name) | Token::Text(name),
            ) => name.clone(),
            Some(Token::Number(_) | Token::Sign(_)) | None => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(name)
    }

    /// A name with or without `AS` before it.
    fn alias(&mut self) -> Read<Option<String>> {
        if self.take("AS") {
            return self.name().map(Some);
        }
        match self.peek(0) {
            Some(Token::Word(word)) if reserved(word) => Ok(None),
            Some(Token::Word(_) | Token::Name(_) | Token::Quoted(_) | Token::Text(_)) => {
                self.name().map(Some)
            }
            Some(Token::Number(_) | Token::Sign(_)) | None => Ok(None),
        }
    }

    fn starts_query(&self, ahead: usize) -> bool {
        ["SELECT", "VALUES", "WITH"].iter().any(|word| self.is(ahead, word))
    }

    /// What may stand after FROM is a query, too: PocketBase selects from what it is given.
    fn table_alone(&mut self) -> Read<Query> {
        let select = Select {
            distinct: false,
            columns: vec![ResultColumn::All],
            from: self.joins()?,
            filter: None,
            group: Vec::new(),
            having: None,
            windows: Vec::new(),
        };
        Ok(Query {
            with: Vec::new(),
            first: Core::Select(Box::new(select)),
            rest: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
        })
    }

    pub(super) fn query(&mut self) -> Read<Query> {
        self.nested(Parser::whole_query)
    }

    fn whole_query(&mut self) -> Read<Query> {
        let with = if self.take("WITH") { self.named_queries()? } else { Vec::new() };
        let first = self.core()?;
        let mut rest = Vec::new();
        loop {
            let union = if self.take("UNION") {
                if self.take("ALL") { Compound::All } else { Compound::Union }
            } else if self.take("EXCEPT") {
                Compound::Except
            } else if self.take("INTERSECT") {
                Compound::Intersect
            } else {
                break;
            };
            rest.push((union, self.core()?));
        }
        let order = self.order()?;
        let (mut limit, mut offset) = (None, None);
        if self.take("LIMIT") {
            limit = Some(self.expr()?);
            if self.take("OFFSET") {
                offset = Some(self.expr()?);
            } else if self.take(",") {
                offset = limit.replace(self.expr()?);
            }
        }
        Ok(Query { with, first, rest, order, limit, offset })
    }

    fn named_queries(&mut self) -> Read<Vec<Named>> {
        if self.is(0, "RECURSIVE") {
            let reason = "recursive queries have no translation".to_owned();
            return Err(ViewRefused { reason, ..self.unexpected() });
        }
        self.list(|parser| {
            let name = parser.name()?;
            let columns = if parser.is(0, "(") { parser.names()? } else { Vec::new() };
            parser.expect("AS")?;
            if parser.take("NOT") {
                parser.expect("MATERIALIZED")?;
            } else {
                parser.take("MATERIALIZED");
            }
            parser.expect("(")?;
            let query = parser.query()?;
            parser.expect(")")?;
            Ok(Named { name, columns, query })
        })
    }

    fn names(&mut self) -> Read<Vec<String>> {
        self.expect("(")?;
        let names = self.list(Parser::name)?;
        self.expect(")")?;
        Ok(names)
    }

    fn order(&mut self) -> Read<Vec<OrderTerm>> {
        if !self.take("ORDER") {
            return Ok(Vec::new());
        }
        self.expect("BY")?;
        self.list(|parser| {
            let expr = parser.expr()?;
            let descending = if parser.take("DESC") {
                true
            } else {
                parser.take("ASC");
                false
            };
            let nulls_first = if parser.take("NULLS") {
                let first = parser.take("FIRST");
                if !first {
                    parser.expect("LAST")?;
                }
                Some(first)
            } else {
                None
            };
            Ok(OrderTerm { expr, descending, nulls_first })
        })
    }

    fn core(&mut self) -> Read<Core> {
        if self.take("VALUES") {
            let rows = self.list(|parser| {
                parser.expect("(")?;
                let row = parser.list(Parser::expr)?;
                parser.expect(")")?;
                Ok(row)
            });
            return rows.map(Core::Values);
        }
        self.expect("SELECT")?;
        let distinct = self.take("DISTINCT");
        self.take("ALL");
        let columns = self.list(Parser::result_column)?;
        let from = if self.take("FROM") { self.joins()? } else { Vec::new() };
        let filter = if self.take("WHERE") { Some(self.expr()?) } else { None };
        let mut group = Vec::new();
        if self.take("GROUP") {
            self.expect("BY")?;
            group = self.list(Parser::expr)?;
        }
        let having = if self.take("HAVING") { Some(self.expr()?) } else { None };
        let mut windows = Vec::new();
        if self.take("WINDOW") {
            windows = self.list(|parser| {
                let name = parser.name()?;
                parser.expect("AS")?;
                Ok((name, parser.window()?))
            })?;
        }
        Ok(Core::Select(Box::new(Select {
            distinct,
            columns,
            from,
            filter,
            group,
            having,
            windows,
        })))
    }

    fn result_column(&mut self) -> Read<ResultColumn> {
        if self.take("*") {
            return Ok(ResultColumn::All);
        }
        if self.is(1, ".") && self.is(2, "*") {
            let table = self.name()?;
            self.at += 2;
            return Ok(ResultColumn::AllOf(table));
        }
        let expr = self.expr()?;
        Ok(ResultColumn::One { expr, alias: self.alias()? })
    }

    fn joins(&mut self) -> Read<Vec<Joined>> {
        let mut joins = vec![self.joined(Join::Inner, false)?];
        loop {
            if self.take(",") {
                joins.push(self.joined(Join::Inner, false)?);
                continue;
            }
            let start = self.at;
            let natural = self.take("NATURAL");
            let join = if self.take("LEFT") {
                self.take("OUTER");
                Join::Left
            } else if self.take("RIGHT") {
                self.take("OUTER");
                Join::Right
            } else if self.take("FULL") {
                self.take("OUTER");
                Join::Full
            } else {
                let _ = self.take("INNER") || self.take("CROSS");
                Join::Inner
            };
            if !self.take("JOIN") {
                self.at = start;
                return Ok(joins);
            }
            joins.push(self.joined(join, natural)?);
        }
    }

    fn joined(&mut self, join: Join, natural: bool) -> Read<Joined> {
        let start = self.start();
        let source = self.source()?;
        let span = self.since(start);
        let alias = self.alias()?;
        if self.is(0, "INDEXED") || (self.is(0, "NOT") && self.is(1, "INDEXED")) {
            let reason = "PostgreSQL chooses its indexes by itself".to_owned();
            return Err(ViewRefused { reason, ..self.unexpected() });
        }
        let constraint = if self.take("ON") {
            Constraint::On(self.expr()?)
        } else if self.take("USING") {
            Constraint::Using(self.names()?)
        } else {
            Constraint::None
        };
        Ok(Joined { join, natural, source, alias, constraint, span })
    }

    fn source(&mut self) -> Read<Source> {
        if self.take("(") {
            let source = if self.starts_query(0) {
                Source::Query(Box::new(self.query()?))
            } else {
                Source::Joins(self.nested(Parser::joins)?)
            };
            self.expect(")")?;
            return Ok(source);
        }
        let mut name = self.name()?;
        if self.take(".") {
            let schema = std::mem::replace(&mut name, self.name()?);
            if !schema.eq_ignore_ascii_case("main") {
                let reason = format!("there is no database {schema}");
                return Err(ViewRefused { part: format!("{schema}.{name}"), reason });
            }
        }
        if self.take("(") {
            let arguments = if self.is(0, ")") { Vec::new() } else { self.list(Parser::expr)? };
            self.expect(")")?;
            return Ok(Source::Function(name.to_ascii_lowercase(), arguments));
        }
        Ok(Source::Table(name))
    }

    /// What defines a window, in its parentheses.
    fn window(&mut self) -> Read<Window> {
        self.expect("(")?;
        let mut window = Window::default();
        let starts = ["PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS", ")"];
        if !starts.iter().any(|word| self.is(0, word)) {
            window.base = Some(self.name()?);
        }
        if self.take("PARTITION") {
            self.expect("BY")?;
            window.partition = self.list(Parser::expr)?;
        }
        window.order = self.order()?;
        while !self.take(")") {
            match self.peek(0) {
                Some(Token::Word(text) | Token::Number(text)) => {
                    window.frame.push(' ');
                    window.frame.push_str(&text.to_ascii_uppercase());
                }
                _ => return Err(self.unexpected()),
            }
            self.at += 1;
        }
        Ok(window)
    }
}

fn reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// An expression over others.
fn depth<'e>(parts: impl IntoIterator<Item = &'e Expr>) -> usize {
    parts.into_iter().map(|part| part.depth).max().unwrap_or(0) + 1
}
