//! The static site. Expectations are answers of the real server on the same files.

use std::os::unix::fs::symlink;

use expect_test::{Expect, expect};

use super::*;

fn start_with(change: impl FnOnce(&mut WebConfig)) -> TestServer {
    let server = TestServer::start_with(change);
    server.write_file("index.html", "<h1>root</h1>\n");
    server.write_file("a.css", "body{}\n");
    server.write_file("sub/f.txt", "x\n");
    server.write_file("with/index.html", "idx\n");
    server.write_file("with space.txt", "s\n");
    server.write_file(".dot", "dot\n");
    server.write_file("myindex.html", "mine\n");
    std::fs::write(server.dir.path().join("outside.txt"), "secret\n").unwrap();
    symlink("../outside.txt", server.dir.path().join("site/link.txt")).unwrap();
    server
}

/// Status, `Location` and body of the answer to each target.
#[track_caller]
fn check(server: &TestServer, targets: &[&str], expect: Expect) {
    let mut shown = String::new();
    for target in targets {
        let response = server.get(target);
        let location = response.header("location").unwrap_or_default();
        let text = response.text();
        shown.push_str(&format!("{target} {} {location}{}\n", response.status, text.trim_end()));
    }
    expect.assert_eq(&shown);
}

#[test]
fn paths_name_files_folders_and_the_fallback() {
    let server = start_with(|_| {});
    check(
        &server,
        &[
            "/",
            "/index.html",
            "/a.css",
            "/a.css/",
            "/a.css%2f",
            "/sub",
            "/sub?x=1",
            "/sub/",
            "/sub%2ff.txt",
            "/with",
            "/with/",
            "/with/index.html",
            "/with%2findex.html",
            "/with%20space.txt",
            "/.dot",
            "/myindex.html",
            "/nope",
            "/nope.js",
            "/api",
            "/%2fa.css",
        ],
        expect![[r#"
            / 200 <h1>root</h1>
            /index.html 301 /
            /a.css 200 body{}
            /a.css/ 301 /a.css
            /a.css%2f 301 /a.css
            /sub 301 /sub/
            /sub?x=1 301 /sub/
            /sub/ 200 <h1>root</h1>
            /sub%2ff.txt 200 x
            /with 301 /with/
            /with/ 200 idx
            /with/index.html 301 /with/
            /with%2findex.html 301 /with/
            /with%20space.txt 200 s
            /.dot 200 dot
            /myindex.html 301 /my
            /nope 200 <h1>root</h1>
            /nope.js 200 <h1>root</h1>
            /api 200 <h1>root</h1>
            /%2fa.css 200 body{}
        "#]],
    );
    expect![[r#"
        200
        accept-ranges: bytes
        content-length: 7
        content-type: text/css; charset=utf-8
        cross-origin-opener-policy: same-origin
        vary: Origin
        x-content-type-options: nosniff
        x-frame-options: SAMEORIGIN
        x-xss-protection: 1; mode=block
        body{}
    "#]]
    .assert_eq(&show(&server.get("/a.css")));
}

#[test]
fn without_fallback_what_is_missing_is_not_found() {
    let server = start_with(|config| config.index_fallback = false);
    let missing = r#"{"data":{},"message":"File not found.","status":404}"#;
    for target in ["/nope", "/sub/", "/sub/index.html", "/link.txt", "/_/"] {
        let response = server.get(target);
        assert_eq!((response.status, response.text().as_str()), (404, missing), "{target}");
    }
    let unset = TestServer::start();
    assert_eq!(unset.get("/").text(), missing);
    assert_eq!(unset.send(&Request::new("HEAD", "/")).status, 404);
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let server = start_with(|_| {});
    check(
        &server,
        &[
            "/link.txt",
            "/../outside.txt",
            "/%2e%2e/outside.txt",
            "/..%2foutside.txt",
            "/sub/..%2f..%2foutside.txt",
            "/sub/..%2fa.css",
            "/..%5coutside.txt",
            "/a.css%00",
            "/%2f%2fetc/passwd",
            "/%2fetc/passwd",
            "/%5c%5cevil.com%2f..%2fsub",
            "/%2f%2fsub",
        ],
        expect![[r#"
            /link.txt 200 <h1>root</h1>
            /../outside.txt 307 /outside.txt<a href="/outside.txt">Temporary Redirect</a>.
            /%2e%2e/outside.txt 200 <h1>root</h1>
            /..%2foutside.txt 200 <h1>root</h1>
            /sub/..%2f..%2foutside.txt 200 <h1>root</h1>
            /sub/..%2fa.css 200 body{}
            /..%5coutside.txt 200 <h1>root</h1>
            /a.css%00 200 <h1>root</h1>
            /%2f%2fetc/passwd 200 <h1>root</h1>
            /%2fetc/passwd 200 <h1>root</h1>
            /%5c%5cevil.com%2f..%2fsub 301 /evil.com/../sub/
            /%2f%2fsub 200 <h1>root</h1>
        "#]],
    );
}

#[test]
fn parts_and_conditions() {
    let server = start_with(|_| {});
    server.write_file("large.bin", vec![b'x'; 1 << 20]);
    let ask = |target: &str, name: &str, value: &str| {
        server.send(&Request::get(target).header(name, value))
    };
    let part = ask("/a.css", "Range", "bytes=1-2");
    assert_eq!((part.status, part.text().as_str()), (206, "od"));
    assert_eq!(part.header("content-range"), Some("bytes 1-2/7"));
    let outside = ask("/a.css", "Range", "bytes=100-");
    assert_eq!(outside.text(), "invalid range: failed to overlap\n");
    let large = ask("/large.bin", "Range", "bytes=1000-999999");
    assert_eq!((large.status, large.body.len()), (206, 999_000));
    let several = ask("/large.bin", "Range", "bytes=0-9,500000-899999");
    assert_eq!(several.status, 206);
    assert_eq!(several.body.iter().filter(|&&byte| byte == b'x').count(), 400_010);
    assert_eq!(server.get("/large.bin").body.len(), 1 << 20);

    let whole = server.get("/a.css");
    let modified = whole.header("last-modified").unwrap();
    let unchanged = ask("/a.css", "If-Modified-Since", modified);
    assert_eq!((unchanged.status, unchanged.header("content-type")), (304, None));
    assert_eq!(unchanged.header("last-modified"), Some(modified));
    let head = server.send(&Request::new("HEAD", "/large.bin"));
    assert_eq!((head.status, head.header("content-length")), (200, Some("1048576")));
}

#[test]
fn large_texts_are_compressed_if_set_so() {
    let ask = |server: &TestServer| {
        server.write_file("big.txt", "a".repeat(100_000));
        server.send(&Request::get("/big.txt").header("Accept-Encoding", "gzip"))
    };
    let plain = ask(&TestServer::start());
    assert_eq!((plain.body.len(), plain.header_all("vary").as_deref()), (100_000, Some("Origin")));
    let server = TestServer::start_with(|config| config.gzip = true);
    let packed = ask(&server);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header_all("vary").as_deref(), Some("Accept-Encoding, Origin"));
    assert!(packed.body.starts_with(&[0x1F, 0x8B]) && packed.body.len() < 1_000);
    let part =
        Request::get("/big.txt").header("Accept-Encoding", "gzip").header("Range", "bytes=0-9");
    assert_eq!(server.send(&part).text(), "aaaaaaaaaa");
}
