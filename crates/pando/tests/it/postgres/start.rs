//! A database that cannot be used is told at the start, with what to do about it, and never with
//! the password.

use expect_test::expect;
use pando_testkit::{Postgres, PostgresSetup};

use crate::process::{Serving, command, outcome};

/// What `pando serve` says of a database, with the places of this run replaced.
fn said(postgres: &Postgres, url: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut serve = command(dir.path(), &["serve", "--http", "127.0.0.1:0", "--dir", "data"]);
    serve.env("PANDO_DATABASE__URL", url).env("PANDO_LOG__FORMAT", "json");
    let said = outcome(serve);
    assert!(!said.contains("hunter2"), "{said}");
    assert!(!dir.path().join("data/data.db").exists(), "SQLite is no way out");
    said.replace(&postgres.socket_dir().display().to_string(), "SOCKET_DIR")
}

#[test]
fn a_database_that_cannot_be_used_is_told() {
    let postgres = Postgres::own(PostgresSetup::default().tcp()).unwrap();
    let database = postgres.new_database().unwrap();
    postgres.sql(&database, "CREATE ROLE guest LOGIN PASSWORD 'right'").unwrap();
    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'";
    postgres.sql("postgres", latin).unwrap();
    let mut told = String::new();
    let mut tell = |title: &str, url: &str| {
        told.push_str(&format!("{title}: {}\n", said(&postgres, url)));
    };
    tell("wrong scheme", "mysql://root:hunter2@localhost/pando");
    tell("wrong port", "postgres://root:hunter2@localhost:high/pando");
    tell("unknown option", "postgres://root:hunter2@localhost/pando?sslmod=off");
    tell("wrong password", &postgres.url_as("guest", "hunter2", &database));
    tell("no such role", &postgres.url_as("nobody", "hunter2", &database));
    tell("no such database", &postgres.url("nothing"));
    tell("no rights", &postgres.url_as("guest", "right", &database));
    tell("wrong encoding", &postgres.url("latin"));
    tell("no TLS there", &format!("{}?sslmode=require", postgres.tcp_url(&database)));
    expect![[r#"
        wrong scheme: exit 78
        error: 1 problem in the configuration
          database.url must begin with postgres:// or postgresql:// (environment PANDO_DATABASE__URL)
            hint: such as postgres://user:password@host:5432/name

        wrong port: exit 1
        error: the URL of the database cannot be used: invalid connection string: invalid value for option `port`

        unknown option: exit 1
        error: the URL of the database cannot be used: invalid connection string: unknown option `sslmod`

        wrong password: exit 1
        error: the database cannot be used: password authentication failed for user "guest"
        hint: user and password stand in database.url

        no such role: exit 1
        error: the database cannot be used: password authentication failed for user "nobody"
        hint: user and password stand in database.url

        no such database: exit 1
        error: the database cannot be used: database "nothing" does not exist
        hint: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0

        no rights: exit 1
        error: the database cannot be used: the user guest may not make tables there
        hint: GRANT CREATE ON DATABASE … TO "guest"; GRANT CREATE ON SCHEMA public TO "guest"

        wrong encoding: exit 1
        error: the database cannot be used: the database is encoded in LATIN1
        hint: make one by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0

        no TLS there: exit 1
        error: the database failed: error performing TLS handshake: server does not support TLS

    "#]].assert_eq(&told);
}

#[test]
fn a_server_that_is_not_there_or_only_reads_is_told() {
    let mut postgres =
        Postgres::own(PostgresSetup::default().tcp().setting("default_transaction_read_only=on"))
            .unwrap();
    let (socket, tcp) = (postgres.url("postgres"), postgres.tcp_url("postgres"));
    let port = tcp.rsplit_once(':').unwrap().1.split_once('/').unwrap().0.to_owned();
    let mut told = format!("only reads: {}\n", said(&postgres, &socket));
    postgres.stop().unwrap();
    told.push_str(&format!("no socket: {}\n", said(&postgres, &socket)));
    told.push_str(&format!("no port: {}\n", said(&postgres, &tcp).replace(&port, "PORT")));
    expect![[r#"
        only reads: exit 1
        error: the database cannot be used: the server only reads
        hint: give the URL of the primary; or is default_transaction_read_only on?

        no socket: exit 1
        error: the database server is not available: error connecting to server: No such file or directory (os error 2)

        no port: exit 1
        error: the database server is not available: error connecting to server: Connection refused (os error 111)

    "#]].assert_eq(&told);
}

#[test]
fn a_role_that_may_only_make_tables_is_enough() {
    let postgres = Postgres::start().unwrap();
    postgres.sql("postgres", "CREATE ROLE owner LOGIN PASSWORD 'hunter2'").unwrap();
    postgres.sql("postgres", "CREATE DATABASE own OWNER owner").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut serve = command(dir.path(), &["serve", "--http", "127.0.0.1:0", "--dir", "data"]);
    serve.env("PANDO_DATABASE__URL", postgres.url_as("owner", "hunter2", "own"));
    serve.env("PANDO_LOG__LEVEL", "debug");
    let serving = Serving::start(serve);
    serving.signal(rustix::process::Signal::TERM);
    let (status, log) = serving.end();
    assert!(status.success() && !log.contains("hunter2"), "{log}");
    assert_eq!(postgres.sql("own", "SELECT count(*) > 5 FROM \"_collections\"").unwrap(), "t");
}
