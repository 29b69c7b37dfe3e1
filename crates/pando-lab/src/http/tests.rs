use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use expect_test::{Expect, expect};

use super::{HttpClient, Multipart, Request};

/// Answers each request of one connection with the next of `answers`, then closes.
fn answer(answers: Vec<&'static str>, requests: Vec<Request>) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = HttpClient::new(listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for answer in answers {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let seen = requests
        .iter()
        .map(|request| match client.send(request) {
            Ok(response) => format!("{} {:?}", response.status, response.text()),
            Err(error) => format!("error: {}", error.root_cause()),
        })
        .collect();
    server.join().unwrap();
    seen
}

fn check(answers: Vec<&'static str>, requests: Vec<Request>, expected: Expect) {
    expected.assert_eq(&answer(answers, requests).join("\n"));
}

#[test]
fn reads_every_way_to_end_a_body_on_one_connection() {
    check(
        vec![
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\n\r\nuntil the end",
        ],
        vec![
            Request::get("/1"),
            Request::get("/2"),
            Request::get("/3"),
            Request::new("HEAD", "/4"),
            Request::get("/5"),
        ],
        expect![[r#"
            200 "abc"
            204 ""
            200 "abc"
            200 ""
            404 "until the end""#]],
    );
}

#[test]
fn reports_broken_answers() {
    check(
        vec!["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"],
        vec![Request::get("/")],
        expect!["error: the server closed the connection within a body"],
    );
    check(
        vec!["SSH-2.0-x\r\n"],
        vec![Request::get("/")],
        expect![[r#"error: bad line "SSH-2.0-x""#]],
    );
}

#[test]
fn writes_requests_and_forms() {
    let form = Multipart::new().text("a\"b", "1").file("f", "x.txt", "text/plain", b"hello");
    let request = Request::post("/p?q=1").token("T").multipart(&form);
    let text = String::from_utf8(request.to_bytes(([127, 0, 0, 1], 80).into())).unwrap();
    expect![[r#"
        POST /p?q=1 HTTP/1.1
        Host: 127.0.0.1:80
        Authorization: T
        Content-Type: multipart/form-data; boundary=pando-testkit-4d1b7e0a
        Content-Length: 226

        --pando-testkit-4d1b7e0a
        Content-Disposition: form-data; name="a%22b"

        1
        --pando-testkit-4d1b7e0a
        Content-Disposition: form-data; name="f"; filename="x.txt"
        Content-Type: text/plain

        hello
        --pando-testkit-4d1b7e0a--
    "#]]
    .assert_eq(&text.replace("\r\n", "\n"));
}
