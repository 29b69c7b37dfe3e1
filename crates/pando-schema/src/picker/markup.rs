//! Where tags, comments and raw contents of HTML start and end.
//!
//! Source: WHATWG HTML, "Tokenization".

pub(super) fn white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0c | b'\r')
}

/// Where the next tag, comment or declaration starts; a `<` before anything else is text.
pub(super) fn markup_start(text: &str) -> usize {
    let bytes = text.as_bytes();
    let starts = |index: usize| match bytes.get(index + 1) {
        Some(b'!' | b'?') => true,
        Some(b'/') => bytes.get(index + 2).is_some(),
        Some(next) => next.is_ascii_alphabetic(),
        None => false,
    };
    let found = bytes.iter().enumerate().find(|(index, byte)| **byte == b'<' && starts(*index));
    found.map_or(text.len(), |(index, _)| index)
}

/// The text behind a comment; one that is not closed goes to the end.
pub(super) fn after_comment(comment: &str) -> &str {
    if let Some(rest) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
        return rest;
    }
    let ends = [comment.find("-->").map(|at| at + 3), comment.find("--!>").map(|at| at + 4)];
    ends.into_iter().flatten().min().map_or("", |end| &comment[end..])
}

/// The lower-cased name of a tag and the text behind it, minding quoted attributes.
pub(super) fn read_tag(tag: &str) -> (String, &str) {
    let name_end = tag.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'));
    let name_end = name_end.unwrap_or(tag.len());
    let name = tag[..name_end].to_ascii_lowercase();
    let mut quote = None;
    let mut after_equals = false;
    for (index, byte) in tag.bytes().enumerate().skip(name_end) {
        match (byte, quote) {
            (_, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => {}
            (b'>', None) => return (name, &tag[index + 1..]),
            (b'"' | b'\'', None) if after_equals => quote = Some(byte),
            _ => {}
        }
        if !white(byte) {
            after_equals = byte == b'=';
        }
    }
    (name, "")
}

/// The raw content of an element and the text behind its end tag.
pub(super) fn split_raw<'a>(name: &str, text: &'a str) -> (&'a str, &'a str) {
    let mut from = 0;
    while let Some(offset) = text[from..].find("</") {
        let start = from + offset;
        let tag = &text[start + 2..];
        let matches = tag.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        let ended = tag[name.len().min(tag.len())..]
            .starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'));
        if matches && ended {
            return (&text[..start], read_tag(tag).1);
        }
        from = start + 2;
    }
    (text, "")
}
