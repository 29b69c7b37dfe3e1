//! Where a bucket is, and how its objects are named in requests.
//!
//! Source: PocketBase's `tools/filesystem/internal/s3blob/s3/s3.go` (`URL`, `escape`) and Amazon's
//! rules for the encoding of URIs in signed requests.

use std::fmt;

use super::S3Error;

/// Where a bucket is, and who we are there.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Config {
    pub bucket: String,
    pub region: String,
    /// The server: `https://host`, `http://host:port`; without a scheme HTTPS. A path may follow.
    pub endpoint: String,
    pub access_key: String,
    pub secret: String,
    /// `endpoint/bucket/key` in place of `bucket.endpoint/key`.
    pub path_style: bool,
}

impl fmt::Debug for S3Config {
    /// Without the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let S3Config { bucket, region, endpoint, path_style, .. } = self;
        let mut shown = formatter.debug_struct("S3Config");
        shown.field("bucket", bucket).field("region", region).field("endpoint", endpoint);
        shown.field("path_style", path_style).finish_non_exhaustive()
    }
}

/// The parts of URLs that all objects of a bucket share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) encrypted: bool,
    /// With the port, if one is given.
    pub(super) host: String,
    /// What stands between the host and the key's slash.
    base: String,
}

impl Address {
    pub(super) fn of(config: &S3Config) -> Result<Address, S3Error> {
        let wrong = || S3Error::Endpoint(config.endpoint.clone());
        let (encrypted, rest) = match config.endpoint.split_once("://") {
            None => (true, config.endpoint.as_str()),
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) => return Err(wrong()),
        };
        let rest = rest.trim_end_matches('/');
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut base = match path {
            "" => String::new(),
            path => format!("/{}", encode_path(path)),
        };
        let host = if config.path_style {
            base.push('/');
            base.push_str(&encode(&config.bucket));
            host.to_owned()
        } else {
            format!("{}.{host}", config.bucket)
        };
        let authority: http::uri::Authority = host.parse().map_err(|_| wrong())?;
        if authority.host().is_empty() || host.contains('@') {
            return Err(wrong());
        }
        Ok(Address { encrypted, host, base })
    }

    /// The path of an object, encoded; of the bucket itself for the empty key.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}/{}", self.base, encode_path(key))
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.encrypted { "https" } else { "http" }
    }
}

/// A query string in the order and form in which it is signed.
pub(super) fn query(pairs: &[(&str, String)]) -> String {
    let mut sorted: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    sorted.sort_unstable();
    sorted.join("&")
}

fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

/// Encodes all but letters, digits and `-._~`.
fn encode(text: &str) -> String {
    percent(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Encodes a value of metadata as Go's `url.PathEscape` does, which PocketBase uses.
pub(super) fn encode_metadata(text: &str) -> String {
    percent(text, |byte| byte.is_ascii_alphanumeric() || b"-._~$&+=:@".contains(&byte))
}

fn percent(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match plain(byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Undoes [`encode_metadata`]; a text that is not so encoded stays as it is, as in PocketBase.
pub(super) fn decode_metadata(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let Some(decoded) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            return text.to_owned();
        };
        bytes.push(decoded);
        rest = &after[2..];
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(endpoint: &str, path_style: bool) -> S3Config {
        S3Config {
            bucket: "files".to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: endpoint.to_owned(),
            access_key: "key".to_owned(),
            secret: "hunter2".to_owned(),
            path_style,
        }
    }

    #[test]
    fn addresses_have_two_styles() {
        let shown = |endpoint: &str, path_style| match Address::of(&config(endpoint, path_style)) {
            Ok(address) => {
                format!("{}://{}{}", address.scheme(), address.host, address.path("a/b c+ä.png"))
            }
            Err(error) => error.to_string(),
        };
        let cases = [
            ("https://s3.example.com", false, "https://files.s3.example.com/a/b%20c%2B%C3%A4.png"),
            ("s3.example.com/", true, "https://s3.example.com/files/a/b%20c%2B%C3%A4.png"),
            ("http://[::1]:9000", true, "http://[::1]:9000/files/a/b%20c%2B%C3%A4.png"),
            ("http://h:9000/s3 x", true, "http://h:9000/s3%20x/files/a/b%20c%2B%C3%A4.png"),
        ];
        for (endpoint, path_style, expected) in cases {
            assert_eq!(shown(endpoint, path_style), expected);
        }
        for endpoint in ["", "ftp://x", "https://", "https://user@host", "https://a b"] {
            let said = shown(endpoint, true);
            assert!(said.contains("is no address of a server"), "{endpoint}: {said}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded() {
        let pairs = [("uploadId", "a/b".to_owned()), ("partNumber", "2".to_owned())];
        assert_eq!(query(&pairs), "partNumber=2&uploadId=a%2Fb");
        assert_eq!(query(&[("uploads", String::new())]), "uploads=");
    }

    #[test]
    fn metadata_is_encoded_as_pocketbase_does() {
        for (text, encoded) in [
            ("Ä pic.png", "%C3%84%20pic.png"),
            ("a+b&c=d:e@f$g", "a+b&c=d:e@f$g"),
            ("a/b;c,d?e!f'(g)*", "a%2Fb%3Bc%2Cd%3Fe%21f%27%28g%29%2A"),
            ("100%", "100%25"),
        ] {
            assert_eq!(encode_metadata(text), encoded);
            assert_eq!(decode_metadata(encoded), text);
        }
        for text in ["100%", "%zz", "%ff"] {
            assert_eq!(decode_metadata(text), text);
        }
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert!(!format!("{:?}", config("x", true)).contains("hunter2"));
    }
}
