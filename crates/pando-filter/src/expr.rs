//! The syntax tree of a filter or rule, and its text form.
//!
//! Source: the grammar of `fexpr`, the expression parser that PocketBase uses.

use std::fmt;

/// A filter: items joined by `&&` and `||`, where `&&` binds tighter. Never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// The join before an item; that of the first item says nothing.
    pub items: Vec<(Join, Item)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    And,
    Or,
}

/// One part of a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Comparison(Comparison),
    /// A filter in parentheses.
    Group(Expr),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub left: Operand,
    pub operator: Operator,
    pub right: Operand,
}

/// How two operands are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    pub kind: Comparator,
    /// True for the `?` forms: one matching value of many is enough.
    pub any: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    Equal,
    NotEqual,
    Like,
    NotLike,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A field path, macro or keyword such as `author.name:lower`, `@now` or `null`.
    Identifier(String),
    Text(String),
    /// Digits with at most one minus sign and one dot, as they were written.
    Number(String),
    Call {
        function: String,
        arguments: Vec<Operand>,
    },
}

impl Operator {
    /// All operators, as written.
    pub const ALL: [(&'static str, Operator); 16] = [
        ("=", Operator::every(Comparator::Equal)),
        ("!=", Operator::every(Comparator::NotEqual)),
        ("~", Operator::every(Comparator::Like)),
        ("!~", Operator::every(Comparator::NotLike)),
        ("<", Operator::every(Comparator::Less)),
        ("<=", Operator::every(Comparator::LessOrEqual)),
        (">", Operator::every(Comparator::Greater)),
        (">=", Operator::every(Comparator::GreaterOrEqual)),
        ("?=", Operator::any(Comparator::Equal)),
        ("?!=", Operator::any(Comparator::NotEqual)),
        ("?~", Operator::any(Comparator::Like)),
        ("?!~", Operator::any(Comparator::NotLike)),
        ("?<", Operator::any(Comparator::Less)),
        ("?<=", Operator::any(Comparator::LessOrEqual)),
        ("?>", Operator::any(Comparator::Greater)),
        ("?>=", Operator::any(Comparator::GreaterOrEqual)),
    ];

    pub const fn every(kind: Comparator) -> Operator {
        Operator { kind, any: false }
    }

    pub const fn any(kind: Comparator) -> Operator {
        Operator { kind, any: true }
    }

    pub fn parse(text: &str) -> Option<Operator> {
        Operator::ALL.iter().find(|(sign, _)| *sign == text).map(|(_, operator)| *operator)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (join, item)) in self.items.iter().enumerate() {
            match join {
                _ if index == 0 => {}
                Join::And => f.write_str(" && ")?,
                Join::Or => f.write_str(" || ")?,
            }
            match item {
                Item::Comparison(comparison) => comparison.fmt(f)?,
                Item::Group(group) => write!(f, "({group})")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.operator, self.right)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Operator::ALL.iter().find(|(_, operator)| operator == self);
        f.write_str(sign.map_or("", |(sign, _)| sign))
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Identifier(text) | Operand::Number(text) => f.write_str(text),
            Operand::Text(text) => {
                write!(f, "'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
            }
            Operand::Call { function, arguments } => {
                write!(f, "{function}(")?;
                for (index, argument) in arguments.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{argument}")?;
                }
                f.write_str(")")
            }
        }
    }
}
