use super::*;

#[test]
fn names_stay_within_the_folder() {
    for (path, name) in [
        ("/", Some(".")),
        ("/a.css", Some("a.css")),
        ("//a.css", Some("a.css")),
        ("/sub//f.txt/", Some("sub/f.txt")),
        ("/sub/../a.css", Some("a.css")),
        ("/.well-known/x", Some(".well-known/x")),
        ("/..x/y", Some("..x/y")),
        ("/\\..\\x", Some("\\..\\x")),
        ("/..", None),
        ("/../x", None),
        ("/a/../../x", None),
        ("///x", None),
        ("/a\0b", None),
    ] {
        assert_eq!(clean_name(path).as_deref(), name, "{path}");
    }
}

#[test]
fn redirects_stay_on_this_host() {
    for (path, expected) in [
        ("/sub/", "/sub/"),
        ("//evil.com/", "/evil.com/"),
        ("/\\evil.com/", "/evil.com/"),
        ("\\\\evil.com/", "/evil.com/"),
        ("/with space/", "/with%20space/"),
        ("/what?/", "/what%3F/"),
        ("/h\u{e9}/", "/h%C3%A9/"),
        ("/a\r\nx: y/", "/a%0D%0Ax:%20y/"),
        ("/", "/"),
    ] {
        let response = moved(path);
        assert_eq!(response.status(), StatusCode::MOVED_PERMANENTLY);
        assert_eq!(response.headers()[LOCATION], expected, "{path}");
    }
}
