//! The text of an HTML mail, for programs that show no HTML.
//!
//! Written for the short texts of mail templates, not for any web page: blocks become lines, a
//! link becomes `[label](address)`, an item of a list begins with a dash.
//!
//! Source: PocketBase `tools/mailer/html2text.go`.

/// Elements of which nothing is shown.
const HIDDEN: [&str; 13] = [
    "style", "script", "iframe", "applet", "object", "svg", "button", "form", "textarea", "select",
    "option", "template", "title",
];

/// Elements that stand inside of a line.
const INLINE: [&str; 11] =
    ["a", "span", "small", "strike", "strong", "sub", "sup", "em", "b", "u", "i"];

/// The text of `html`.
pub(super) fn plain_text(html: &str) -> String {
    let mut text = Text::default();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push(&rest[..start]);
        rest = &rest[start..];
        let Some(tag) = Tag::read(rest) else {
            text.push("<");
            rest = &rest[1..];
            continue;
        };
        rest = &rest[tag.length..];
        if !tag.closing && HIDDEN.contains(&tag.name.as_str()) {
            rest = after_element(rest, &tag.name);
        } else {
            text.tag(&tag);
        }
    }
    text.push(rest);
    text.end_link();
    text.out.trim().to_owned()
}

/// What follows the end tag of the element `name`.
fn after_element<'a>(rest: &'a str, name: &str) -> &'a str {
    for (start, _) in rest.match_indices("</") {
        if let Some(tag) = Tag::read(&rest[start..])
            && tag.name == name
        {
            return &rest[start + tag.length..];
        }
    }
    ""
}

#[derive(Debug, Default)]
struct Text {
    out: String,
    /// Whether the line has something, so that a block must begin a new one.
    line_begun: bool,
    link: Option<Link>,
}

/// A link that has begun.
#[derive(Debug)]
struct Link {
    address: String,
    /// Where its label begins in the output.
    label_at: usize,
}

impl Text {
    fn push(&mut self, html: &str) {
        let mut gap = false;
        for c in decoded(html).chars() {
            if c.is_whitespace() {
                gap = true;
                continue;
            }
            if gap && self.line_begun {
                self.out.push(' ');
            }
            gap = false;
            self.out.push(c);
            self.line_begun = true;
        }
        if gap && self.line_begun && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        if name == "a" {
            self.end_link();
            if !tag.closing {
                let address = tag.address.clone();
                self.link = Some(Link { address, label_at: self.out.len() });
            }
        } else if name == "br" || (!INLINE.contains(&name) && self.line_begun) {
            self.out.truncate(self.out.trim_end_matches(' ').len());
            self.out.push_str("\r\n");
            self.line_begun = false;
        }
        if name == "li" && !tag.closing {
            self.out.push_str("- ");
        }
    }

    fn end_link(&mut self) {
        let Some(link) = self.link.take() else { return };
        let label_at = link.label_at.min(self.out.len());
        let label = self.out.split_off(label_at);
        let label = Some(label.trim()).filter(|label| !label.is_empty()).unwrap_or("LINK");
        self.out.push('[');
        self.out.push_str(label);
        self.out.push(']');
        if !link.address.is_empty() {
            self.out.push('(');
            self.out.push_str(&link.address);
            self.out.push(')');
        }
        self.line_begun = true;
    }
}

/// A tag, or a comment as a tag without a name.
#[derive(Debug)]
struct Tag {
    name: String,
    closing: bool,
    /// The value of `href`.
    address: String,
    /// Bytes from `<` to `>`.
    length: usize,
}

impl Tag {
    /// The tag at the start of `html`; `None` if the `<` begins none.
    fn read(html: &str) -> Option<Tag> {
        if html.starts_with("<!--") {
            let length = html.find("-->").map_or(html.len(), |end| end + 3);
            // As an inline element, which changes nothing.
            let name = "span".to_owned();
            return Some(Tag { name, closing: false, address: String::new(), length });
        }
        let closing = html.starts_with("</");
        let inner = html.get(if closing { 2 } else { 1 }..)?;
        let first = inner.chars().next()?;
        if !first.is_ascii_alphabetic() && first != '!' {
            return None;
        }
        let length = tag_length(html)?;
        let inner = inner.get(..length - 1 - (html.len() - inner.len()))?;
        let end = inner.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(end);
        let address = attribute(attributes, "href").map(decoded).unwrap_or_default();
        Some(Tag { name: name.to_ascii_lowercase(), closing, address, length })
    }
}

/// Bytes up to the `>` that ends a tag, which may stand in quotes before.
fn tag_length(html: &str) -> Option<usize> {
    let mut quote = None;
    for (index, c) in html.char_indices() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('>', None) => return Some(index + 1),
            _ => {}
        }
    }
    None
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(value) => attribute_value(value.trim_start()),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = after.trim_start();
    }
    None
}

/// The value at the start of `text`, and what follows.
fn attribute_value(text: &str) -> (&str, &str) {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    };
    let inner = &text[1..];
    inner.split_once(quote).unwrap_or((inner, ""))
}

/// `html` with the character references that mails have resolved.
fn decoded(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('&') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let reference = rest.find(';').and_then(|end| Some((referred(&rest[1..end])?, end)));
        match reference {
            Some((c, end)) => {
                text.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

fn referred(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "copy" => '©',
        "hellip" => '…',
        "mdash" => '—',
        "ndash" => '–',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|c| !c.is_control())?
        }
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_template_becomes_lines() {
        let html = "<p>Hello,</p>\n<p>Verify  your\n address:</p>\n<p>\n  <a class=\"btn\" \
                    href=\"http://x.co/#/t>a&amp;b\" target=_blank>Verify <b>now</b></a>\n</p>\n\
                    <ul><li>one</li><li>two &lt;3</li></ul><p>\n  Thanks,<br/>\n  Acme team\n</p>";
        expect![[r#"
            Hello,
            Verify your address:
            [Verify now](http://x.co/#/t>a&b)
            - one
            - two <3
            Thanks,
            Acme team"#]]
        .assert_eq(&plain_text(html).replace("\r\n", "\n"));
    }

    #[test]
    fn oddities_are_text_or_nothing() {
        let cases = [
            ("", ""),
            ("1 < 2 & 3", "1 < 2 & 3"),
            ("a<!-- <p>x</p> -->b", "ab"),
            ("a<style>p { }</style>b<script>if (a </b) x</script>c", "abc"),
            ("a<STYLE>open", "a"),
            ("<a>x</a> <a href=''></a> <a href=y>z", "[x] [LINK] [z](y)"),
            ("&#233;&#xe9;&nope;&#0;&;", "éé&nope;&#0;&;"),
            ("unended <p class='", "unended <p class='"),
            ("<a = x='>' \"\" HREF = y>z</a>", "[z](y)"),
            ("<a \" href=y>z</a>", "<a \" href=y>z"),
        ];
        for (html, expected) in cases {
            assert_eq!(plain_text(html), expected, "{html:?}");
        }
    }
}
