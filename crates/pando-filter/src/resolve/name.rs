//! Takes the names apart that filters use: which are looked up, and what modifies them.
//!
//! Source: PocketBase `core/record_field_resolver.go`.

use crate::error::FilterError;

/// What a path asks about its last field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modifier {
    Isset,
    Changed,
    Length,
    Each,
    Lower,
}

impl Modifier {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Modifier::Isset => "isset",
            Modifier::Changed => "changed",
            Modifier::Length => "length",
            Modifier::Each => "each",
            Modifier::Lower => "lower",
        }
    }
}

/// Splits `name:modifier`. Anything with no or several colons is a name.
pub(crate) fn split_modifier(part: &str) -> Result<(&str, Option<Modifier>), FilterError> {
    let Some((name, modifier)) = part.split_once(':').filter(|(_, rest)| !rest.contains(':'))
    else {
        return Ok((part, None));
    };
    let modifier = match modifier {
        "isset" => Modifier::Isset,
        "changed" => Modifier::Changed,
        "length" => Modifier::Length,
        "each" => Modifier::Each,
        "lower" => Modifier::Lower,
        _ => return Err(FilterError::UnknownModifier(part.to_owned())),
    };
    Ok((name, Some(modifier)))
}

/// Splits `COLLECTION_via_FIELD`, at the last `_via_` as PocketBase's pattern does.
pub(super) fn split_via(part: &str) -> Option<(&str, &str)> {
    let word = |text: &str| !text.is_empty() && !text.contains(':');
    part.rsplit_once("_via_").filter(|(name, field)| word(name) && word(field))
}

/// Whether PocketBase would look a name up at all.
///
/// Source: the patterns of `allowedFields`.
pub(crate) fn allowed(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let path = |text: &str| text.bytes().all(|byte| word(byte) || byte == b'.' || byte == b':');
    let ends_well = |text: &str| text.bytes().last().is_some_and(word) && path(text);
    let Some(special) = name.strip_prefix('@') else {
        return name.bytes().next().is_some_and(word) && path(name);
    };
    if let Some(rest) = special.strip_prefix("request.") {
        let part = rest.split_once('.');
        return match part {
            None => matches!(rest, "context" | "method"),
            Some(("auth" | "body" | "query" | "headers", rest)) => ends_well(rest),
            Some(_) => false,
        };
    }
    let Some((target, rest)) =
        special.strip_prefix("collection.").and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    let words = |text: &str| !text.is_empty() && text.bytes().all(word);
    let (name, alias) = target.split_once(':').map_or((target, None), |(n, a)| (n, Some(a)));
    words(name) && alias.is_none_or(words) && ends_well(rest)
}
