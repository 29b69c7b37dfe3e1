use super::*;

#[test]
fn keys_of_records_and_thumbs_are_accepted() {
    for text in [
        "_pb_users_auth_/abcdefghijklmno/avatar_x1b2c3d4e5.png",
        "c/r/thumbs_a.tar.gz/100x100_a.tar.gz",
        "backup.zip",
        "c/r/a+b=c#d*.x",
        "c/r/..a",
        "c/r/...",
    ] {
        assert_eq!(Key::parse(text).map(|key| key.to_string()), Ok(text.to_owned()));
    }
}

#[test]
fn paths_that_could_leave_the_folder_are_refused() {
    let long_name = "a".repeat(SEGMENT_BYTES_MAX + 1);
    let long_key = ["a".repeat(200).as_str(); 6].join("/");
    for text in [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/..",
        "a/../b",
        "a/./b",
        "a\\b",
        "a\0",
        "a/b\n",
        "a/b.attrs",
        ".attrs",
        "1/2/3/4/5/6/7/8/9",
        &long_name,
        &long_key,
    ] {
        assert_eq!(Key::parse(text), Err(KeyError(text.to_owned())), "{text:?}");
    }
}

#[test]
fn the_name_is_the_last_segment() {
    assert_eq!(Key::parse("a/b/c").unwrap().name(), "c");
    assert_eq!(Key::parse("c").unwrap().split(), ("", "c"));
}

#[test]
fn prefixes_are_folders_or_starts_of_names() {
    let parts = |text| Prefix::parse(text).map(|p| (p.folder, p.name_start));
    assert_eq!(parts("a/b/"), Ok(("a/b".to_owned(), String::new())));
    assert_eq!(parts("a/b/x_"), Ok(("a/b".to_owned(), "x_".to_owned())));
    assert_eq!(parts("x_"), Ok((String::new(), "x_".to_owned())));
    for text in ["", "/", "//", "../", "a/../", "a//", "/a/", "a/\0"] {
        assert!(Prefix::parse(text).is_err(), "{text:?}");
    }
}
