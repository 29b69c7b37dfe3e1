use std::fs;

use expect_test::{Expect, expect};

use super::{
    ByteSize, DatabaseConfig, DrainConfig, Layers, LogConfig, Origins, Problems, Seconds, Secret,
    Sources, StoreConfig, TableView, WebConfig, render_reference, render_toml,
};

crate::config_table! {
    /// A table for these tests.
    struct Example = "example" {
        /// How much
        /// fits in.
        pub memory_max: ByteSize = ByteSize::mib(64),
        /// How long.
        pub patience: Seconds = Seconds::new(30),
        /// Names.
        pub names: Vec<String> = vec!["a".to_owned()],
        /// How many.
        pub count: u32 = 3,
        /// On or off.
        pub on: bool = false,
        /// Hidden.
        pub password: Secret = Secret::default(),
    }
}

impl super::Table for Example {
    fn check(&self, problems: &mut Problems) {
        if self.count > 10 {
            problems.add("example.count", "must not be more than 10").hint("take 10");
        }
    }
}

fn read(sources: &Sources) -> Result<(Example, Origins), Problems> {
    let mut layers = Layers::read(sources);
    let example = layers.table();
    layers.finish().map(|origins| (example, origins))
}

/// What comes out of a file, environment variables and a flag.
#[track_caller]
fn check(file: &str, env: &[(&str, &str)], flags: &[(&'static str, &str)], expect: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pando.toml");
    fs::write(&path, file).unwrap();
    let mut sources = Sources::empty().with_file(path);
    for (variable, value) in env {
        sources = sources.with_env(variable, value);
    }
    for (key, value) in flags {
        sources.flag(key, "--flag", Some(*value));
    }
    let text = match read(&sources) {
        Ok((example, origins)) => render_toml(&[TableView::of(&example)], Some(&origins)),
        Err(problems) => format!("{problems}\n"),
    };
    expect.assert_eq(&text.replace(&format!("{}/", dir.path().display()), ""));
}

#[test]
fn everything_has_a_default() {
    check(
        "",
        &[],
        &[],
        expect![[r#"
            [example]
            memory_max = "64 MiB"                        # default
            patience = "30s"                             # default
            names = ["a"]                                # default
            count = 3                                    # default
            on = false                                   # default
            # password = ""                              # default
        "#]],
    );
}

#[test]
fn flags_win_over_environment_over_file() {
    check(
        "# a comment\n[example]\nmemory_max = 1024\npatience = 5\ncount = 1\nnames = []\non = true\n",
        &[
            ("PANDO_EXAMPLE__PATIENCE", "2 min"),
            ("PANDO_EXAMPLE__COUNT", "2"),
            ("PANDO_EXAMPLE__NAMES", "x, y"),
            ("PANDO_EXAMPLE__PASSWORD", "hunter2"),
            ("PANDO_SIM_SEED", "names no key"),
            ("HOME", "/root"),
        ],
        &[("example.count", "4"), ("example.count", "5")],
        expect![[r#"
            [example]
            memory_max = "1 KiB"                         # pando.toml:3
            patience = "2min"                            # environment PANDO_EXAMPLE__PATIENCE
            names = ["x", "y"]                           # environment PANDO_EXAMPLE__NAMES
            count = 5                                    # flag --flag
            on = true                                    # pando.toml:7
            # password = "***"                           # environment PANDO_EXAMPLE__PASSWORD
        "#]],
    );
}

#[test]
fn all_problems_are_told_at_once() {
    check(
        concat!(
            "stray = 1\n[example]\nmemory_max = \"lots\"\ncount = 11\npassword = 5\n",
            "on = \"true\"\ncuont = 1\nnames = [1]\n[exampel]\ncount = 1\n",
        ),
        &[("PANDO_EXAMPLE__PATIENCE", "soon"), ("PANDO_EXAMPLE__ZZZ", "1")],
        &[("example.count", "12")],
        expect![[r#"
            10 problems in the configuration
              stray stands in no table (pando.toml:1)
                hint: settings stand below a table line, such as [web]
              example.memory_max must be a size, such as "64 MiB", not "lots" (pando.toml:3)
              example.patience must be a duration, such as "30s" or "5min", not "soon" (environment PANDO_EXAMPLE__PATIENCE)
              example.names must be a list of texts, such as ["a", "b"], not [1] (pando.toml:8)
              example.on must be true or false, not "true" (pando.toml:6)
              example.password must be a text (pando.toml:5)
              example.count must not be more than 10 (flag --flag)
                hint: take 10
              exampel.count is no known key (pando.toml:10)
                hint: did you mean example.count?
              example.cuont is no known key (pando.toml:7)
                hint: did you mean example.count?
              example.zzz is no known key (environment PANDO_EXAMPLE__ZZZ)
        "#]],
    );
}

#[test]
fn a_broken_file_is_a_problem_with_its_line() {
    check(
        "[example]\ncount = 1\non = = true\n",
        &[],
        &[],
        expect![[r#"
        1 problem in the configuration
          pando.toml:3: extra `=`, expected nothing
    "#]],
    );
    check(
        "[example]\ncount = 1\ncount = 2\n",
        &[],
        &[],
        expect![[r#"
        1 problem in the configuration
          pando.toml:3: duplicate key
    "#]],
    );
    check(
        "[example]\ncount = 99999999999999999999999\n",
        &[],
        &[],
        expect![[r#"
        1 problem in the configuration
          example.count must be a whole number from 0 to 4294967295, not "99999999999999999999999" (pando.toml:2)
    "#]],
    );
}

#[test]
fn a_missing_file_is_a_problem() {
    let problems = read(&Sources::empty().with_file("no/such.toml")).unwrap_err();
    expect![[r#"
        1 problem in the configuration
          no/such.toml:1: failed to read the configuration file: No such file or directory (os error 2)"#]]
    .assert_eq(&problems.to_string());
}

#[test]
fn secrets_come_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    fs::write(&path, "hunter2\n").unwrap();
    let path = path.to_str().unwrap();
    let sources = Sources::empty().with_env("PANDO_EXAMPLE__PASSWORD_FILE", path);
    let (example, origins) = read(&sources).unwrap();
    assert_eq!(example.password.reveal(), "hunter2");
    assert_eq!(format!("{:?} {}", example.password, example.password), "*** ***");
    let shown = render_toml(&[TableView::of(&example)], Some(&origins));
    assert!(shown.contains("# environment PANDO_EXAMPLE__PASSWORD_FILE"), "{shown}");
    assert!(!shown.contains("hunter2"));

    let both = sources.with_env("PANDO_EXAMPLE__PASSWORD", "hunter2");
    let problems = read(&both).unwrap_err().to_string();
    assert!(problems.contains("must not be given beside example.password_file"), "{problems}");
    assert!(!problems.contains("hunter2"));
}

#[test]
fn a_missing_secret_file_is_a_problem() {
    check(
        "[example]\npassword_file = \"no/such\"\n",
        &[],
        &[],
        expect![[r#"
            1 problem in the configuration
              example.password_file names "no/such", which cannot be read: No such file or directory (os error 2) (pando.toml:2)
        "#]],
    );
    check(
        "[example]\npassword_file = 5\n",
        &[],
        &[],
        expect![[r#"
            1 problem in the configuration
              example.password_file must be the path of a file (pando.toml:2)
        "#]],
    );
}

#[test]
fn the_reference_page_is_made_of_the_doc_comments() {
    let text = render_reference(&[TableView::of(&Example::default())]);
    expect![[r#"

        ## [example]

        A table for these tests.

        ### example.memory_max

        How much
        fits in.

        Must be a size, such as "64 MiB". Default: `"64 MiB"`. Environment: `PANDO_EXAMPLE__MEMORY_MAX`.

        ### example.patience

        How long.

        Must be a duration, such as "30s" or "5min". Default: `"30s"`. Environment: `PANDO_EXAMPLE__PATIENCE`.

    "#]].assert_eq(&text[..text.find("### example.names").unwrap()]);
    let password = &text[text.find("### example.password").unwrap()..];
    expect![[r#"
        ### example.password

        Hidden.

        Must be a text. Not set by default. May be given as `password_file`, the path of a file. Environment: `PANDO_EXAMPLE__PASSWORD`.
    "#]].assert_eq(password);
}

/// The problems of the tables of this crate, with `env` over the defaults.
#[track_caller]
fn check_tables(env: &[(&str, &str)], expect: Expect) {
    expect.assert_eq(&problems_of_tables(env));
}

fn problems_of_tables(env: &[(&str, &str)]) -> String {
    let mut sources = Sources::empty();
    for (variable, value) in env {
        sources = sources.with_env(variable, value);
    }
    let mut layers = Layers::read(&sources);
    let _web: WebConfig = layers.table();
    let mut store: StoreConfig = layers.table();
    store.read_encryption_env(&mut layers.problems, |name| sources.variable(name));
    let _database: DatabaseConfig = layers.table();
    let _log: LogConfig = layers.table();
    let _drain: DrainConfig = layers.table();
    match layers.finish() {
        Ok(_) => "valid".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn the_defaults_are_valid() {
    check_tables(&[], expect!["valid"]);
}

#[test]
fn https_needs_a_certificate() {
    check_tables(
        &[("PANDO_WEB__HTTPS", "0.0.0.0:443")],
        expect![[r#"
        2 problems in the configuration
          web.tls_cert must be set for HTTPS
            hint: the path of a PEM file, for example one that certbot keeps up to date
          web.tls_key must be set for HTTPS
            hint: the path of a PEM file, for example one that certbot keeps up to date"#]],
    );
    check_tables(
        &[
            ("PANDO_WEB__HTTPS", "0.0.0.0:443"),
            ("PANDO_WEB__HTTP", ""),
            ("PANDO_WEB__TLS_CERT", "a.crt"),
            ("PANDO_WEB__TLS_KEY", "a.key"),
        ],
        expect!["valid"],
    );
    check_tables(
        &[("PANDO_WEB__HTTP", "")],
        expect![[r#"
        1 problem in the configuration
          web.http must not be empty when web.https is (environment PANDO_WEB__HTTP)"#]],
    );
}

#[test]
fn domains_change_the_default_ports() {
    let web = |sources: &Sources| -> WebConfig { Layers::read(sources).table() };
    let domains = Sources::empty().with_env("PANDO_WEB__DOMAINS", "example.com");
    let both = web(&domains);
    assert_eq!((both.http.as_str(), both.https.as_str()), ("0.0.0.0:80", "0.0.0.0:443"));
    let given = web(&domains.with_env("PANDO_WEB__HTTP", "127.0.0.1:8080"));
    assert_eq!((given.http.as_str(), given.https.as_str()), ("127.0.0.1:8080", "0.0.0.0:443"));
}

#[test]
fn limits_are_checked() {
    check_tables(
        &[
            ("PANDO_WEB__HTTP", "localhost"),
            ("PANDO_WEB__BODY_MAX", "10"),
            ("PANDO_WEB__HEADERS_MAX", "1 KiB"),
            ("PANDO_WEB__HEADER_TIMEOUT", "0"),
            ("PANDO_WEB__CONNECTIONS_MAX", "0"),
            ("PANDO_WEB__ORIGINS", ""),
            ("PANDO_STORE__DIR", ""),
            ("PANDO_STORE__READERS", "5000"),
            ("PANDO_STORE__QUERY_TIMEOUT", "0"),
            ("PANDO_STORE__GROUP_MAX", "0"),
            ("PANDO_LOG__LEVEL", "a=b=c"),
            ("PANDO_LOG__FORMAT", "xml"),
            ("PANDO_DRAIN__TIMEOUT", "2h"),
        ],
        expect![[r#"
            13 problems in the configuration
              web.http must be HOST:PORT, not "localhost" (environment PANDO_WEB__HTTP)
                hint: for example "127.0.0.1:8090"; "0.0.0.0:8090" for all interfaces
              web.body_max must be at least 1 KiB (environment PANDO_WEB__BODY_MAX)
              web.headers_max must be at least 8 KiB (environment PANDO_WEB__HEADERS_MAX)
              web.header_timeout must be at least 1s (environment PANDO_WEB__HEADER_TIMEOUT)
              web.connections_max must be at least 1 (environment PANDO_WEB__CONNECTIONS_MAX)
              web.origins must not be empty (environment PANDO_WEB__ORIGINS)
                hint: ["*"] allows all origins
              store.dir must not be empty (environment PANDO_STORE__DIR)
              store.readers must not be more than 1024 (environment PANDO_STORE__READERS)
              store.query_timeout must not be 0 (environment PANDO_STORE__QUERY_TIMEOUT)
              store.group_max must be at least 1 (environment PANDO_STORE__GROUP_MAX)
              log.format must be "auto", "pretty" or "json", not "xml" (environment PANDO_LOG__FORMAT)
              log.level is not understood: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5 (environment PANDO_LOG__LEVEL)
                hint: for example "info" or "info,pando_store=debug"
              drain.timeout must not be longer than an hour (environment PANDO_DRAIN__TIMEOUT)"#]],
    );
}

#[test]
fn the_encryption_key_has_32_characters() {
    let key = "0123456789abcdef0123456789abcdef";
    let named = ("PANDO_STORE__ENCRYPTION_ENV", "PB_KEY");
    check_tables(&[named, ("PB_KEY", key)], expect!["valid"]);
    check_tables(
        &[named, ("PB_KEY", "short")],
        expect![[r#"
        1 problem in the configuration
          store.encryption_env must hold exactly 32 characters, not 5 (environment PANDO_STORE__ENCRYPTION_ENV)
            hint: openssl rand -hex 16 makes one"#]],
    );
    check_tables(
        &[named],
        expect![[r#"
        1 problem in the configuration
          store.encryption_env names PB_KEY, which is not set (environment PANDO_STORE__ENCRYPTION_ENV)
            hint: export PB_KEY=$(openssl rand -hex 16)"#]],
    );
    check_tables(
        &[("PANDO_STORE__ENCRYPTION_KEY", "short")],
        expect![[r#"
        1 problem in the configuration
          store.encryption_key must hold exactly 32 characters, not 5 (environment PANDO_STORE__ENCRYPTION_KEY)
            hint: openssl rand -hex 16 makes one"#]],
    );
    check_tables(
        &[named, ("PB_KEY", key), ("PANDO_STORE__ENCRYPTION_KEY", key)],
        expect![[r#"
        1 problem in the configuration
          store.encryption_env must not be given beside store.encryption_key (environment PANDO_STORE__ENCRYPTION_ENV)"#]],
    );
}

#[test]
fn a_database_is_named_by_its_url() {
    for url in [
        "postgres://user:p%40ss@db.example.com:5432/pando?sslmode=require",
        "postgresql://db/pando",
        "postgres://pando@%2Frun%2Fpostgresql/pando",
        "postgres:///pando?host=/run/postgresql",
    ] {
        check_tables(&[("PANDO_DATABASE__URL", url)], expect!["valid"]);
    }
    let mut problems: Vec<String> = Vec::new();
    for url in ["mysql://user:hunter2@db/pando", "host=db password=hunter2", "db/pando"] {
        problems.push(problems_of_tables(&[("PANDO_DATABASE__URL", url)]));
    }
    problems.dedup();
    expect![[r#"
        1 problem in the configuration
          database.url must begin with postgres:// or postgresql:// (environment PANDO_DATABASE__URL)
            hint: such as postgres://user:password@host:5432/name"#]].assert_eq(&problems.join("\n"));
    problems.clear();
    for url in ["postgres://", "postgres://user:hunter2@/pando", "postgres:///a?sslmode=host="] {
        problems.push(problems_of_tables(&[("PANDO_DATABASE__URL", url)]));
    }
    problems.dedup();
    expect![[r#"
        1 problem in the configuration
          database.url must name the server (environment PANDO_DATABASE__URL)
            hint: such as postgres://user:password@host:5432/name"#]]
    .assert_eq(&problems.join("\n"));
}

#[test]
fn connections_to_the_database_have_bounds() {
    for count in ["1", "1000"] {
        check_tables(&[("PANDO_DATABASE__CONNECTIONS", count)], expect!["valid"]);
    }
    let problems =
        ["0", "1001"].map(|count| problems_of_tables(&[("PANDO_DATABASE__CONNECTIONS", count)]));
    assert_eq!(problems[0], problems[1]);
    expect![[r#"
        1 problem in the configuration
          database.connections must be from 1 to 1000 (environment PANDO_DATABASE__CONNECTIONS)
            hint: the server's own limit is max_connections, 100 if nobody changed it"#]]
    .assert_eq(&problems[0]);
}
