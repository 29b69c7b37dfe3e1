//! The first words of a rich text, as plain text.
//!
//! The HTML is read the way browsers read it, as far as that changes which text shows and where
//! words end; text misplaced inside of tables is not moved out of them.
//! Source: PocketBase `tools/picker/excerpt_modifier.go`, WHATWG HTML "Parsing".

use super::entities::push_unescaped;
use super::markup::{after_comment, markup_start, read_tag, split_raw, white};

/// Up to how many characters of plain text, and whether `...` shows that there was more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Excerpt {
    pub(super) chars_max: usize,
    pub(super) with_ellipsis: bool,
}

/// Elements whose content does not show.
const EXCLUDED: [&str; 18] = [
    "head", "style", "script", "iframe", "embed", "applet", "object", "svg", "img", "picture",
    "dialog", "template", "button", "form", "textarea", "input", "select", "option",
];

/// Elements that do not end a word.
const INLINE: [&str; 21] = [
    "a", "abbr", "acronym", "b", "bdo", "big", "br", "button", "cite", "code", "em", "i", "label",
    "q", "small", "span", "strong", "strike", "sub", "sup", "time",
];

/// Elements that have no content.
const VOID: [&str; 16] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "keygen", "link", "meta", "param",
    "source", "track", "wbr", "image",
];

/// Elements whose content is text up to their end tag, even if it looks like tags.
const RAW: [&str; 9] =
    ["iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title", "xmp"];

/// Elements that belong into the head while there is no body yet.
const HEAD: [&str; 10] = [
    "base", "basefont", "bgsound", "link", "meta", "noframes", "noscript", "script", "style",
    "title",
];

/// Elements that only count within a table.
const TABLE_PARTS: [&str; 9] =
    ["caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"];

/// Elements whose end tags may cross those of blocks.
const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

/// Elements that a paragraph cannot contain: they end it.
const PARAGRAPH_ENDS: [&str; 41] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dd",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "plaintext",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
    "xmp",
];

/// No rich text nests deeper; further elements are treated as if they were not there.
const DEPTH_MAX: usize = 512;

impl Excerpt {
    pub(super) fn of(self, html: &str) -> String {
        let mut reader = Reader {
            bytes_max: self.chars_max.saturating_add(2),
            // The document itself is a block.
            out: " ".to_owned(),
            space_before: true,
            open: Vec::new(),
            body_seen: false,
        };
        reader.read(html);
        let text = reader.out.trim();
        match text.char_indices().nth(self.chars_max) {
            None => text.to_owned(),
            Some((end, _)) => {
                let cut = text[..end].trim();
                if self.with_ellipsis { format!("{cut}...") } else { cut.to_owned() }
            }
        }
    }
}

struct Reader {
    /// Once the text is longer than this, no further element is entered.
    bytes_max: usize,
    out: String,
    space_before: bool,
    open: Vec<Element>,
    /// Whether something came that opens the body.
    body_seen: bool,
}

struct Element {
    name: String,
    /// Whether its text shows, and that of all elements around it.
    shown: bool,
    block: bool,
    /// A table whose first row is still to come. Text up to there goes before the table, so that
    /// it is not set apart from what comes before.
    rowless_table: bool,
}

impl Reader {
    fn read(&mut self, html: &str) {
        let mut rest = html;
        while !rest.is_empty() {
            let text_end = markup_start(rest);
            self.text(&rest[..text_end], true);
            rest = &rest[text_end..];
            if let Some(markup) = rest.strip_prefix('<') {
                rest = self.markup(markup);
            }
        }
        while !self.open.is_empty() {
            self.close_innermost();
        }
    }

    fn shown(&self) -> bool {
        self.open.last().is_none_or(|element| element.shown)
    }

    /// Adds text, runs of white space as one space.
    fn text(&mut self, text: &str, escaped: bool) {
        if text.is_empty() {
            return;
        }
        if !text.bytes().all(white) {
            self.body_seen = true;
        }
        if !self.shown() || !self.body_seen {
            return;
        }
        let mut plain = String::with_capacity(text.len());
        if escaped {
            push_unescaped(text, &mut plain);
        } else {
            plain.push_str(text);
        }
        for character in plain.chars().filter(|character| *character != '\0') {
            let space = matches!(character, ' ' | '\t' | '\n' | '\x0c' | '\r');
            if !(space && self.space_before) {
                self.out.push(if space { ' ' } else { character });
            }
            self.space_before = space;
        }
    }

    fn space(&mut self) {
        if !self.space_before {
            self.out.push(' ');
            self.space_before = true;
        }
    }

    /// Handles a tag, comment or declaration (without its `<`); returns what follows.
    fn markup<'a>(&mut self, markup: &'a str) -> &'a str {
        if let Some(comment) = markup.strip_prefix("!--") {
            return after_comment(comment);
        }
        if let Some(end_tag) = markup.strip_prefix('/') {
            let named = end_tag.starts_with(|c: char| c.is_ascii_alphabetic());
            let (name, rest) = read_tag(end_tag);
            if named {
                self.end(&name);
            }
            return rest;
        }
        if markup.starts_with(['!', '?']) {
            return markup.split_once('>').map_or("", |(_, rest)| rest);
        }
        let (name, rest) = read_tag(markup);
        self.start(&name, rest)
    }

    /// Opens an element; returns what follows it, or its raw content.
    fn start<'a>(&mut self, name: &str, rest: &'a str) -> &'a str {
        if matches!(name, "html" | "head" | "body" | "frameset" | "frame") {
            self.body_seen |= name == "body";
            return rest;
        }
        let in_table = self.open.iter().any(|element| element.name == "table");
        if TABLE_PARTS.contains(&name) && !in_table {
            return rest;
        }
        let in_head = !self.body_seen && HEAD.contains(&name);
        self.body_seen |= !in_head && name != "template";
        if PARAGRAPH_ENDS.contains(&name) {
            self.close_paragraph();
        }
        self.close_implied(name);
        self.enter(name, in_head);
        if VOID.contains(&name) {
            self.close_innermost();
            return rest;
        }
        if name == "plaintext" {
            self.text(rest, false);
            return "";
        }
        if !RAW.contains(&name) {
            return rest;
        }
        let (raw, behind) = split_raw(name, rest);
        if !in_head {
            self.text(raw, matches!(name, "textarea" | "title"));
        }
        self.close_innermost();
        behind
    }

    fn enter(&mut self, name: &str, in_head: bool) {
        let excluded = in_head || EXCLUDED.contains(&name);
        let outer_shown = self.shown();
        let block = !excluded && !INLINE.contains(&name);
        let rowless_table = name == "table";
        if TABLE_PARTS.contains(&name)
            && let Some(table) = self.open.iter_mut().rfind(|element| element.name == "table")
        {
            table.rowless_table = false;
        }
        if block && outer_shown && !rowless_table {
            self.space();
        }
        let shown = outer_shown && !excluded && self.out.len() <= self.bytes_max;
        if self.open.len() < DEPTH_MAX {
            self.open.push(Element { name: name.to_owned(), shown, block, rowless_table });
        }
    }

    fn close_innermost(&mut self) {
        if let Some(element) = self.open.pop()
            && element.block
            && self.shown()
        {
            self.space();
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "br" => {
                self.start("br", "");
                return;
            }
            "html" | "head" | "body" => return,
            _ => {}
        }
        let Some(index) = self.open.iter().rposition(|element| element.name == name) else {
            // An end tag alone makes an empty paragraph.
            if name == "p" && self.shown() {
                self.space();
            }
            return;
        };
        let crosses_block = self.open[index + 1..].iter().any(|element| element.block);
        if crosses_block && FORMATTING.contains(&name) {
            self.open.remove(index);
            return;
        }
        if crosses_block && !PARAGRAPH_ENDS.contains(&name) && INLINE.contains(&name) {
            // The end tag of another inline element does not reach beyond a block.
            return;
        }
        while self.open.len() > index {
            self.close_innermost();
        }
    }

    /// Closes an open paragraph, unless something stands between that keeps it open.
    fn close_paragraph(&mut self) {
        const BARRIERS: [&str; 9] =
            ["applet", "button", "caption", "marquee", "object", "table", "td", "template", "th"];
        for index in (0..self.open.len()).rev() {
            let name = self.open[index].name.as_str();
            if BARRIERS.contains(&name) {
                return;
            }
            if name == "p" {
                // Inline elements inside go on behind the paragraph.
                while self.open.len() > index {
                    self.close_innermost();
                }
                return;
            }
        }
    }

    /// Closes the list item, term, row or cell that the start tag `name` ends.
    fn close_implied(&mut self, name: &str) {
        let (ended, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu", "dir"]),
            "dd" | "dt" => (&["dd", "dt"], &["dl"]),
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "tr" => (&["tr"], &["table", "tbody", "thead", "tfoot"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot"], &["table"]),
            "option" => (&["option"], &["select", "datalist", "optgroup"]),
            _ => return,
        };
        for index in (0..self.open.len()).rev() {
            let open = self.open[index].name.as_str();
            if within.contains(&open) {
                return;
            }
            if ended.contains(&open) {
                while self.open.len() > index {
                    self.close_innermost();
                }
                return;
            }
        }
    }
}
