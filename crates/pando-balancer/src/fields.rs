//! Header fields that concern one connection, and what else is read from fields in several places.
//!
//! Source: RFC 9110 7.6.1, RFC 9112 6.2.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Whether a field is for the next hop only, whatever `Connection` says. Not among them: the fields
/// of framing and `Upgrade`, which are looked at one by one.
pub(crate) fn hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection" | "keep-alive" | "proxy-connection" | "te" | "http2-settings"
    )
}

/// What `Connection` fields say.
#[derive(Debug, Default)]
pub(crate) struct Nominated {
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: bool,
    names: Vec<HeaderName>,
}

/// More names in `Connection` are not looked at; nobody needs them.
const NOMINATED_MAX: usize = 16;

impl Nominated {
    pub(crate) fn of(headers: &HeaderMap) -> Nominated {
        let mut nominated = Nominated::default();
        for value in headers.get_all(http::header::CONNECTION) {
            nominated.add(value);
        }
        nominated
    }

    pub(crate) fn add(&mut self, value: &HeaderValue) {
        for option in value.as_bytes().split(|byte| *byte == b',') {
            let option = option.trim_ascii();
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.upgrade = true;
            } else if self.names.len() < NOMINATED_MAX
                && let Ok(name) = HeaderName::from_bytes(option)
            {
                self.names.push(name);
            }
        }
    }

    /// Whether a field is to be left out. What the receiver needs to understand the message is
    /// never left out, whoever nominates it.
    pub(crate) fn has(&self, name: &HeaderName) -> bool {
        !self.names.is_empty() && self.names.contains(name) && !protected(name)
    }

    pub(crate) fn remove_from(&self, headers: &mut HeaderMap) {
        for name in self.names.iter().filter(|name| !protected(name)) {
            headers.remove(name);
        }
    }
}

/// A client that could have these removed could change what the message means.
fn protected(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "host"
            | "content-length"
            | "transfer-encoding"
            | "content-type"
            | "content-encoding"
            | "authorization"
            | "cookie"
            | "set-cookie"
            | "cache-control"
            | "date"
    )
}

/// Whether a field may come behind a body. What decides how a message is read, sent on or answered
/// may not (RFC 9110 6.5.1).
pub(crate) fn sound_trailer(name: &HeaderName) -> bool {
    let name_text = name.as_str();
    !hop_by_hop(name)
        && !protected(name)
        && !name_text.starts_with("content-")
        && !name_text.starts_with("x-forwarded-")
        && !name_text.starts_with("proxy-")
        && !matches!(
            name_text,
            "upgrade"
                | "trailer"
                | "expect"
                | "max-forwards"
                | "range"
                | "forwarded"
                | "via"
                | "age"
                | "expires"
                | "location"
                | "retry-after"
                | "vary"
                | "www-authenticate"
        )
}

/// The value of `Content-Length`: digits and nothing else.
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

/// Whether a comma-separated field has `token`, in any case.
pub(crate) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        let mut tokens = value.as_bytes().split(|byte| *byte == b',');
        tokens.any(|found| found.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use http::header::{CONNECTION, HOST};

    use super::*;

    #[test]
    fn lengths_are_digits() {
        for (text, length) in [
            ("0", Some(0)),
            ("0042", Some(42)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("+5", None),
            ("-5", None),
            ("5,5", None),
            ("5 ", None),
            ("0x5", None),
            ("५", None),
        ] {
            assert_eq!(parse_length(text.as_bytes()), length, "{text:?}");
        }
    }

    #[test]
    fn connection_names_what_is_left_out() {
        let mut headers = HeaderMap::new();
        headers.append(CONNECTION, HeaderValue::from_static("X-One , close"));
        headers.append(CONNECTION, HeaderValue::from_static("host, authorization,\"bad\",x-two"));
        for name in ["x-one", "x-two", "x-three", "host", "authorization"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
        }
        let nominated = Nominated::of(&headers);
        assert!(nominated.close && !nominated.keep_alive && !nominated.upgrade);
        assert!(nominated.has(&HeaderName::from_static("x-one")) && !nominated.has(&HOST));
        nominated.remove_from(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "connection", "host", "x-three"]);
    }
}
