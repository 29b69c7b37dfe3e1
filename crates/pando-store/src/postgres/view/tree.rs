//! A query of SQLite, read.

use std::ops::Range;

/// `WITH … SELECT … UNION … ORDER BY … LIMIT …`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) with: Vec<Named>,
    pub(super) first: Core,
    pub(super) rest: Vec<(Compound, Core)>,
    pub(super) order: Vec<OrderTerm>,
    pub(super) limit: Option<Expr>,
    pub(super) offset: Option<Expr>,
}

/// A query that has a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) query: Query,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compound {
    Union,
    /// `UNION ALL`
    All,
    Except,
    Intersect,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Core {
    Select(Box<Select>),
    Values(Vec<Vec<Expr>>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) columns: Vec<ResultColumn>,
    pub(super) from: Vec<Joined>,
    pub(super) filter: Option<Expr>,
    pub(super) group: Vec<Expr>,
    pub(super) having: Option<Expr>,
    pub(super) windows: Vec<(String, Window)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ResultColumn {
    /// `*`
    All,
    /// `table.*`
    AllOf(String),
    One {
        expr: Expr,
        alias: Option<String>,
    },
}

/// A table and how it is joined to what stands before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Joined {
    pub(super) join: Join,
    pub(super) natural: bool,
    pub(super) source: Source,
    pub(super) alias: Option<String>,
    pub(super) constraint: Constraint,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Inner,
    Left,
    Right,
    Full,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    Table(String),
    Function(String, Vec<Expr>),
    Query(Box<Query>),
    /// Joins in parentheses.
    Joins(Vec<Joined>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constraint {
    None,
    On(Expr),
    Using(Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderTerm {
    pub(super) expr: Expr,
    pub(super) descending: bool,
    /// `None` is SQLite's own: nulls are less than all else.
    pub(super) nulls_first: Option<bool>,
}

/// An expression and where it stands. Equal ones are equal wherever they stand.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) node: Box<Node>,
    pub(super) span: Range<usize>,
    /// Levels of expressions in it.
    pub(super) depth: usize,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Expr) -> bool {
        self.node == other.node
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Number(String),
    Text(String),
    Name(ColumnName),
    Unary(Unary, Expr),
    Binary(Binary, Expr, Expr),
    Is { left: Expr, right: Expr, negated: bool },
    IsNull { operand: Expr, negated: bool },
    Between { operand: Expr, low: Expr, high: Expr, negated: bool },
    In { operand: Expr, among: Among, negated: bool },
    Like { form: Like, operand: Expr, pattern: Expr, escape: Option<Expr>, negated: bool },
    Collate(Expr, String),
    Cast(Expr, String),
    Case { base: Option<Expr>, arms: Vec<(Expr, Expr)>, otherwise: Option<Expr> },
    Exists(Query),
    Subquery(Query),
    Row(Vec<Expr>),
    Call(Call),
}

#[derive(Debug, Clone)]
pub(super) struct ColumnName {
    pub(super) table: Option<String>,
    pub(super) column: String,
    /// In double quotes: a text, if there is no such column.
    pub(super) quoted: bool,
}

impl PartialEq for ColumnName {
    fn eq(&self, other: &ColumnName) -> bool {
        let table = match (&self.table, &other.table) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (None, None) => true,
            _ => false,
        };
        table && self.column.eq_ignore_ascii_case(&other.column)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
    Invert,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    BitAnd,
    BitOr,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Concat,
    /// `->`
    Part,
    /// `->>`
    PartValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Like {
    Like,
    Glob,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Among {
    List(Vec<Expr>),
    Query(Query),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// In lower case.
    pub(super) name: String,
    pub(super) distinct: bool,
    /// `count(*)`
    pub(super) star: bool,
    pub(super) arguments: Vec<Expr>,
    pub(super) order: Vec<OrderTerm>,
    pub(super) filter: Option<Expr>,
    pub(super) over: Option<Over>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Over {
    Named(String),
    Window(Window),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Window {
    pub(super) base: Option<String>,
    pub(super) partition: Vec<Expr>,
    pub(super) order: Vec<OrderTerm>,
    /// Kept as it is written: both databases have the same language for frames.
    pub(super) frame: String,
}

impl Expr {
    /// The expressions that it is made of, without those of queries in it.
    pub(super) fn parts(&self) -> Vec<&Expr> {
        match &*self.node {
            Node::Null
            | Node::Number(_)
            | Node::Text(_)
            | Node::Name(_)
            | Node::Exists(_)
            | Node::Subquery(_) => Vec::new(),
            Node::Unary(_, one) | Node::Collate(one, _) | Node::Cast(one, _) => vec![one],
            Node::IsNull { operand, .. } => vec![operand],
            Node::Binary(_, left, right) | Node::Is { left, right, .. } => vec![left, right],
            Node::Between { operand, low, high, .. } => vec![operand, low, high],
            Node::In { operand, among: Among::List(items), .. } => {
                std::iter::once(operand).chain(items).collect()
            }
            Node::In { operand, among: Among::Query(_), .. } => vec![operand],
            Node::Like { operand, pattern, escape, .. } => {
                [operand, pattern].into_iter().chain(escape).collect()
            }
            Node::Case { base, arms, otherwise } => {
                let arms = arms.iter().flat_map(|(when, then)| [when, then]);
                base.iter().chain(arms).chain(otherwise).collect()
            }
            Node::Row(items) => items.iter().collect(),
            Node::Call(call) => {
                let order = call.order.iter().map(|term| &term.expr);
                call.arguments.iter().chain(&call.filter).chain(order).collect()
            }
        }
    }
}
