//! Reads the few elements of S3's answers that matter.
//!
//! These answers are flat and machine-made: no comments, no CDATA, no element within one of the
//! same name. So an element is what stands between its tags.

/// The text of the first element of that name, decoded.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next().map(decode)
}

/// What stands within each of the elements of that name.
pub(super) fn elements<'x>(xml: &'x str, name: &str) -> impl Iterator<Item = &'x str> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find(&open)?;
            let after = &rest[at + open.len()..];
            let end = after.find('>')?;
            let (attributes, content) = (&after[..end], &after[end + 1..]);
            rest = content;
            // Else it is an element whose name only begins like this.
            if !attributes.is_empty() && !attributes.starts_with([' ', '/', '\n', '\t', '\r']) {
                continue;
            }
            if attributes.ends_with('/') {
                return Some("");
            }
            let length = content.find(&close)?;
            rest = &content[length + close.len()..];
            return Some(&content[..length]);
        }
    })
}

/// Replaces references to characters.
fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let reference = after.split_once(';').and_then(|(name, rest)| Some((named(name)?, rest)));
        match reference {
            Some((character, after)) => {
                decoded.push(character);
                rest = after;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn named(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Text as it may stand in an element.
pub(super) fn encode(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><KeyCount>2</KeyCount>\
        <Contents><Key>a&amp;b&#x20;&#33;</Key><ETag>&quot;1&quot;</ETag></Contents>\
        <Contents><Key>c</Key><Owner/></Contents><Next Token/></ListBucketResult>";

    #[test]
    fn elements_are_found_by_their_names() {
        let contents: Vec<&str> = elements(LIST, "Contents").collect();
        assert_eq!(contents.len(), 2);
        assert_eq!(text(contents[0], "Key").as_deref(), Some("a&b !"));
        assert_eq!(text(contents[0], "ETag").as_deref(), Some("\"1\""));
        assert_eq!(text(contents[1], "Owner").as_deref(), Some(""));
        assert_eq!(text(LIST, "KeyCount").as_deref(), Some("2"));
        assert_eq!(text(LIST, "ListBucketResult").map(|text| text.is_empty()), Some(false));
        assert_eq!(text(LIST, "Count"), None);
    }

    #[test]
    fn broken_texts_do_no_harm() {
        for xml in ["", "<", "<Key", "<Key>", "<Key>a", "<Key>a</Kex>", "<Key/", "<Keys>a</Keys>"] {
            assert_eq!(text(xml, "Key"), None, "{xml}");
        }
        assert_eq!(text("<Key>a&b&#xffffffff;&;&</Key>", "Key").unwrap(), "a&b&#xffffffff;&;&");
    }
}
