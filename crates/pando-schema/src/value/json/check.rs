//! Whether a text is JSON, without building a tree and without recursion.
//!
//! Source: RFC 8259; Go `encoding/json` (nesting limit), `encoding/json/v2` (repeated names,
//! numbers out of range).

use std::collections::BTreeSet;

use super::compact_json;

/// Nesting that Go's decoder still accepts.
const DEPTH_MAX: usize = 10_000;

/// Whether `text` is one JSON value by grammar; names may repeat, numbers may be of any size.
pub(super) fn well_formed(text: &str) -> bool {
    Scanner { bytes: text.as_bytes(), index: 0, strict: false }.scan().is_some()
}

/// Whether `text` is one JSON value whose objects repeat no name and whose numbers are finite.
pub(crate) fn check_json(text: &str) -> bool {
    Scanner { bytes: text.as_bytes(), index: 0, strict: true }.scan().is_some()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    index: usize,
    strict: bool,
}

/// A list or object that is still open; an object with the names seen so far.
enum Open {
    List,
    Object(BTreeSet<Vec<u8>>),
}

impl Scanner<'_> {
    fn scan(mut self) -> Option<()> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.skip_space();
            match self.peek()? {
                b'{' => {
                    self.index += 1;
                    self.skip_space();
                    if !self.take(b'}') {
                        open.push(Open::Object(BTreeSet::new()));
                        self.name(open.last_mut())?;
                        (open.len() <= DEPTH_MAX).then_some(())?;
                        continue;
                    }
                }
                b'[' => {
                    self.index += 1;
                    self.skip_space();
                    if !self.take(b']') {
                        open.push(Open::List);
                        (open.len() <= DEPTH_MAX).then_some(())?;
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            // A value has ended: close what ends with it, or go on to the next one.
            loop {
                self.skip_space();
                let Some(innermost) = open.last_mut() else {
                    return (self.index == self.bytes.len()).then_some(());
                };
                let object = matches!(innermost, Open::Object(_));
                if self.take(b',') {
                    if object {
                        self.skip_space();
                        self.name(Some(innermost))?;
                    }
                    break;
                }
                self.take(if object { b'}' } else { b']' }).then_some(())?;
                open.pop();
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.index).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.index += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.index += 1;
        }
    }

    /// A member's name and the colon; strictly, one that its object does not have yet.
    fn name(&mut self, object: Option<&mut Open>) -> Option<()> {
        let start = self.index;
        self.string()?;
        let end = self.index;
        self.skip_space();
        self.take(b':').then_some(())?;
        if let (true, Some(Open::Object(names))) = (self.strict, object) {
            let mut name = Vec::with_capacity(end - start);
            compact_json(std::str::from_utf8(&self.bytes[start..end]).ok()?, &mut name);
            names.insert(name).then_some(())?;
        }
        Some(())
    }

    fn scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.index..].starts_with(word).then_some(())?;
        self.index += word.len();
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.take(b'"').then_some(())?;
        loop {
            let byte = self.peek()?;
            self.index += 1;
            match byte {
                b'"' => return Some(()),
                0..0x20 => return None,
                b'\\' => {
                    let escape = self.peek()?;
                    self.index += 1;
                    match escape {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let digits = self.bytes.get(self.index..self.index + 4)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.index += 4;
                        }
                        _ => return None,
                    }
                }
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let start = self.index;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        if self.strict {
            let text = std::str::from_utf8(&self.bytes[start..self.index]).ok()?;
            text.parse::<f64>().ok()?.is_finite().then_some(())?;
        }
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let start = self.index;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.index += 1;
        }
        (self.index > start).then_some(())
    }
}
