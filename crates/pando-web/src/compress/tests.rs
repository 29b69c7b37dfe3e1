use std::io::Read;

use flate2::read::GzDecoder;

use super::*;
use crate::response;

fn accepting(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().unwrap())])
}

#[test]
fn only_clients_that_take_gzip_get_it() {
    for (value, expected) in [
        ("gzip", true),
        ("deflate, gzip;q=1.0, *;q=0.5", true),
        ("br, GZIP", true),
        ("gzip;q=0", false),
        ("gzip; q=0.0", false),
        ("identity", false),
        ("xgzip", false),
        ("", false),
    ] {
        assert_eq!(accepted(&accepting(value)), expected, "{value}");
    }
    assert!(!accepted(&HeaderMap::new()));
}

#[tokio::test]
async fn large_json_is_compressed_and_small_is_not() {
    let large = format!("[{}1]", "1,".repeat(50_000));
    let answer = response::json_text(StatusCode::OK, large.clone());
    let packed = compress(&accepting("gzip"), answer).await;
    assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(packed.headers()[VARY], "Accept-Encoding");
    let Body::Full(body) = packed.body() else { panic!("{packed:?}") };
    let mut unpacked = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, large);

    let plain = compress(&HeaderMap::new(), response::json_text(StatusCode::OK, large)).await;
    assert!(!plain.headers().contains_key(CONTENT_ENCODING));
    assert_eq!(plain.headers()[VARY], "Accept-Encoding");

    let small = compress(&accepting("gzip"), response::json_text(StatusCode::OK, "{}")).await;
    assert!(small.headers().is_empty() || !small.headers().contains_key(VARY));
}

#[test]
fn what_is_compressed_already_is_left_alone() {
    assert!(worthwhile("text/css; charset=utf-8", 2_000));
    assert!(!worthwhile("text/css; charset=utf-8", 100));
    assert!(!worthwhile("image/png", 2_000));
    assert!(!worthwhile("text", 2_000));
}
