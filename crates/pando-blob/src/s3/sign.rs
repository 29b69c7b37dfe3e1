//! Signs requests with Amazon's Signature Version 4.
//!
//! Source: "Authenticating Requests: Using the Authorization Header" in Amazon's S3 API reference,
//! whose examples are the tests.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::S3Config;

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]");
const DATE_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");

/// A request as far as it is signed.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// Encoded.
    pub(super) path: &'a str,
    /// Encoded and sorted.
    pub(super) query: &'a str,
    /// Sorted by name, which is in lower case. `host` and `x-amz-…` must be among them.
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// What `x-amz-content-sha256` says.
    pub(super) payload_hash: &'a str,
}

/// The value of the `x-amz-date` header.
pub(super) fn amz_date(at: OffsetDateTime) -> String {
    at.format(DATE_TIME).expect("years have four digits")
}

/// The value of the `Authorization` header. `at` is in UTC.
pub(super) fn authorization(config: &S3Config, at: OffsetDateTime, request: &Signed<'_>) -> String {
    let date = at.format(DATE).expect("years have four digits");
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, request.query);
    for (name, value) in request.headers {
        canonical.push_str(&format!("{name}:{}\n", value.trim()));
    }
    canonical.push_str(&format!("\n{names}\n{}", request.payload_hash));
    let scope = format!("{date}/{}/s3/aws4_request", config.region);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        amz_date(at),
        sha256_hex(canonical.as_bytes())
    );
    let mut key = keyed_hash(format!("AWS4{}", config.secret).as_bytes(), &date);
    for part in [config.region.as_str(), "s3", "aws4_request"] {
        key = keyed_hash(&key, part);
    }
    let signature = hex(&keyed_hash(&key, &to_sign));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
        config.access_key
    )
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn keyed_hash(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("keys of any length will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// The signature of a request to Amazon's example bucket.
    fn signature(method: &str, path: &str, query: &str, more: &[(&str, &str)]) -> String {
        let config = S3Config {
            bucket: "examplebucket".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: "s3.amazonaws.com".to_owned(),
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            path_style: false,
        };
        let at = datetime!(2013-05-24 00:00:00 UTC);
        let date = amz_date(at);
        let mut headers = vec![("host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", &date)];
        headers.extend(more);
        if !headers.iter().any(|(name, _)| *name == "x-amz-content-sha256") {
            headers.push(("x-amz-content-sha256", EMPTY));
        }
        headers.sort_unstable();
        let (_, payload_hash) = headers.iter().find(|(name, _)| name.ends_with("sha256")).unwrap();
        let request = Signed { method, path, query, headers: &headers, payload_hash };
        authorization(&config, at, &request).rsplit_once('=').unwrap().1.to_owned()
    }

    #[test]
    fn amazons_examples_come_out() {
        assert_eq!(
            signature("GET", "/test.txt", "", &[("range", "bytes=0-9")]),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        let put = [
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-content-sha256", hash),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ];
        assert_eq!(
            signature("PUT", "/test%24file.text", "", &put),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(
            signature("GET", "/", "lifecycle=", &[]),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signature("GET", "/", "max-keys=2&prefix=J", &[]),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }
}
