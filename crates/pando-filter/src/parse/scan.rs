//! Splits the text of a filter into tokens.

use super::{CALL_NESTING_MAX, ParseError};
use crate::expr::{Join, Operand, Operator};

pub(super) enum Token<'t> {
    Space,
    Comment,
    Join(Join),
    Sign(Operator),
    Operand(Operand),
    /// The text between a pair of parentheses.
    Group(&'t str),
}

impl Token<'_> {
    /// The token's text and kind, for messages.
    pub(super) fn describe(&self) -> (String, &'static str) {
        match self {
            Token::Space => (String::new(), "whitespace"),
            Token::Comment => (String::new(), "comment"),
            Token::Join(Join::And) => ("&&".to_owned(), "join"),
            Token::Join(Join::Or) => ("||".to_owned(), "join"),
            Token::Sign(operator) => (operator.to_string(), "sign"),
            Token::Operand(Operand::Identifier(text)) => (text.clone(), "identifier"),
            Token::Operand(Operand::Text(text)) => (text.clone(), "text"),
            Token::Operand(Operand::Number(text)) => (text.clone(), "number"),
            Token::Operand(Operand::Call { function, .. }) => (function.clone(), "function"),
            Token::Group(text) => ((*text).to_owned(), "group"),
        }
    }
}

pub(super) struct Scanner<'t> {
    text: &'t str,
    /// Byte offset of the next character.
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Scanner<'t> {
        Scanner { text, at: 0 }
    }

    /// The next token, `None` at the end.
    pub(super) fn scan(&mut self) -> Result<Option<Token<'t>>, ParseError> {
        let Some(next) = self.peek() else { return Ok(None) };
        let token = match next {
            // PocketBase's scanner takes a NUL for the end.
            '\0' => return Ok(None),
            ' ' | '\t' | '\n' => {
                self.take_while(space);
                Token::Space
            }
            '(' => self.group()?,
            '-' | '0'..='9' => Token::Operand(self.number()?),
            '\'' | '"' => Token::Operand(self.quoted()?),
            '=' | '?' | '!' | '>' | '<' | '~' => self.sign()?,
            '&' | '|' => self.join()?,
            '/' => self.comment()?,
            _ if identifier_start(next) => Token::Operand(self.identifier(CALL_NESTING_MAX)?),
            _ => return Err(ParseError::Character(next)),
        };
        Ok(Some(token))
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Moves past the characters that `accepts` and returns them. A NUL after them goes too.
    fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> &'t str {
        let rest = &self.text[self.at..];
        let length = rest.find(|next| !accepts(next)).unwrap_or(rest.len());
        self.at += length;
        self.skip_nul();
        &rest[..length]
    }

    fn skip_nul(&mut self) {
        if self.peek() == Some('\0') {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Operand, ParseError> {
        let start = self.at;
        let mut dots = 0;
        while let Some(next) = self.peek() {
            let accepted = match next {
                '0'..='9' => true,
                '-' => self.at == start,
                '.' => dots == 0,
                _ => false,
            };
            if !accepted {
                break;
            }
            dots += usize::from(next == '.');
            self.at += 1;
        }
        let literal = self.text[start..self.at].to_owned();
        self.skip_nul();
        if literal == "-" || literal.ends_with('.') {
            return Err(ParseError::Number(literal));
        }
        Ok(Operand::Number(literal))
    }

    /// A quoted text, with its escapes resolved. Other backslashes stand for themselves.
    fn quoted(&mut self) -> Result<Operand, ParseError> {
        let start = self.at;
        let quote = self.bump();
        let mut text = String::new();
        while let Some(next) = self.bump().filter(|next| *next != '\0') {
            match (next, self.peek().and_then(escaped)) {
                ('\\', Some(meant)) => {
                    self.at += 1;
                    text.push(meant);
                }
                _ if Some(next) == quote => return Ok(Operand::Text(text)),
                _ => text.push(next),
            }
        }
        text.insert_str(0, &self.text[start..=start]);
        Err(ParseError::Text(text))
    }

    /// Moves past a quoted text as it is written.
    fn skip_quoted(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let quote = self.bump();
        while let Some(next) = self.peek().filter(|next| *next != '\0') {
            self.at += next.len_utf8();
            if next == '\\' && self.peek().and_then(escaped).is_some() {
                self.at += 1;
            } else if Some(next) == quote {
                return Ok(());
            }
        }
        Err(ParseError::Text(self.text[start..self.at].to_owned()))
    }

    fn sign(&mut self) -> Result<Token<'t>, ParseError> {
        let literal = self.take_while(|next| matches!(next, '=' | '?' | '!' | '>' | '<' | '~'));
        match Operator::parse(literal) {
            Some(operator) => Ok(Token::Sign(operator)),
            None => Err(ParseError::Operator(literal.to_owned())),
        }
    }

    fn join(&mut self) -> Result<Token<'t>, ParseError> {
        match self.take_while(|next| matches!(next, '&' | '|')) {
            "&&" => Ok(Token::Join(Join::And)),
            "||" => Ok(Token::Join(Join::Or)),
            literal => Err(ParseError::Join(literal.to_owned())),
        }
    }

    fn comment(&mut self) -> Result<Token<'t>, ParseError> {
        if !self.text[self.at..].starts_with("//") {
            return Err(ParseError::Comment);
        }
        self.take_while(|next| !matches!(next, '\n' | '\0'));
        Ok(Token::Comment)
    }

    /// An identifier or, when a parenthesis follows it, a call with calls at most `calls_left` deep.
    fn identifier(&mut self, calls_left: usize) -> Result<Operand, ParseError> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let length = rest.find(|next| !identifier_part(next)).unwrap_or(rest.len());
        self.at += 1 + length;
        let literal = &self.text[start..self.at];
        let valid = !literal.ends_with(['.', ':']) && !matches!(literal, "@" | "_" | "#");
        if self.peek() == Some('(') {
            return match (calls_left, valid) {
                (0, _) => Err(ParseError::CallNesting),
                (_, false) => Err(ParseError::FunctionName(literal.to_owned())),
                (_, true) => self.call(literal, calls_left - 1),
            };
        }
        self.skip_nul();
        match valid {
            true => Ok(Operand::Identifier(literal.to_owned())),
            false => Err(ParseError::Identifier(literal.to_owned())),
        }
    }

    fn call(&mut self, name: &str, calls_left: usize) -> Result<Operand, ParseError> {
        self.at += 1;
        let mut arguments = Vec::new();
        let mut comma_expected = false;
        while let Some(next) = self.peek().filter(|next| *next != '\0') {
            match next {
                ')' => {
                    self.at += 1;
                    return Ok(Operand::Call { function: name.to_owned(), arguments });
                }
                ' ' | '\t' | '\n' => {
                    self.take_while(space);
                }
                '/' => {
                    self.comment().map_err(|cause| ParseError::CallComment {
                        function: name.to_owned(),
                        cause: Box::new(cause),
                    })?;
                }
                ',' if comma_expected => {
                    self.at += 1;
                    comma_expected = false;
                }
                ',' => return Err(ParseError::UnexpectedComma(name.to_owned())),
                _ if comma_expected => return Err(ParseError::ExpectedComma(name.to_owned())),
                _ => {
                    arguments.push(self.argument(name, next, calls_left)?);
                    comma_expected = true;
                }
            }
        }
        Err(ParseError::CallEnd(name.to_owned()))
    }

    fn argument(
        &mut self,
        function: &str,
        next: char,
        calls_left: usize,
    ) -> Result<Operand, ParseError> {
        let start = self.at;
        let (kind, operand) = match next {
            '-' | '0'..='9' => ("number", self.number()),
            '\'' | '"' => ("text", self.quoted()),
            _ if identifier_start(next) => ("identifier", self.identifier(calls_left)),
            _ => {
                let function = function.to_owned();
                return Err(ParseError::ArgumentCharacter { character: next, function });
            }
        };
        operand.map_err(|cause| {
            let literal = match &cause {
                ParseError::Number(text) | ParseError::Text(text) => text.clone(),
                _ => {
                    let rest = &self.text[start..];
                    let end = rest.find(|next| !identifier_part(next) && !identifier_start(next));
                    rest[..end.unwrap_or(rest.len())].to_owned()
                }
            };
            let function = function.to_owned();
            ParseError::Argument { kind, literal, function, cause: Box::new(cause) }
        })
    }

    fn group(&mut self) -> Result<Token<'t>, ParseError> {
        self.at += 1;
        let start = self.at;
        let mut open = 1;
        while let Some(next) = self.peek().filter(|next| *next != '\0') {
            match next {
                '\'' | '"' => {
                    self.skip_quoted()?;
                    continue;
                }
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            self.at += next.len_utf8();
            if open == 0 {
                return Ok(Token::Group(&self.text[start..self.at - 1]));
            }
        }
        Err(ParseError::Brackets(open))
    }
}

/// What a character means after a backslash.
fn escaped(next: char) -> Option<char> {
    match next {
        '\'' | '"' | '\\' => Some(next),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        _ => None,
    }
}

fn space(next: char) -> bool {
    matches!(next, ' ' | '\t' | '\n')
}

fn identifier_start(next: char) -> bool {
    next.is_ascii_alphabetic() || matches!(next, '@' | '_' | '#')
}

fn identifier_part(next: char) -> bool {
    next.is_ascii_alphanumeric() || matches!(next, '.' | ':' | '_')
}
