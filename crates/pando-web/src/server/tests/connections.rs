//! Connections: kept, limited, drained.

use std::io::ErrorKind;

use pando_runtime::config::Seconds;

use super::*;

const HEALTH: &[u8] = b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn a_connection_serves_many_requests_also_pipelined() {
    let server = TestServer::start();
    let mut stream = server.connect();
    stream.write_all(&HEALTH.repeat(3)).unwrap();
    for _ in 0..3 {
        assert!(read_answer(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    }
    stream.write_all(b"GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(read_to_end(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn the_drain_answers_what_came_and_refuses_the_rest() {
    let server = TestServer::start();
    let mut idle = server.connect();
    idle.write_all(HEALTH).unwrap();
    read_answer(&mut idle);
    let mut halfway = server.connect();
    halfway
        .write_all(
            b"POST /api/collections/users/auth-with-password HTTP/1.1\r\nHost: x\r\n\
              Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n",
        )
        .unwrap();
    // The server asks for the body, so the request is in the works.
    assert!(read_answer(&mut halfway).starts_with("HTTP/1.1 100 "));
    halfway.write_all(b"{").unwrap();

    server.app.life.stopping.cancel();
    assert_eq!(read_to_end(&mut idle), "", "idle connections end");
    let addr = server.addr();
    halfway.write_all(b"}").unwrap();
    let answer = read_to_end(&mut halfway);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(server.stop());
    let refused = TcpStream::connect(addr).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_client_that_sends_half_a_head_is_cut_off() {
    let short = |config: &mut WebConfig| config.header_timeout = Seconds::millis(50);
    let server = TestServer::start_with(short);
    assert_eq!(server.send_raw(b"GET /api/health HTTP/1.1\r\nHo"), "");
    assert_eq!(server.send_raw(b""), "", "nothing at all");
    let mut stream = server.connect();
    stream.write_all(HEALTH).unwrap();
    read_answer(&mut stream);
    stream.write_all(&HEALTH[..9]).unwrap();
    assert_eq!(read_to_end(&mut stream), "", "a later head");
}

#[test]
fn an_idle_connection_is_closed() {
    let server = TestServer::start_with(|config| config.idle_timeout = Seconds::millis(50));
    let mut stream = server.connect();
    stream.write_all(HEALTH).unwrap();
    assert!(read_answer(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(read_to_end(&mut stream), "");
}

#[test]
fn a_client_that_takes_nothing_is_cut_off() {
    let server = TestServer::start_with(|config| config.body_timeout = Seconds::millis(50));
    // More than what systems keep for a connection.
    server.write_file("large", vec![b'x'; 64 << 20]);
    let tasks_before = server.app.life.tasks_count();
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 12]).unwrap();
    // The task of the connection ends although nobody reads.
    let ended = pando_testkit::wait::wait_for("the end of the connection", LONG, || {
        Ok((server.app.life.tasks_count() == tasks_before).then_some(()))
    });
    ended.unwrap();
    let mut received = Vec::new();
    // Cut off: either an end too early or a reset.
    let _ = stream.read_to_end(&mut received);
    assert!(received.len() < 64 << 20);
}

#[test]
fn connections_beyond_the_limit_wait() {
    let server = TestServer::start_with(|config| config.connections_max = 1);
    let mut first = server.connect();
    first.write_all(HEALTH).unwrap();
    read_answer(&mut first);
    let mut second = server.connect();
    second.write_all(HEALTH).unwrap();
    second.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let waits = second.read(&mut [0]).unwrap_err();
    assert!(matches!(waits.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waits}");
    drop(first);
    second.set_read_timeout(Some(LONG)).unwrap();
    assert!(read_answer(&mut second).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_half_sent_head_does_not_hold_up_the_drain() {
    let server = TestServer::start();
    let mut stream = server.connect();
    stream.write_all(HEALTH).unwrap();
    read_answer(&mut stream);
    stream.write_all(&HEALTH[..9]).unwrap();
    assert!(server.stop());
}

const REFUSED: &str =
    "PATCH /api/settings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

/// A guest is refused before the body is looked at.
#[test]
fn a_body_that_nobody_reads_does_not_end_the_connection() {
    let server = TestServer::start();
    let mut stream = server.connect();
    for length in [2, 40_000, 200_000] {
        let body = "x".repeat(length);
        let request = format!("{REFUSED}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        assert!(read_answer(&mut stream).starts_with("HTTP/1.1 401 "));
        let request = format!("{REFUSED}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        assert!(read_answer(&mut stream).starts_with("HTTP/1.1 401 "));
        stream.write_all(HEALTH).unwrap();
        assert!(read_answer(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn an_answer_says_so_when_the_connection_closes_over_an_unread_body() {
    let server = TestServer::start();
    for more in
        ["Content-Length: 300000\r\n\r\n", "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"]
    {
        let mut stream = server.connect();
        stream.write_all(format!("{REFUSED}{more}").as_bytes()).unwrap();
        let answer = read_to_end(&mut stream).to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 401 "), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
}
