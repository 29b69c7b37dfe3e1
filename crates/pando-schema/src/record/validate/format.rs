//! What counts as an e-mail address and as a URL.
//!
//! Both follow the grammar of the validator that PocketBase uses, with its peculiarities: no
//! one-letter labels before other labels in URLs, no mail addresses without a dot in the domain.
//! Source: asaskevich/govalidator (`IsEmail`, `IsURL`), Go `net/url`.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use regex::Regex;

/// Whether `text` is an e-mail address by form.
pub fn email_valid(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_valid =
        if local.ends_with('"') { QUOTED_LOCAL.is_match(local) } else { dot_atom_valid(local) };
    local_valid && email_domain_valid(domain)
}

/// Letters beyond ASCII that the grammar allows wherever it allows letters.
fn wide_letter(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}')
}

fn dot_atom_valid(local: &str) -> bool {
    let atom_character =
        |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || wide_letter(c);
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(atom_character))
}

/// Two labels or more; the last one starts and ends with a letter; one dot may follow.
fn email_domain_valid(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let Some((_, last)) = domain.rsplit_once('.') else { return false };
    let letter = |c: char| c.is_ascii_alphabetic() || wide_letter(c);
    let outer = |c: char| letter(c) || c.is_ascii_digit();
    let inner = |c: char| outer(c) || matches!(c, '-' | '_' | '~');
    let label_valid = |label: &str, outer: &dyn Fn(char) -> bool| {
        label.chars().next().is_some_and(outer)
            && label.chars().next_back().is_some_and(outer)
            && label.chars().all(inner)
    };
    let others = &domain[..domain.len() - last.len() - 1];
    // Dots are ordinary inner characters of the first labels: they may follow each other.
    let others_valid = others.chars().next().is_some_and(outer)
        && others.chars().next_back().is_some_and(outer)
        && others.chars().all(|c| inner(c) || c == '.');
    others_valid && label_valid(last, &letter)
}

/// A quoted local part. That the repetition includes the opening quote is a mistake of the
/// validator, by which at most one character can stand between two quotes.
static QUOTED_LOCAL: LazyLock<Regex> = LazyLock::new(|| {
    const SPACE: &str = r"(?:(?:[ \t]*\r\n)?[ \t]+)?";
    const WIDE: &str = r"\x{a0}-\x{d7ff}\x{f900}-\x{fdcf}\x{fdf0}-\x{ffef}";
    const PLAIN: &str = r"\x01-\x08\x0b\x0c\x0e-\x1f\x7f!\x23-\x5b\x5d-\x7e";
    const IN_COMMENT: &str = r"\x01-\x09\x0b-\x7f";
    let character = format!(r"(?:[{PLAIN}{WIDE}]|\([{IN_COMMENT}])");
    let pattern = format!("^(?:\"{SPACE}{character})*{SPACE}\"$");
    Regex::new(&pattern).expect("a constant pattern compiles")
});

/// Longest URL in characters, exclusive, and shortest in bytes, exclusive.
const URL_CHARS_LIMIT: usize = 2083;
const URL_BYTES_LOW: usize = 3;

/// The host (with port) of a valid URL; `None` if `text` is none. URLs without scheme have no
/// host in PocketBase's eyes.
pub(crate) fn url_host(text: &str) -> Option<&str> {
    if text.chars().count() >= URL_CHARS_LIMIT
        || text.len() <= URL_BYTES_LOW
        || text.starts_with('.')
    {
        return None;
    }
    // `example.com:80` counts as having a scheme only for its own host check.
    let bare_port = text.contains(':') && !text.contains("://");
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return None;
    }
    let parts = if bare_port {
        split_url("http", text.split_once('#').map_or(text, |(before, _)| before), true)?
    } else {
        parse_url(text)?
    };
    if parts.host.starts_with('.') {
        return None;
    }
    if parts.host.is_empty() && !parts.path.is_empty() && !parts.path.contains('.') {
        return None;
    }
    if !URL.is_match(text) {
        return None;
    }
    Some(if bare_port { "" } else { parts.host })
}

struct UrlParts<'a> {
    host: &'a str,
    path: &'a str,
}

/// Go's `url.Parse`, as far as it rejects or tells host and path apart.
fn parse_url(text: &str) -> Option<UrlParts<'_>> {
    let (before_fragment, fragment) = text.split_once('#').unwrap_or((text, ""));
    escapes_valid(fragment).then_some(())?;
    let (scheme, rest) = split_scheme(before_fragment)?;
    split_url(scheme, rest, rest.starts_with("//"))
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index > 0 => return Some((&text[..index], &text[index + 1..])),
            b':' => return None,
            _ => break,
        }
    }
    Some(("", text))
}

fn split_url<'a>(scheme: &str, rest: &'a str, authority: bool) -> Option<UrlParts<'a>> {
    let rest = rest.split_once('?').map_or(rest, |(before, _)| before);
    if !authority {
        let first_segment = rest.split('/').next().unwrap_or("");
        if scheme.is_empty() && !rest.starts_with('/') && first_segment.contains(':') {
            return None;
        }
        // With a scheme but without a slash this is opaque, and has no path.
        let opaque = !scheme.is_empty() && !rest.starts_with('/');
        let path = if opaque { "" } else { rest };
        return escapes_valid(path).then_some(UrlParts { host: "", path });
    }
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path_start = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_start);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user, host),
        None => ("", authority),
    };
    let user_character = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    let valid = user.chars().all(user_character)
        && escapes_valid(user)
        && host_valid(host)
        && escapes_valid(path);
    valid.then_some(UrlParts { host, path })
}

fn host_valid(host: &str) -> bool {
    if let Some(bracketed) = host.strip_prefix('[') {
        let inside = bracketed.split_once(']');
        return inside.is_some_and(|(address, port)| ipv6_valid(address) && port_valid(port));
    }
    let port = host.find(':').map_or("", |colon| &host[colon..]);
    // Percent signs are only for bytes beyond ASCII in hosts.
    port_valid(port) && escapes_valid(host) && !host.contains([' ', '<', '>', '"'])
}

/// Whether Go takes what stands in brackets: an address, with a zone behind an escaped `%`.
fn ipv6_valid(text: &str) -> bool {
    let (address, zone) = match text.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    address.parse::<Ipv6Addr>().is_ok()
        && zone.is_none_or(|zone| !zone.is_empty() && escapes_valid(zone))
}

fn port_valid(port: &str) -> bool {
    port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether two hexadecimal digits follow each percent sign.
fn escapes_valid(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

static URL: LazyLock<Regex> = LazyLock::new(|| {
    const SCHEME: &str = r"(?:(?:ftp|tcp|udp|wss?|https?)://)?";
    const USER: &str = r"(?:[^\t\n\x0c\r ]+(?::[^\t\n\x0c\r ]*)?@)?";
    const LETTER: &str = r"a-zA-Z\x{a1}-\x{ffff}0-9";
    const BYTE: &str = r"[0-9]{1,2}|1[0-9][0-9]|2[0-4][0-9]|25[0-5]";
    let ipv4 = format!(
        r"(?:[1-9][0-9]?|1[0-9][0-9]|2[01][0-9]|22[0-3]|24[0-9]|25[0-5])(?:\.(?:{BYTE})){{2}}(?:\.(?:[0-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5]))"
    );
    // Go's parser has judged them before; here only some forms may end like an IPv4 address, and
    // only link-local addresses have zones.
    const GROUP: &str = "[0-9a-fA-F]{1,4}";
    const END: &str = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}";
    let ipv6 = format!(
        r"\[(?:(?:(?:{GROUP})?:){{1,8}}(?:{GROUP})?|(?:{GROUP}:){{1,4}}:{END}|::(?:ffff(?::0{{1,4}})?:)?{END})\]"
    );
    let zoned = r"\[fe80:(?::[0-9a-fA-F]{0,4}){0,4}%[0-9a-zA-Z]+\]";
    let subdomain =
        format!(r"(?:(?:www\.)|(?:[{LETTER}]+(?:[-_.]?[{LETTER}])*[{LETTER}]\.[{LETTER}]+))?");
    let labels = format!(r"(?:[{LETTER}](?:[{LETTER}\-_]+)?[{LETTER}](?:[-.][{LETTER}]+)*)");
    let name = format!(
        r"(?:{labels}|{subdomain})?(?:(?:[{LETTER}]+-?-?)*[{LETTER}]+)(?:\.[a-zA-Z\x{{a1}}-\x{{ffff}}]+)?"
    );
    let port_and_path = r"\.?(?::[0-9]{1,5})?(?:[/?#][^\t\n\x0c\r ]*)?";
    let pattern = format!("^{SCHEME}{USER}(?:{ipv4}|{ipv6}|{zoned}|{name}){port_and_path}$");
    Regex::new(&pattern).expect("a constant pattern compiles")
});
