//! The `fields` parameter: which members of an answer are wanted.
//!
//! `a,b.c,*,text:excerpt(100,true)`: names and paths, all of a level, and excerpts of rich text.
//! Source: PocketBase `tools/picker`, `tools/tokenizer`.

mod entities;
mod excerpt;
mod markup;

use serde_json::{Map, Value as Json};

use excerpt::Excerpt;

/// Why a `fields` parameter cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PickError {
    #[error("unbalanced parenthesis or quoted expression: {0:?}")]
    Unbalanced(String),
    #[error("missing or invalid modifier {0:?}")]
    Modifier(String),
    #[error("excerpt needs a length above 0, and takes nothing but that and withEllipsis")]
    ExcerptArguments,
}

/// A parsed `fields` parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Picker {
    wanted: Vec<Wanted>,
}

#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    /// Relative to the level at hand.
    path: String,
    excerpt: Option<Excerpt>,
}

impl Picker {
    /// Parses the parameter. Of a path that is given twice the last counts.
    pub fn parse(fields: &str) -> Result<Picker, PickError> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for token in tokens(fields, &[','], true)? {
            let (path, excerpt) = match token.split_once(':') {
                Some((path, modifier)) => (path, Some(parse_excerpt(modifier)?)),
                None => (token.as_str(), None),
            };
            wanted.retain(|known| known.path != path);
            wanted.push(Wanted { path: path.to_owned(), excerpt });
        }
        Ok(Picker { wanted })
    }

    /// Removes from `data`, an object or a list of objects, what is not wanted.
    pub fn pick(&self, data: &mut Json) {
        pick_value(data, &self.wanted);
    }
}

fn pick_value(data: &mut Json, wanted: &[Wanted]) {
    match data {
        Json::Object(members) => pick_members(members, wanted),
        // A list counts as one of objects if its first item is one.
        Json::Array(items) if matches!(items.first(), Some(Json::Object(_))) => {
            for item in items {
                if let Json::Object(members) = item {
                    pick_members(members, wanted);
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {}
    }
}

fn pick_members(members: &mut Map<String, Json>, wanted: &[Wanted]) {
    if wanted.is_empty() {
        return;
    }
    let all = wanted.iter().find(|wanted| wanted.path == "*");
    members.retain(|name, member| {
        let mut nested = Vec::new();
        for candidate in wanted {
            match candidate.path.strip_prefix(name.as_str()) {
                Some("") => {
                    apply(candidate.excerpt, member);
                    return true;
                }
                Some(rest) if rest.starts_with('.') => nested.push(Wanted {
                    path: rest[1..].trim_end_matches('.').to_owned(),
                    excerpt: candidate.excerpt,
                }),
                Some(_) | None => {}
            }
        }
        if nested.is_empty() {
            if let Some(all) = all {
                apply(all.excerpt, member);
            }
            return all.is_some();
        }
        pick_value(member, &nested);
        true
    });
}

fn apply(excerpt: Option<Excerpt>, member: &mut Json) {
    if let (Some(excerpt), Json::String(text)) = (excerpt, &mut *member) {
        *text = excerpt.of(text);
    }
}

/// `excerpt(max, withEllipsis?)`, the only modifier there is.
fn parse_excerpt(text: &str) -> Result<Excerpt, PickError> {
    let parts = tokens(text, &['(', ')', ',', ' '], false)?;
    let (name, arguments) = parts.split_first().ok_or(PickError::Modifier(text.to_owned()))?;
    if name != "excerpt" {
        return Err(PickError::Modifier(name.clone()));
    }
    let (max, ellipsis) = match arguments {
        [max] => (max, ""),
        [max, ellipsis] => (max, ellipsis.as_str()),
        _ => return Err(PickError::ExcerptArguments),
    };
    // Decimals are cut off, as everywhere where PocketBase wants a whole number.
    let whole = max.split_once('.').map_or(max.as_str(), |(whole, _)| whole);
    match whole.parse::<usize>() {
        Ok(chars_max) if chars_max > 0 => {
            Ok(Excerpt { chars_max, with_ellipsis: crate::value::parse_bool(ellipsis) })
        }
        Ok(_) | Err(_) => Err(PickError::ExcerptArguments),
    }
}

/// Splits at separators outside of quotes and (if they count) parentheses; trims, drops empties.
fn tokens(
    text: &str,
    separators: &[char],
    parentheses_count: bool,
) -> Result<Vec<String>, PickError> {
    let mut found = Vec::new();
    let mut token = String::new();
    let (mut depth, mut quote, mut previous) = (0_usize, None, '\0');
    for character in text.chars() {
        if previous != '\\' {
            match (character, quote) {
                ('(', None) if parentheses_count => depth += 1,
                (')', None) if parentheses_count => depth = depth.saturating_sub(1),
                ('\'' | '"' | '`', None) => quote = Some(character),
                (_, Some(open)) if open == character => quote = None,
                _ => {}
            }
        }
        if depth == 0 && quote.is_none() && separators.contains(&character) {
            found.push(std::mem::take(&mut token));
            previous = '\0';
        } else {
            token.push(character);
            previous = character;
        }
    }
    if depth > 0 || quote.is_some() {
        return Err(PickError::Unbalanced(token));
    }
    found.push(token);
    let trimmed = found.iter().map(|token| token.trim().to_owned());
    Ok(trimmed.filter(|token| !token.is_empty()).collect())
}

#[cfg(test)]
mod tests;
