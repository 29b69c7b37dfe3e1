//! Replaces what a server makes up (ids, times, tokens, file suffixes) by stable placeholders.
//!
//! A made-up value becomes `<kind N>`, where N counts the distinct values of that kind in the order
//! in which this server showed them first, so that "the same id as before" stays comparable.
//!
//! *Invariant*: values of the common data set are never replaced; both servers know them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// PocketBase's own date format.
const DATE_FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]Z");
const DATE_LENGTH: usize = "2006-01-02 15:04:05.000Z".len();
const ID_LENGTH: usize = 15;
const CLIENT_ID_LENGTH: usize = 40;
/// What separates the parts of a `multipart/byteranges` answer.
const BOUNDARY_LENGTH: usize = 60;
const SUFFIX_LENGTH: usize = 10;
/// What text fields of the data set generate by their pattern.
pub(crate) const GENERATED_TEXT_PREFIX: &str = "gen-";
/// Uploads of the tests that get no extension.
const NAMES_WITHOUT_EXTENSION: [&str; 2] = ["no_extension", "plain_name"];
/// What ends in that many random characters: ids of copied fields, names of views that are tried.
const DRAWN_SUFFIXES: [(&str, usize); 2] = [("_clone_", 4), ("temp_view_", 5)];
/// Clocks are read before and after an answer; allow for rounding.
const CLOCK_SLACK_SECONDS: i64 = 5;

/// The placeholders of one server.
#[derive(Clone, Debug)]
pub(super) struct Normalizer {
    known: BTreeSet<String>,
    run_started: OffsetDateTime,
    seen: BTreeMap<(&'static str, String), usize>,
    counts: BTreeMap<&'static str, usize>,
}

impl Normalizer {
    /// `known`: ids, file names and the like of the data set; they stay as they are.
    pub(super) fn new(known: BTreeSet<String>) -> Self {
        Self { known, run_started: now(), seen: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// Lets both sides count on from the same numbers: a value that only one of them made up in the
    /// last step then makes no difference in all later ones.
    pub(super) fn align(&mut self, other: &mut Self) {
        for (kind, count) in &mut self.counts {
            let theirs = other.counts.entry(kind).or_default();
            *theirs = (*count).max(*theirs);
        }
        self.counts.clone_from(&other.counts);
    }

    /// Normalises a JSON value; members are visited by name, so their order does not matter.
    pub(super) fn json(&mut self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.json(item)).collect()),
            Value::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(b.0));
                let visited: BTreeMap<&String, (String, Value)> = sorted
                    .into_iter()
                    .map(|(name, value)| (name, (self.text(name), self.json(value))))
                    .collect();
                // The answer's own order is kept, so that it can be compared too.
                let mut normal = Map::new();
                for name in members.keys() {
                    let (name, value) = visited[name].clone();
                    normal.insert(name, value);
                }
                Value::Object(normal)
            }
        }
    }

    /// Normalises a text: the whole of it or the made-up words within it.
    pub(super) fn text(&mut self, text: &str) -> String {
        if self.known.contains(text) {
            return text.to_owned();
        }
        if text.len() == ID_LENGTH && text.bytes().all(is_id_byte) && !is_chosen(text) {
            return self.place("id", text);
        }
        let text = self.dates(text);
        sort_references(&self.words(&text))
    }

    fn place(&mut self, kind: &'static str, value: &str) -> String {
        let key = (kind, value.to_owned());
        if let Some(number) = self.seen.get(&key) {
            return format!("<{kind} {number}>");
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let number = *count;
        self.seen.insert(key, number);
        format!("<{kind} {number}>")
    }

    /// Replaces the times that lie within this run by `<now>`.
    fn dates(&self, text: &str) -> String {
        let mut done = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let date = rest.get(..DATE_LENGTH).filter(|_| first.is_ascii_digit());
            match date.and_then(|date| time::PrimitiveDateTime::parse(date, DATE_FORMAT).ok()) {
                Some(date) => {
                    let date = date.assume_utc();
                    let slack = time::Duration::seconds(CLOCK_SLACK_SECONDS);
                    let ours = self.run_started <= date && date <= now() + slack;
                    done.push_str(if ours { "<now>" } else { &rest[..DATE_LENGTH] });
                    rest = &rest[DATE_LENGTH..];
                }
                None => {
                    done.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        done
    }

    fn words(&mut self, text: &str) -> String {
        let is_word_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let mut done = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let word_length = rest.bytes().take_while(|byte| is_word_byte(*byte)).count();
            if word_length == 0 {
                let other = rest.bytes().take_while(|byte| !is_word_byte(*byte)).count();
                done.push_str(&rest[..other]);
                rest = &rest[other..];
                continue;
            }
            done.push_str(&self.word(&rest[..word_length]));
            rest = &rest[word_length..];
        }
        done
    }

    fn word(&mut self, word: &str) -> String {
        if self.known.contains(word) {
            return word.to_owned();
        }
        if let Some(rest) = word.strip_prefix("--") {
            return format!("--{}", self.word(rest));
        }
        if let Some(rest) = word.strip_suffix("--") {
            return format!("{}--", self.word(rest));
        }
        if word.len() == BOUNDARY_LENGTH && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return self.place("boundary", word);
        }
        if let Some(claims) = claims_of(word) {
            return self.token(claims);
        }
        if word.starts_with(GENERATED_TEXT_PREFIX) {
            return self.place("generated", word);
        }
        if word.len() == CLIENT_ID_LENGTH && word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return self.place("client", word);
        }
        for (prefix, length) in DRAWN_SUFFIXES {
            if word.starts_with(prefix) && word.len() == prefix.len() + length {
                // Not numbered: four characters are drawn twice every now and then.
                return format!("{prefix}<drawn>");
            }
        }
        if let Some((head, tail)) = split_index_name(word) {
            return format!("{head}{}", self.place("index", tail));
        }
        if let Some((head, suffix, extension)) = split_file_name(word) {
            let head = self.file_head(head);
            return format!("{head}_{}{extension}", self.place("suffix", suffix));
        }
        let parts: Vec<String> = word.split('.').map(|part| self.id_within(part)).collect();
        parts.join(".")
    }

    /// The name before the suffix: names of under three characters get ten random ones appended,
    /// and a file that went through a batch has been given a suffix twice.
    fn file_head(&mut self, head: &str) -> String {
        if let Some((before, suffix)) = head.rsplit_once('_').filter(|(_, tail)| is_suffix(tail)) {
            return format!("{}_{}", self.file_head(before), self.place("suffix", suffix));
        }
        // A thumb has its size before the name: `100x100_a0123456789_…`.
        let last_length = head.rsplit('_').next().unwrap_or_default().len();
        let (kept, padding) = head.split_at(head.len() - last_length.min(SUFFIX_LENGTH));
        if (SUFFIX_LENGTH..=SUFFIX_LENGTH + 2).contains(&last_length) && is_suffix(padding) {
            return format!("{kept}{}", self.place("padding", padding));
        }
        head.to_owned()
    }

    /// An id inside a longer text must hold a digit: fifteen letters may well be a plain word.
    fn id_within(&mut self, part: &str) -> String {
        let id = part.len() == ID_LENGTH
            && part.bytes().all(is_id_byte)
            && part.bytes().any(|byte| byte.is_ascii_digit())
            && part.bytes().any(|byte| byte.is_ascii_alphabetic());
        if id && !self.known.contains(part) && !is_chosen(part) {
            self.place("id", part)
        } else {
            part.to_owned()
        }
    }

    /// A token becomes its claims, with the expiry told as a duration from now.
    fn token(&mut self, mut claims: Map<String, Value>) -> String {
        let issued = now().unix_timestamp();
        if let Some(expires) = claims.get("exp").and_then(Value::as_i64) {
            // Rounded to ten seconds: the answer may come a second after the token was made.
            let seconds = (expires - issued + 5).div_euclid(10) * 10;
            claims.insert("exp".to_owned(), Value::String(format!("in {seconds} s")));
        }
        let mut sorted: Vec<_> = claims.into_iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let claims = Value::Object(sorted.into_iter().collect());
        format!("<token {}>", self.json(&claims))
    }
}

/// PocketBase names the collections that refer to another in the random order of a Go map.
fn sort_references(text: &str) -> String {
    const BEFORE: &str = "due to existing reference in ";
    match text.split_once(BEFORE) {
        Some((head, names)) => {
            let mut names: Vec<&str> = names.trim_end_matches('.').split(", ").collect();
            names.sort_unstable();
            format!("{head}{BEFORE}{}.", names.join(", "))
        }
        None => text.to_owned(),
    }
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_suffix(text: &str) -> bool {
    text.len() == SUFFIX_LENGTH && text.bytes().all(is_id_byte)
}

/// Whether the tests chose this id: theirs are labels filled up with zeros.
fn is_chosen(id: &str) -> bool {
    id.contains("00000")
}

/// The claims of a JSON Web Token (RFC 7519), if the word is one.
fn claims_of(word: &str) -> Option<Map<String, Value>> {
    let mut parts = word.split('.');
    let (head, claims) = (parts.next()?, parts.next()?);
    if !head.starts_with("eyJ") || parts.next().is_none() || parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// `idx_tokenKey_` and ten random characters: index names of an auth collection not yet saved.
fn split_index_name(word: &str) -> Option<(&str, &str)> {
    let rest = word.strip_prefix("idx_")?;
    let tail = rest.rsplit('_').next()?;
    is_suffix(tail).then(|| word.split_at(word.len() - SUFFIX_LENGTH))
}

/// `name_`, ten random characters, `.ext`: how PocketBase names uploaded files.
fn split_file_name(word: &str) -> Option<(&str, &str, &str)> {
    for (at, _) in word.match_indices('_') {
        let after = &word[at + 1..];
        let suffix = after.get(..SUFFIX_LENGTH)?;
        let extension = &after[SUFFIX_LENGTH..];
        // Without an extension it may be any word, so those names are listed.
        let ends_well = extension.starts_with('.')
            || extension.is_empty() && NAMES_WITHOUT_EXTENSION.contains(&&word[..at]);
        if ends_well && is_suffix(suffix) {
            return Some((&word[..at], suffix, extension));
        }
    }
    None
}

fn now() -> OffsetDateTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    OffsetDateTime::UNIX_EPOCH + since
}

#[cfg(test)]
mod tests;
