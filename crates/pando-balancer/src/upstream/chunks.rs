//! Reads a body in chunks, strictly: what one program reads as a chunk, another must not read as a
//! request.
//!
//! Source: RFC 9112 7.1.
//! *Invariant*: line ends are CRLF, sizes are hexadecimal digits and nothing else.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::head::Malformed;

/// The longest line with the size of a chunk and its extensions, which are dropped.
const SIZE_LINE_BYTES_MAX: usize = 1 << 10;
/// The trailer fields all together.
const TRAILERS_BYTES_MAX: usize = 16 << 10;
const TRAILERS_MAX: usize = 32;

/// How far the reading has come.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    state: State,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailers,
}

/// A part of the body.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    /// The end; empty if there are no trailer fields.
    End(HeaderMap),
}

impl Chunks {
    /// The next part, or `None` if more input is needed.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Piece>, Malformed> {
        loop {
            match self.state {
                State::Size => {
                    let Some(line) = take_line(input, SIZE_LINE_BYTES_MAX)? else {
                        return Ok(None);
                    };
                    self.state = match parse_size(&line)? {
                        0 => State::Trailers,
                        size => State::Data(size),
                    };
                }
                State::Data(_) if input.is_empty() => return Ok(None),
                State::Data(left) => {
                    let there = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let data = input.split_to(there).freeze();
                    self.state = match left - there as u64 {
                        0 => State::DataEnd,
                        left => State::Data(left),
                    };
                    return Ok(Some(Piece::Data(data)));
                }
                State::DataEnd => match input.get(..2) {
                    None if input.first().is_none_or(|byte| *byte == b'\r') => return Ok(None),
                    Some(b"\r\n") => {
                        let _ = input.split_to(2);
                        self.state = State::Size;
                    }
                    _ => return Err(Malformed::Chunk),
                },
                State::Trailers => return take_trailers(input).map(|it| it.map(Piece::End)),
            }
        }
    }
}

/// A line without its end, or `None` if it has not all come.
fn take_line(input: &mut BytesMut, bytes_max: usize) -> Result<Option<BytesMut>, Malformed> {
    let seen = &input[..input.len().min(bytes_max)];
    match seen.iter().position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && seen[end - 1] == b'\r' => {
            let mut line = input.split_to(end + 1);
            line.truncate(end - 1);
            Ok(Some(line))
        }
        Some(_) => Err(Malformed::Chunk),
        None if input.len() >= bytes_max => Err(Malformed::Chunk),
        None => Ok(None),
    }
}

fn parse_size(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if !(1..=16).contains(&digits) {
        return Err(Malformed::Chunk);
    }
    let size = line[..digits].iter().fold(0, |size, digit| {
        let value = char::from(*digit).to_digit(16).unwrap_or(0);
        size << 4 | u64::from(value)
    });
    let rest = &line[digits..];
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let extension = &rest[blanks..];
    let sound = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    match rest.is_empty() || (extension.first() == Some(&b';') && extension.iter().all(sound)) {
        true => Ok(size),
        false => Err(Malformed::Chunk),
    }
}

fn take_trailers(input: &mut BytesMut) -> Result<Option<HeaderMap>, Malformed> {
    if input.starts_with(b"\r\n") {
        let _ = input.split_to(2);
        return Ok(Some(HeaderMap::new()));
    }
    let mut fields = [httparse::EMPTY_HEADER; TRAILERS_MAX];
    match httparse::parse_headers(input, &mut fields) {
        Ok(httparse::Status::Complete((length, fields))) => {
            let mut trailers = HeaderMap::with_capacity(fields.len());
            for field in fields {
                let name = HeaderName::from_bytes(field.name.as_bytes());
                let value = HeaderValue::from_bytes(field.value);
                let (Ok(name), Ok(value)) = (name, value) else { return Err(Malformed::Chunk) };
                trailers.append(name, value);
            }
            let _ = input.split_to(length);
            Ok(Some(trailers))
        }
        Ok(httparse::Status::Partial) if input.len() < TRAILERS_BYTES_MAX => Ok(None),
        Ok(httparse::Status::Partial) | Err(_) => Err(Malformed::Chunk),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    /// What is read when the input comes in steps of `step` bytes.
    fn read(text: &[u8], step: usize) -> String {
        let (mut chunks, mut input) = (Chunks::default(), BytesMut::new());
        let (mut body, mut fed) = (Vec::new(), 0);
        loop {
            match chunks.next(&mut input) {
                Err(error) => return format!("{} then {error:?}", body.escape_ascii()),
                Ok(Some(Piece::Data(data))) => body.extend_from_slice(&data),
                Ok(Some(Piece::End(trailers))) => {
                    let rest = [&input[..], &text[fed..]].concat();
                    let mut shown = body.escape_ascii().to_string();
                    for (name, value) in &trailers {
                        shown.push_str(&format!(" {name}={}", value.to_str().unwrap_or("?")));
                    }
                    return format!("{shown} end, left {:?}", rest.escape_ascii().to_string());
                }
                Ok(None) if fed == text.len() => {
                    return format!("{} then waits", body.escape_ascii());
                }
                Ok(None) => {
                    let next = text.len().min(fed + step);
                    input.extend_from_slice(&text[fed..next]);
                    fed = next;
                }
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let whole = read(text.as_bytes(), usize::MAX / 2);
        assert_eq!(read(text.as_bytes(), 1), whole, "byte by byte");
        expect.assert_eq(&whole);
    }

    #[test]
    fn bodies() {
        check("3\r\nabc\r\n0\r\n\r\nGET", expect![[r#"abc end, left "GET""#]]);
        check("0a;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", expect![[r#"0123456789 end, left """#]]);
        check("1 ;x\r\na\r\n00\r\nA: b\r\nC: d\r\n\r\n", expect![[r#"a a=b c=d end, left """#]]);
        check("3\r\nab", expect!["ab then waits"]);
    }

    #[test]
    fn what_others_might_read_otherwise() {
        for wrong in [
            "3\nabc\r\n0\r\n\r\n",
            "3\r\nabcd\r\n",
            "3\r\nabc\n0\r\n\r\n",
            "\r\n",
            "g\r\n",
            "+3\r\nabc",
            "-1\r\n",
            "0x3\r\nabc",
            "3 3\r\nabc",
            "3 \r\nabc",
            " 3\r\nabc",
            "10000000000000000\r\n",
            "3;\u{1}\r\nabc",
        ] {
            assert!(read(wrong.as_bytes(), 4096).ends_with("then Chunk"), "{wrong:?}");
        }
        let long = format!("3;{}", "x".repeat(SIZE_LINE_BYTES_MAX));
        assert!(read(long.as_bytes(), 4096).ends_with("then Chunk"));
    }

    proptest! {
        #[test]
        fn any_input_is_survived(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(read(&text, 1), read(&text, 300));
        }

        #[test]
        fn what_is_written_reads_back(parts in proptest::collection::vec("[a-z]{1,20}", 0..8)) {
            let chunk = |part: &String| format!("{:x}\r\n{part}\r\n", part.len());
            let text = parts.iter().map(chunk).collect::<String>() + "0\r\n\r\nrest";
            let read = read(text.as_bytes(), 3);
            prop_assert_eq!(read, format!("{} end, left \"rest\"", parts.concat()));
        }
    }
}
