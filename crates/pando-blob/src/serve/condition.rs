//! Whether the conditions of a request hold (RFC 9110, section 13.2.2), as Go checks them.

use std::time::SystemTime;

use super::FileRequest;

pub(super) enum Decision {
    /// Serve it; parts of it only if `ranges`.
    Serve {
        ranges: bool,
    },
    NotModified,
    Failed,
}

/// `modified` is in whole seconds, `None` if unknown.
pub(super) fn decide(request: &FileRequest<'_>, modified: Option<SystemTime>) -> Decision {
    let unchanged_since = |header: Option<&str>| {
        let since = header.and_then(date)?;
        modified.map(|modified| modified <= since)
    };
    let holds = match present(request.if_match) {
        Some(tags) => any_version(tags),
        None => unchanged_since(request.if_unmodified_since).unwrap_or(true),
    };
    if !holds {
        return Decision::Failed;
    }
    let known = match present(request.if_none_match) {
        Some(tags) => any_version(tags),
        None => unchanged_since(request.if_modified_since).unwrap_or(false),
    };
    if known {
        return Decision::NotModified;
    }
    let same = match present(request.if_range) {
        // An entity tag never matches: we send none.
        Some(header) => modified.is_some() && date(header) == modified,
        None => true,
    };
    Decision::Serve { ranges: same }
}

/// Go treats empty headers as absent ones.
fn present(header: Option<&str>) -> Option<&str> {
    header.filter(|value| !value.is_empty())
}

/// Whether a list of entity tags holds `*` where Go looks for it: first, or after valid tags.
fn any_version(tags: &str) -> bool {
    let mut rest = tags;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        if rest.starts_with('*') {
            return true;
        }
        let tag = rest.strip_prefix("W/").unwrap_or(rest);
        let Some(tag) = tag.strip_prefix('"') else { return false };
        let Some((_, after)) = tag.split_once('"') else { return false };
        rest = after;
    }
}

fn date(header: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(header).ok()
}
