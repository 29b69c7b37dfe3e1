//! The ids by which a request is found again in the logs of all tiers.
//!
//! Source: W3C Trace Context, level 1, `traceparent`.

use http::HeaderMap;

/// `00-` + 32 + `-` + 16 + `-` + 2.
const LENGTH: usize = 55;

/// The ids of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) request: String,
    pub(crate) trace: Trace,
}

/// A `traceparent` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace([u8; LENGTH]);

impl Ids {
    /// New ids from random numbers, with the trace that the client has begun and the request id
    /// that a trusted proxy gave, if they did.
    pub(crate) fn new(headers: &HeaderMap, given: Option<&str>, random: [u64; 3]) -> Ids {
        let mut unique = [0; 32];
        write_hex(&mut unique[..16], random[0]);
        write_hex(&mut unique[16..], random[1]);
        let mut trace = *b"00-00000000000000000000000000000000-0000000000000000-00";
        match headers.get("traceparent").and_then(|value| sound(value.as_bytes())) {
            Some(begun) => trace.copy_from_slice(begun),
            None => trace[3..35].copy_from_slice(&unique),
        }
        // Zero would mean that there is none.
        write_hex(&mut trace[36..52], random[2].max(1));
        let request = match given {
            Some(given) => given.to_owned(),
            None => unique.iter().map(|byte| char::from(*byte)).collect(),
        };
        Ids { request, trace: Trace(trace) }
    }
}

impl Trace {
    pub(crate) fn as_str(&self) -> &str {
        // Made of ASCII only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The first part of a valid field, of which later versions may have more.
fn sound(value: &[u8]) -> Option<&[u8]> {
    let begun = value.get(..LENGTH)?;
    let lower_hex = |text: &[u8]| text.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let some = |text: &[u8]| lower_hex(text) && text.iter().any(|byte| *byte != b'0');
    let fits = value.len() == LENGTH
        && value.starts_with(b"00-")
        && [35, 52].iter().all(|at| begun[*at] == b'-')
        && some(&begun[3..35])
        && some(&begun[36..52])
        && lower_hex(&begun[53..]);
    fits.then_some(begun)
}

fn write_hex(output: &mut [u8], mut number: u64) {
    for digit in output.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 0xf) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ids(traceparent: Option<&'static str>, given: Option<&str>) -> Ids {
        let mut headers = HeaderMap::new();
        headers.extend(traceparent.map(|value| {
            (http::HeaderName::from_static("traceparent"), HeaderValue::from_static(value))
        }));
        Ids::new(&headers, given, [0xabc, 0xdef, 0x123])
    }

    #[test]
    fn a_trace_is_begun() {
        let ids = ids(None, None);
        assert_eq!(ids.request, "0000000000000abc0000000000000def");
        let trace = "00-0000000000000abc0000000000000def-0000000000000123-00";
        assert_eq!(ids.trace.as_str(), trace);
    }

    #[test]
    fn a_trace_goes_on() {
        let begun = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let ids = ids(Some(begun), Some("from-the-edge"));
        assert_eq!(ids.request, "from-the-edge");
        let next = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000123-01";
        assert_eq!(ids.trace.as_str(), next);
    }

    #[test]
    fn nonsense_begins_a_new_one() {
        for nonsense in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(ids(Some(nonsense), None).trace.as_str().starts_with("00-0000000000000abc"));
        }
    }
}
