use std::time::Duration;

use expect_test::expect;

use super::*;

const WRITTEN_BY_POCKETBASE: &str = r#"{"user.cache_control":"","user.content_disposition":"","user.content_encoding":"","user.content_language":"","user.content_type":"text/plain; charset=utf-8","user.metadata":{"original-filename":"My Fïle.Test.TXT"},"md5":"b1kCrCNwJL3QwXbLkwY9xA=="}"#;

fn at_one_second() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1)
}

#[test]
fn what_pocketbase_wrote_is_written_alike() {
    let attributes = SideFile::parse(WRITTEN_BY_POCKETBASE.as_bytes())
        .unwrap()
        .into_attributes(12, at_one_second());
    assert_eq!(attributes.content_type, "text/plain; charset=utf-8");
    assert_eq!(attributes.original_name.as_deref(), Some("My Fïle.Test.TXT"));
    let new = NewAttributes {
        content_type: attributes.content_type,
        original_name: attributes.original_name,
    };
    let written = SideFile::write(&new, attributes.md5.unwrap()).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), WRITTEN_BY_POCKETBASE);
}

#[test]
fn a_thumb_has_empty_metadata() {
    let new = NewAttributes { content_type: "image/png".to_owned(), original_name: None };
    let written = String::from_utf8(SideFile::write(&new, [0; 16]).unwrap()).unwrap();
    expect![[r#"{"user.cache_control":"","user.content_disposition":"","user.content_encoding":"","user.content_language":"","user.content_type":"image/png","user.metadata":{},"md5":"AAAAAAAAAAAAAAAAAAAAAA=="}"#]].assert_eq(&written);
}

#[test]
fn nulls_unknown_keys_and_odd_hashes_are_tolerated() {
    let json = br#"{"user.metadata":null,"md5":"?","x":1,"user.content_type":null}"#;
    let attributes = SideFile::parse(json).unwrap().into_attributes(0, UNIX_EPOCH);
    assert_eq!((attributes.content_type.as_str(), attributes.md5), ("", None));
    assert!(SideFile::parse(b"{").is_err());
}

#[test]
fn long_original_names_are_cut_between_characters() {
    let new = NewAttributes { content_type: String::new(), original_name: Some("ä".repeat(200)) };
    let written = SideFile::write(&new, [0; 16]).unwrap();
    let attributes = SideFile::parse(&written).unwrap().into_attributes(0, UNIX_EPOCH);
    assert_eq!(attributes.original_name.unwrap().len(), 254);
}

#[test]
fn the_etag_is_made_of_time_and_size() {
    let attributes = SideFile::absent().into_attributes(255, at_one_second());
    assert_eq!(attributes.etag(), "\"3b9aca00-ff\"");
}
