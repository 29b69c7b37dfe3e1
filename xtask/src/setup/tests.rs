//! Versions and stamps.

use super::*;

#[test]
fn node_versions_compare_by_number() {
    assert_eq!(parse_node_version("v20.11.1"), Some((20, 11)));
    assert_eq!(parse_node_version("v9.0"), Some((9, 0)));
    assert!(parse_node_version("v9.0") < Some(NODE_VERSION_MIN));
    assert!(parse_node_version("v18.13.0") >= Some(NODE_VERSION_MIN));
}

#[test]
fn what_is_no_version_is_none() {
    for text in ["", "20.1.0", "v", "v20", "vx.y", "node: not found"] {
        assert_eq!(parse_node_version(text), None, "{text:?}");
    }
}

#[test]
fn a_stamp_is_current_until_its_text_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stamp");
    let old = Stamp::new(path.clone(), "thing 1");
    assert!(!old.is_current());
    old.write().unwrap();
    assert!(old.is_current());
    assert!(!Stamp::new(path, "thing 2").is_current());
}

#[test]
fn a_stamp_without_its_directory_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let stamp = Stamp::new(dir.path().join("missing/stamp"), "thing");
    let error = stamp.write().unwrap_err().to_string();
    assert!(error.ends_with("missing was not created"), "{error}");
}
