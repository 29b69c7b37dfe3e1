//! Checks of JSON and of formats made of it.
//!
//! The reader is as lenient as that of the Go library, which is no full parser: it tells JSON
//! from other text, and looks for one path on the way.

use super::Head;
use super::scan::{Scan, is_space};

/// Deepest nesting. The Go library goes to 4,096 on its growing stack; ours is fixed.
const DEPTH_MAX: usize = 200;

/// A path of keys and the values that satisfy it (any if there are none).
type Query = (&'static [&'static [u8]], &'static [&'static [u8]]);

const GEO: &[Query] = &[(
    &[b"type"],
    &[
        b"\"Feature\"",
        b"\"FeatureCollection\"",
        b"\"Point\"",
        b"\"LineString\"",
        b"\"Polygon\"",
        b"\"MultiPoint\"",
        b"\"MultiLineString\"",
        b"\"MultiPolygon\"",
        b"\"GeometryCollection\"",
    ],
)];
const HAR: &[Query] =
    &[(&[b"log", b"version"], &[]), (&[b"log", b"creator"], &[]), (&[b"log", b"entries"], &[])];
const GLTF: &[Query] = &[(&[b"asset", b"version"], &[b"\"1.0\"", b"\"2.0\""])];
const CYCLONE_DX: &[Query] = &[(&[b"bomFormat"], &[b"\"CycloneDX\""])];

pub(super) fn json(head: Head<'_>) -> bool {
    document(head, b"[{", &[])
}

pub(super) fn geo(head: Head<'_>) -> bool {
    document(head, b"{", GEO)
}

pub(super) fn har(head: Head<'_>) -> bool {
    document(head, b"{", HAR)
}

pub(super) fn gltf(head: Head<'_>) -> bool {
    document(head, b"{", GLTF)
}

pub(super) fn cyclone_dx(head: Head<'_>) -> bool {
    document(head, b"{", CYCLONE_DX)
}

/// At least two lines, each a document, one of them an object or array.
pub(super) fn lines(head: Head<'_>) -> bool {
    let mut scan = Scan(head.bytes);
    let (mut count, mut structured) = (0, false);
    while !scan.0.is_empty() {
        let line = scan.line();
        let mut reader = Reader::new(&[]);
        let parsed = reader.any(line, 0);
        // Only the last line may be cut.
        let complete = if scan.0.is_empty() { reader.inspected } else { parsed };
        if complete != line.len() {
            return false;
        }
        structured |= reader.structured;
        count += 1;
    }
    count > 1 && structured
}

fn document(head: Head<'_>, starts: &[u8], queries: &[Query]) -> bool {
    let first = head.bytes.iter().find(|byte| !is_space(**byte));
    if !first.is_some_and(|byte| starts.contains(byte)) {
        return false;
    }
    let mut reader = Reader::new(queries);
    let parsed = reader.any(head.bytes, 0);
    // If there may be more, it is enough that what we saw gave no reason to stop.
    let complete = if head.cut { reader.inspected } else { parsed };
    reader.satisfied && complete == head.bytes.len()
}

struct Reader<'a, 'q> {
    queries: &'q [Query],
    path: Vec<&'a [u8]>,
    /// Bytes looked at until the end or the first mistake.
    inspected: usize,
    /// Whether the document is an object or array.
    structured: bool,
    satisfied: bool,
}

impl<'a, 'q> Reader<'a, 'q> {
    fn new(queries: &'q [Query]) -> Reader<'a, 'q> {
        let satisfied = queries.is_empty();
        Reader { queries, path: Vec::new(), inspected: 0, structured: false, satisfied }
    }

    /// Reads a value and the space around it; returns how many bytes that was. After a mistake
    /// that is what came before it, not always 0: the Go library does so, and types depend on it.
    fn any(&mut self, bytes: &'a [u8], depth: usize) -> usize {
        if depth > DEPTH_MAX {
            return 0;
        }
        let mut at = self.space(bytes);
        let Some(first) = bytes.get(at) else { return 0 };
        if matches!(first, b'"' | b'[' | b'{') {
            at += 1;
            self.inspected += 1;
        }
        let rest = &bytes[at..];
        let length = match first {
            b'"' => self.string(rest),
            b'[' => self.array(rest, depth + 1),
            b'{' => self.object(rest, depth + 1),
            b't' => self.word(rest, b"true"),
            b'f' => self.word(rest, b"false"),
            b'n' => self.word(rest, b"null"),
            _ => self.number(rest),
        };
        self.structured |= depth == 0 && matches!(first, b'[' | b'{');
        if length == 0 {
            return at;
        }
        at += length;
        at + self.space(&bytes[at..])
    }

    fn space(&mut self, bytes: &[u8]) -> usize {
        let space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let count = bytes.iter().take_while(space).count();
        self.inspected += count;
        count
    }

    fn word(&mut self, bytes: &[u8], word: &[u8]) -> usize {
        let alike = word.iter().zip(bytes).take_while(|(wanted, byte)| wanted == byte).count();
        self.inspected += alike;
        if alike == word.len() { alike } else { 0 }
    }

    /// The rest of a string, with its closing quote.
    fn string(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            self.inspected += 1;
            match byte {
                b'"' => return at,
                b'\\' => match bytes.get(at) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                        at += 1;
                        self.inspected += 1;
                    }
                    Some(b'u') => {
                        let digits = &bytes[at + 1..bytes.len().min(at + 5)];
                        let valid = digits.iter().take_while(|b| b.is_ascii_hexdigit()).count();
                        at += 1 + valid;
                        self.inspected += 1 + valid;
                        if valid < digits.len() {
                            return 0;
                        }
                    }
                    _ => return 0,
                },
                _ => {}
            }
        }
        0
    }

    fn number(&mut self, bytes: &[u8]) -> usize {
        let digits = |at: usize| bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let sign = |at: usize, signs: &[u8]| {
            usize::from(bytes.get(at).is_some_and(|byte| signs.contains(byte)))
        };
        let mut at = sign(0, b"-");
        let whole = digits(at);
        at += whole;
        at += sign(at, b".");
        let fraction = digits(at);
        at += fraction;
        let mut complete = whole + fraction > 0;
        if complete && matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            at += sign(at, b"+-");
            let exponent = digits(at);
            at += exponent;
            complete = exponent > 0;
        }
        self.inspected += at;
        if complete { at } else { 0 }
    }

    /// The rest of an array, with its bracket. The path keeps a mark for it that only an empty
    /// end takes away, as in the Go library.
    fn array(&mut self, bytes: &'a [u8], depth: usize) -> usize {
        self.push(b"[");
        let mut at = 0;
        while at < bytes.len() {
            at += self.space(&bytes[at..]);
            if bytes.get(at) == Some(&b']') {
                self.inspected += 1;
                self.pop();
                return at + 1;
            }
            match self.any(&bytes[at..], depth) {
                0 => return 0,
                length => at += length,
            }
            match bytes.get(at) {
                Some(b',') => {
                    at += 1;
                    self.inspected += 1;
                }
                Some(b']') => {
                    self.inspected += 1;
                    return at + 1;
                }
                _ => return 0,
            }
        }
        0
    }

    /// The rest of an object, with its brace.
    fn object(&mut self, bytes: &'a [u8], depth: usize) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            at += self.space(&bytes[at..]);
            match bytes.get(at) {
                Some(b'}') => {
                    self.inspected += 1;
                    return at + 1;
                }
                Some(b'"') => {
                    at += 1;
                    self.inspected += 1;
                }
                _ => return 0,
            }
            match self.member(&bytes[at..], depth) {
                0 => return 0,
                length => at += length,
            }
            match bytes.get(at) {
                Some(b',') => {
                    self.pop();
                    at += 1;
                    self.inspected += 1;
                }
                Some(b'}') => {
                    self.pop();
                    self.inspected += 1;
                    return at + 1;
                }
                _ => return 0,
            }
        }
        0
    }

    /// The rest of a key, the colon and the value.
    fn member(&mut self, bytes: &'a [u8], depth: usize) -> usize {
        let mut at = self.string(bytes);
        if at == 0 {
            return 0;
        }
        self.push(&bytes[..at - 1]);
        let wanted = match self.satisfied {
            true => None,
            false => self.queries.iter().find(|(path, _)| *path == self.path).map(|(_, v)| *v),
        };
        at += self.space(&bytes[at..]);
        if bytes.get(at) != Some(&b':') {
            return 0;
        }
        at += 1;
        self.inspected += 1;
        at += self.space(&bytes[at..]);
        let length = self.any(&bytes[at..], depth);
        if length == 0 {
            return 0;
        }
        if let Some(values) = wanted {
            let value = bytes[at..at + length].trim_ascii();
            self.satisfied |= values.is_empty() || values.contains(&value);
        }
        at + length
    }

    fn push(&mut self, key: &'a [u8]) {
        if !self.queries.is_empty() {
            self.path.push(key);
        }
    }

    fn pop(&mut self) {
        self.path.pop();
    }
}
