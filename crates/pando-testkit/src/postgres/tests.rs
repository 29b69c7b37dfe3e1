use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::{Postgres, PostgresSetup};

#[test]
fn data_outlive_a_stop_and_a_crash() {
    let mut server = Postgres::own(PostgresSetup::default().tcp()).unwrap();
    let name = server.new_database().unwrap();
    server.sql(&name, "CREATE TABLE t (a int, b text)").unwrap();
    server.script(&name, "COPY t FROM STDIN;\n1\tone\n2\ttwo\n\\.\n").unwrap();
    server.stop().unwrap();
    assert!(server.sql(&name, "SELECT 1").is_err());
    server.start_again().unwrap();
    assert_eq!(server.sql(&name, "SELECT * FROM t ORDER BY a").unwrap(), "1|one\n2|two");
    server.crash();
    assert!(server.sql(&name, "SELECT 1").is_err());
    server.start_again().unwrap();
    assert_eq!(server.sql(&name, "SELECT count(*) FROM t").unwrap(), "2");
    assert!(server.tcp_url(&name).starts_with("postgres://postgres@127.0.0.1:"));
    assert!(server.script(&name, "SELECT nonsense").is_err());
}

#[test]
fn a_frozen_server_answers_later() {
    let mut server = Postgres::own(PostgresSetup::default()).unwrap();
    let name = server.new_database().unwrap();
    server.freeze().unwrap();
    // The system takes the connection, the server says nothing.
    let mut stream = UnixStream::connect(server.socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    // "Do you speak TLS?"
    std::io::Write::write_all(&mut stream, &[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
    let mut answer = [0];
    assert!(stream.read_exact(&mut answer).is_err());
    server.thaw().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"N");
    assert_eq!(server.sql(&name, "SELECT 1").unwrap(), "1");
    // A frozen one goes with its owner, too.
    server.freeze().unwrap();
}

#[test]
fn only_the_superuser_needs_no_password() {
    let server = Postgres::start().unwrap();
    let name = server.new_database().unwrap();
    server.sql(&name, "CREATE ROLE guest LOGIN PASSWORD 'p@/ss'").unwrap();
    let whoami = |url: &str| {
        let mut psql = server.client("psql");
        let psql = psql.args(["-AtX", "--no-password", "-c", "SELECT current_user", url]);
        let output = psql.output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    assert_eq!(whoami(&server.url(&name)), "postgres");
    assert_eq!(whoami(&server.url_as("guest", "p@/ss", &name)), "guest");
    assert_eq!(whoami(&server.url_as("guest", "wrong", &name)), "");
}

#[test]
fn work_is_measured_even_when_its_process_has_ended() {
    let server = Postgres::own(PostgresSetup::default()).unwrap();
    let before = server.cpu_time().unwrap();
    let work = "SELECT sum(length(md5(number::text))) FROM generate_series(1, 500000) number";
    server.sql("postgres", work).unwrap();
    let spent = server.cpu_time().unwrap() - before;
    assert!(spent >= Duration::from_millis(20), "{spent:?}");
}
