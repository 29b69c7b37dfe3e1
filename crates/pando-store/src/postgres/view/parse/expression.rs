//! Reads expressions, with SQLite's precedence of operators.
//!
//! Source: <https://sqlite.org/lang_expr.html>.

use super::super::ViewRefused;
use super::super::scan::Token;
use super::super::tree::{Among, Binary, Call, ColumnName, Expr, Like, Node, Over, Unary, Window};
use super::{Parser, Read, depth};

/// Expressions in each other at most: each takes some of the stack.
const DEPTH_MAX: usize = 48;

/// How tight operators bind, from the loosest.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const EQUALITY: u8 = 4;
const ORDER: u8 = 5;
const BITS: u8 = 6;
const SUM: u8 = 7;
const PRODUCT: u8 = 8;
const CONCAT: u8 = 9;
const COLLATE: u8 = 10;
const SIGN: u8 = 11;

const BINARY: [(&str, u8, Binary); 22] = [
    ("OR", OR, Binary::Or),
    ("AND", AND, Binary::And),
    ("=", EQUALITY, Binary::Equal),
    ("==", EQUALITY, Binary::Equal),
    ("!=", EQUALITY, Binary::NotEqual),
    ("<>", EQUALITY, Binary::NotEqual),
    ("<", ORDER, Binary::Less),
    ("<=", ORDER, Binary::LessOrEqual),
    (">", ORDER, Binary::Greater),
    (">=", ORDER, Binary::GreaterOrEqual),
    ("&", BITS, Binary::BitAnd),
    ("|", BITS, Binary::BitOr),
    ("<<", BITS, Binary::ShiftLeft),
    (">>", BITS, Binary::ShiftRight),
    ("+", SUM, Binary::Add),
    ("-", SUM, Binary::Subtract),
    ("*", PRODUCT, Binary::Multiply),
    ("/", PRODUCT, Binary::Divide),
    ("%", PRODUCT, Binary::Remainder),
    ("||", CONCAT, Binary::Concat),
    ("->", CONCAT, Binary::Part),
    ("->>", CONCAT, Binary::PartValue),
];

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Read<Expr> {
        self.nested(|parser| parser.above(0))
    }

    fn made(&self, start: usize, depth: usize, node: Node) -> Read<Expr> {
        if depth > DEPTH_MAX {
            return Err(ViewRefused {
                reason: "it is nested too deep".to_owned(),
                ..self.unexpected()
            });
        }
        Ok(Expr { node: Box::new(node), span: self.since(start), depth })
    }

    /// An expression of operators that bind tighter than `floor`.
    fn above(&mut self, floor: u8) -> Read<Expr> {
        let start = self.start();
        let mut left = self.prefix()?;
        loop {
            if floor < COLLATE && self.take("COLLATE") {
                let name = self.name()?;
                let depth = depth([&left]);
                left = self.made(start, depth, Node::Collate(left, name))?;
            } else if let Some((_, level, operator)) =
                BINARY.iter().find(|(sign, level, _)| *level > floor && self.is(0, sign))
            {
                self.at += 1;
                let right = self.above(*level)?;
                let depth = depth([&left, &right]);
                left = self.made(start, depth, Node::Binary(*operator, left, right))?;
            } else if floor < EQUALITY && self.starts_predicate() {
                left = self.predicate(start, left)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn prefix(&mut self) -> Read<Expr> {
        let start = self.start();
        let (operator, level) = if self.is(0, "NOT") && !self.is(1, "EXISTS") {
            (Unary::Not, NOT)
        } else if self.is(0, "-") {
            (Unary::Minus, SIGN)
        } else if self.is(0, "+") {
            (Unary::Plus, SIGN)
        } else if self.is(0, "~") {
            (Unary::Invert, SIGN)
        } else {
            return self.primary();
        };
        self.at += 1;
        let operand = self.nested(|parser| parser.above(level))?;
        let depth = depth([&operand]);
        self.made(start, depth, Node::Unary(operator, operand))
    }

    fn starts_predicate(&self) -> bool {
        let words = ["IS", "ISNULL", "NOTNULL", "BETWEEN", "IN", "LIKE", "GLOB", "MATCH", "REGEXP"];
        words.iter().any(|word| self.is(0, word))
            || (self.is(0, "NOT")
                && ["NULL", "BETWEEN", "IN", "LIKE", "GLOB", "MATCH", "REGEXP"]
                    .iter()
                    .any(|word| self.is(1, word)))
    }

    fn predicate(&mut self, start: usize, operand: Expr) -> Read<Expr> {
        if self.take("IS") {
            let mut negated = self.take("NOT");
            if self.take("DISTINCT") {
                self.expect("FROM")?;
                negated = !negated;
            }
            let right = self.above(EQUALITY)?;
            let depth = depth([&operand, &right]);
            return self.made(start, depth, Node::Is { left: operand, right, negated });
        }
        let negated = self.take("NOT");
        let level = depth([&operand]);
        if self.take("ISNULL") || (negated && self.take("NULL")) {
            return self.made(start, level, Node::IsNull { operand, negated });
        }
        if self.take("NOTNULL") {
            return self.made(start, level, Node::IsNull { operand, negated: true });
        }
        if self.take("BETWEEN") {
            // All but the AND belongs to it.
            let low = self.above(AND)?;
            self.expect("AND")?;
            let high = self.above(EQUALITY)?;
            let depth = depth([&operand, &low, &high]);
            return self.made(start, depth, Node::Between { operand, low, high, negated });
        }
        if self.take("IN") {
            return self.among(start, operand, negated);
        }
        let form = if self.take("LIKE") {
            Like::Like
        } else if self.take("GLOB") {
            Like::Glob
        } else {
            return Err(self.unexpected());
        };
        let pattern = self.above(EQUALITY)?;
        let escape = if self.take("ESCAPE") { Some(self.above(EQUALITY)?) } else { None };
        let depth = depth([&operand, &pattern]);
        self.made(start, depth, Node::Like { form, operand, pattern, escape, negated })
    }

    /// What comes after `IN`.
    fn among(&mut self, start: usize, operand: Expr, negated: bool) -> Read<Expr> {
        self.expect("(")?;
        let mut level = depth([&operand]);
        let among = if self.starts_query(0) {
            Among::Query(self.query()?)
        } else if self.is(0, ")") {
            Among::List(Vec::new())
        } else {
            let items = self.list(Parser::expr)?;
            level = level.max(depth(&items));
            Among::List(items)
        };
        self.expect(")")?;
        self.made(start, level, Node::In { operand, among, negated })
    }

    fn primary(&mut self) -> Read<Expr> {
        let start = self.start();
        let node = match self.peek(0) {
            Some(Token::Number(number)) => Node::Number(number.clone()),
            Some(Token::Text(text)) if !self.is(1, ".") => Node::Text(text.clone()),
            Some(Token::Sign("(")) => return self.in_parentheses(start),
            Some(Token::Word(word)) => {
                let word = word.to_ascii_uppercase();
                return self.word(start, &word);
            }
            Some(Token::Name(_) | Token::Quoted(_) | Token::Text(_)) => {
                return self.column(start);
            }
            Some(Token::Sign(_)) | None => return Err(self.unexpected()),
        };
        self.at += 1;
        self.made(start, 1, node)
    }

    fn in_parentheses(&mut self, start: usize) -> Read<Expr> {
        self.expect("(")?;
        if self.starts_query(0) {
            let query = self.query()?;
            self.expect(")")?;
            return self.made(start, 1, Node::Subquery(query));
        }
        let mut items = self.list(Parser::expr)?;
        self.expect(")")?;
        match (items.pop(), items.is_empty()) {
            (Some(only), true) => Ok(Expr { span: self.since(start), ..only }),
            (last, _) => {
                items.extend(last);
                self.made(start, depth(&items), Node::Row(items))
            }
        }
    }

    fn word(&mut self, start: usize, word: &str) -> Read<Expr> {
        match word {
            "NULL" => {
                self.at += 1;
                self.made(start, 1, Node::Null)
            }
            "CASE" => self.case(start),
            "CAST" if self.is(1, "(") => self.cast(start),
            "EXISTS" | "NOT" if self.is(usize::from(word == "NOT") + 1, "(") => self.exists(start),
            _ if self.is(1, "(") => self.call(start),
            _ => self.column(start),
        }
    }

    fn exists(&mut self, start: usize) -> Read<Expr> {
        let negated = self.take("NOT");
        self.expect("EXISTS")?;
        self.expect("(")?;
        let query = self.query()?;
        self.expect(")")?;
        let exists = self.made(start, 1, Node::Exists(query))?;
        if negated { self.made(start, 2, Node::Unary(Unary::Not, exists)) } else { Ok(exists) }
    }

    fn case(&mut self, start: usize) -> Read<Expr> {
        self.expect("CASE")?;
        let base = if self.is(0, "WHEN") { None } else { Some(self.expr()?) };
        let mut arms = Vec::new();
        while self.take("WHEN") {
            let when = self.expr()?;
            self.expect("THEN")?;
            arms.push((when, self.expr()?));
        }
        let otherwise = if self.take("ELSE") { Some(self.expr()?) } else { None };
        self.expect("END")?;
        let parts = arms.iter().flat_map(|(when, then)| [when, then]);
        let depth = depth(parts.chain(&base).chain(&otherwise));
        self.made(start, depth, Node::Case { base, arms, otherwise })
    }

    fn cast(&mut self, start: usize) -> Read<Expr> {
        self.at += 1;
        self.expect("(")?;
        let operand = self.expr()?;
        self.expect("AS")?;
        let mut kind = String::new();
        let mut levels = 0;
        while levels > 0 || !self.is(0, ")") {
            let Some(lexeme) = self.lexemes.get(self.at) else { return Err(self.unexpected()) };
            levels += usize::from(self.is(0, "("));
            levels -= usize::from(self.is(0, ")"));
            kind.push_str(&self.text[lexeme.span.clone()]);
            kind.push(' ');
            self.at += 1;
        }
        self.expect(")")?;
        let depth = depth([&operand]);
        self.made(start, depth, Node::Cast(operand, kind.trim().to_owned()))
    }

    /// `column`, `table.column` or `main.table.column`.
    fn column(&mut self, start: usize) -> Read<Expr> {
        let quoted = matches!(self.peek(0), Some(Token::Quoted(_)));
        let mut names = vec![self.name()?];
        while names.len() < 3 && self.take(".") {
            names.push(self.name()?);
        }
        let column = names.pop().unwrap_or_default();
        let table = names.pop();
        let quoted = quoted && table.is_none();
        self.made(start, 1, Node::Name(ColumnName { table, column, quoted }))
    }

    fn call(&mut self, start: usize) -> Read<Expr> {
        let name = self.name()?.to_ascii_lowercase();
        self.expect("(")?;
        let mut call = Call {
            name,
            distinct: self.take("DISTINCT"),
            star: self.take("*"),
            arguments: Vec::new(),
            order: Vec::new(),
            filter: None,
            over: None,
        };
        if !call.star && !self.is(0, ")") {
            call.arguments = self.list(Parser::expr)?;
            call.order = self.order()?;
        }
        self.expect(")")?;
        if self.is(0, "FILTER") && self.is(1, "(") {
            self.at += 2;
            self.expect("WHERE")?;
            call.filter = Some(self.expr()?);
            self.expect(")")?;
        }
        if self.take("OVER") {
            call.over = Some(match self.is(0, "(") {
                true => Over::Window(self.window()?),
                false => Over::Named(self.name()?),
            });
        }
        let of_window = match &call.over {
            Some(Over::Window(Window { partition, order, .. })) => {
                depth(partition.iter().chain(order.iter().map(|term| &term.expr)))
            }
            Some(Over::Named(_)) | None => 1,
        };
        let parts = call.arguments.iter().chain(&call.filter);
        let depth = depth(parts.chain(call.order.iter().map(|term| &term.expr))).max(of_window);
        self.made(start, depth, Node::Call(call))
    }
}
