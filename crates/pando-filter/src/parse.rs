//! Parses the text of a filter or rule into its syntax tree.
//!
//! Accepts and refuses what PocketBase's parser does, with the same messages, because the
//! message for a wrong rule is shown to the person who wrote it. That includes its peculiar
//! treatment of parentheses: a group is complete wherever it stands, so `a = (b = 1)` reads as
//! `(b = 1)` and `a = 1 (b = 2)` joins the two.
//!
//! Source: `fexpr` `parser.go`, `scanner.go`.

use crate::expr::{Comparison, Expr, Item, Join, Operand, Operator};
use crate::quote::{Quoted, QuotedChar};

mod scan;
#[cfg(test)]
mod tests;

use scan::{Scanner, Token};

/// Bytes of text that are parsed at most. Ours: PocketBase limits only client filters.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a client's filter at most. Source: PocketBase `tools/search/provider.go`.
pub const SEARCH_FILTER_BYTES_MAX: usize = 3500;

/// How deep parentheses may nest. Ours, so that no filter exhausts the stack.
pub const NESTING_MAX: usize = 300;

/// How deep function calls may nest. Source: `fexpr`.
const CALL_NESTING_MAX: usize = 3;

/// Why a text is not a filter; the messages are PocketBase's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParseError {
    #[error("empty filter expression")]
    Empty,
    #[error("invalid or incomplete filter expression")]
    Incomplete,
    #[error("invalid comment")]
    Comment,
    #[error("unexpected character {}", QuotedChar(*.0))]
    Character(char),
    #[error("invalid number {}", Quoted(.0))]
    Number(String),
    #[error("invalid quoted text {}", Quoted(.0))]
    Text(String),
    #[error("invalid identifier {}", Quoted(.0))]
    Identifier(String),
    #[error("invalid sign operator {}", Quoted(.0))]
    Operator(String),
    #[error("invalid join operator {}", Quoted(.0))]
    Join(String),
    #[error("invalid formatted group - missing {0} closing bracket(s)")]
    Brackets(usize),
    #[error("expected left operand (identifier, function, text or number), got {} ({kind})", Quoted(.literal))]
    ExpectedLeft { literal: String, kind: &'static str },
    #[error("expected a sign operator, got {} ({kind})", Quoted(.literal))]
    ExpectedOperator { literal: String, kind: &'static str },
    #[error("expected right operand (identifier, function text or number), got {} ({kind})", Quoted(.literal))]
    ExpectedRight { literal: String, kind: &'static str },
    #[error("expected && or ||, got {} ({kind})", Quoted(.literal))]
    ExpectedJoin { literal: String, kind: &'static str },
    #[error("max nested function arguments reached (max: {CALL_NESTING_MAX})")]
    CallNesting,
    #[error("invalid function name {}", Quoted(.0))]
    FunctionName(String),
    #[error("invalid or incomplete function {} (expected ')')", Quoted(.0))]
    CallEnd(String),
    #[error("expected comma after the last argument in function {}", Quoted(.0))]
    ExpectedComma(String),
    #[error("unexpected comma in function {}", Quoted(.0))]
    UnexpectedComma(String),
    #[error("unsupported argument character {} in function {}", QuotedChar(*.character), Quoted(.function))]
    ArgumentCharacter { character: char, function: String },
    #[error("invalid {kind} argument {} in function {}: {cause}", Quoted(.literal), Quoted(.function))]
    Argument { kind: &'static str, literal: String, function: String, cause: Box<ParseError> },
    #[error("failed to scan comment in function {}: {cause}", Quoted(.function))]
    CallComment { function: String, cause: Box<ParseError> },
    #[error("max filter length limit reached")]
    TooLong,
    #[error("max nested groups limit reached")]
    TooDeep,
}

/// Parses a rule, or a filter that an operator wrote: at most [`TEXT_BYTES_MAX`] long.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(ParseError::TooLong);
    }
    parse_group(text, 0)
}

/// Parses the `filter` parameter of a list request: at most [`SEARCH_FILTER_BYTES_MAX`] long.
pub fn parse_search(text: &str) -> Result<Expr, ParseError> {
    if text.len() > SEARCH_FILTER_BYTES_MAX {
        return Err(ParseError::TooLong);
    }
    parse_group(text, 0)
}

/// What the parser waits for.
enum Step {
    Left,
    Operator(Operand),
    Right(Operand, Operator),
    Join,
}

fn parse_group(text: &str, depth: usize) -> Result<Expr, ParseError> {
    if depth > NESTING_MAX {
        return Err(ParseError::TooDeep);
    }
    let mut scanner = Scanner::new(text);
    let mut items = Vec::new();
    let mut join = Join::And;
    let mut step = Step::Left;
    while let Some(token) = scanner.scan()? {
        step = match (step, token) {
            (step, Token::Space | Token::Comment) => step,
            (_, Token::Group(inner)) => {
                items.push((join, Item::Group(parse_group(inner, depth + 1)?)));
                Step::Join
            }
            (Step::Left, Token::Operand(left)) => Step::Operator(left),
            (Step::Left, token) => {
                let (literal, kind) = token.describe();
                return Err(ParseError::ExpectedLeft { literal, kind });
            }
            (Step::Operator(left), Token::Sign(operator)) => Step::Right(left, operator),
            (Step::Operator(_), token) => {
                let (literal, kind) = token.describe();
                return Err(ParseError::ExpectedOperator { literal, kind });
            }
            (Step::Right(left, operator), Token::Operand(right)) => {
                items.push((join, Item::Comparison(Comparison { left, operator, right })));
                Step::Join
            }
            (Step::Right(..), token) => {
                let (literal, kind) = token.describe();
                return Err(ParseError::ExpectedRight { literal, kind });
            }
            (Step::Join, Token::Join(next)) => {
                join = next;
                Step::Left
            }
            (Step::Join, token) => {
                let (literal, kind) = token.describe();
                return Err(ParseError::ExpectedJoin { literal, kind });
            }
        };
    }
    match step {
        Step::Join => Ok(Expr { items }),
        Step::Left if items.is_empty() => Err(ParseError::Empty),
        Step::Left | Step::Operator(_) | Step::Right(..) => Err(ParseError::Incomplete),
    }
}
