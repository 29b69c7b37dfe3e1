//! What is refused before anything else looks at a request: whatever two programs in a row could
//! understand in two ways.
//!
//! hyper refuses a part of it by itself (bad tokens, bare line feeds, two different lengths, chunked
//! with HTTP/1.0) and closes the connection after a request with both framings, of which it drops
//! the length.
//!
//! Source: RFC 9112 2.2, 3.2, 5.1, 6.1, 6.3; RFC 9110 4.2.3, 7.2, 9.3.6, 9.3.8; RFC 9113 8.3.

use http::header::{CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, StatusCode, Uri, Version};

use crate::fields;

const METHOD_BYTES_MAX: usize = 32;
const FIELDS_MAX: usize = 100;

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Version,
    Method,
    /// CONNECT and TRACE.
    Forbidden,
    Target,
    NoHost,
    Hosts,
    BadHost,
    Framing,
    Expectation,
    TooLarge,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Refusal::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Refusal::Forbidden => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Expectation => StatusCode::EXPECTATION_FAILED,
            Refusal::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Refusal::Method
            | Refusal::Target
            | Refusal::NoHost
            | Refusal::Hosts
            | Refusal::BadHost
            | Refusal::Framing => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Refusal::Version => "The version of HTTP is not supported.",
            Refusal::Method => "The method is not valid.",
            Refusal::Forbidden => "The method is not allowed here.",
            Refusal::Target => "The request target is not valid.",
            Refusal::NoHost => "The request names no host.",
            Refusal::Hosts => "The request names more than one host.",
            Refusal::BadHost => "The name of the host is not valid.",
            Refusal::Framing => "The length of the body is ambiguous.",
            Refusal::Expectation => "The expectation is not understood.",
            Refusal::TooLarge => "The header fields are too large.",
        }
    }
}

/// The host that a request is for, checked, or why the request goes no further.
pub(crate) fn check(head: &Parts, headers_bytes_max: usize) -> Result<&str, Refusal> {
    if !matches!(head.version, Version::HTTP_10 | Version::HTTP_11 | Version::HTTP_2) {
        return Err(Refusal::Version);
    }
    check_size(head, headers_bytes_max)?;
    if head.method == Method::CONNECT || head.method == Method::TRACE {
        return Err(Refusal::Forbidden);
    }
    if head.method.as_str().len() > METHOD_BYTES_MAX {
        return Err(Refusal::Method);
    }
    check_target(head)?;
    check_framing(head)?;
    if let Some(expectation) = head.headers.get(EXPECT)
        && !expectation.as_bytes().eq_ignore_ascii_case(b"100-continue")
    {
        return Err(Refusal::Expectation);
    }
    host(head)
}

fn check_size(head: &Parts, bytes_max: usize) -> Result<(), Refusal> {
    // HTTP/1 is limited while it is read.
    if head.version != Version::HTTP_2 {
        return Ok(());
    }
    if head.headers.len() > FIELDS_MAX {
        return Err(Refusal::TooLarge);
    }
    let fields = head.headers.iter();
    let bytes: usize = fields.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if bytes + target > bytes_max { Err(Refusal::TooLarge) } else { Ok(()) }
}

fn check_target(head: &Parts) -> Result<(), Refusal> {
    let uri = &head.uri;
    // `host:port` alone is for CONNECT.
    let form_fits = match (uri.scheme_str(), uri.authority()) {
        // In HTTP/2, too: who makes it of HTTP/1.1 may send `Host` and no `:authority` (RFC 9113
        // 8.3.1). hyper refuses what has no `:scheme`.
        (None, None) | (Some("http" | "https"), Some(_)) => true,
        _ => false,
    };
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let starts_well = match target {
        "*" => head.method == Method::OPTIONS,
        target => target.starts_with('/'),
    };
    // hyper takes bytes above ASCII.
    let sound = target.bytes().all(|byte| byte.is_ascii_graphic());
    if form_fits && starts_well && sound { Ok(()) } else { Err(Refusal::Target) }
}

fn check_framing(head: &Parts) -> Result<(), Refusal> {
    let mut lengths = head.headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if lengths.next().is_some()
        || length.is_some_and(|length| fields::parse_length(length.as_bytes()).is_none())
    {
        return Err(Refusal::Framing);
    }
    let mut encodings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let Some(encoding) = encodings.next() else { return Ok(()) };
    let chunked = encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
    let alone = encodings.next().is_none() && length.is_none();
    match chunked && alone && head.version == Version::HTTP_11 {
        true => Ok(()),
        false => Err(Refusal::Framing),
    }
}

/// The target's own authority goes before `Host` (RFC 9112 3.2.2); with HTTP/2 both must agree.
fn host(head: &Parts) -> Result<&str, Refusal> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let named = hosts.next().map(|host| host.to_str().map_err(|_| Refusal::BadHost)).transpose()?;
    if hosts.next().is_some() {
        return Err(Refusal::Hosts);
    }
    let host = match (authority(&head.uri), named) {
        (Some(host), Some(other)) if head.version == Version::HTTP_2 && host != other => {
            return Err(Refusal::Hosts);
        }
        // HTTP/1.1 needs the field even if the target says it all.
        (Some(_), None) if head.version == Version::HTTP_11 => return Err(Refusal::NoHost),
        (Some(host), _) => host,
        (None, Some(host)) => host,
        (None, None) if head.version == Version::HTTP_10 => return Ok(""),
        (None, None) => return Err(Refusal::NoHost),
    };
    let valid = |host: &str| sound_host(host).then_some(()).ok_or(Refusal::BadHost);
    // What is not used must be no trick either.
    named.map_or(Ok(()), valid)?;
    valid(host)?;
    Ok(host)
}

fn authority(uri: &Uri) -> Option<&str> {
    uri.authority().map(http::uri::Authority::as_str)
}

/// `name`, `name:port`, `[address]` or `[address]:port`, and nothing else: no user, no path.
fn sound_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            let digits = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
            if address.is_empty() || !address.bytes().all(digits) {
                return false;
            }
            match port {
                "" => return true,
                port => ("address", port.strip_prefix(':')),
            }
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("80")),
        },
    };
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let number =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    !name.is_empty() && name.bytes().all(letter) && port.is_some_and(number)
}

#[cfg(test)]
mod tests;
