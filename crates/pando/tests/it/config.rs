//! `pando config`: what it checks and shows.

use std::fs;

use expect_test::{Expect, expect};

use crate::process::{command, outcome};

#[track_caller]
fn check(file: &str, args: &[&str], env: &[(&str, &str)], expect: Expect) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("pando.toml"), file).unwrap();
    let mut command = command(dir.path(), args);
    command.envs(env.iter().copied());
    expect.assert_eq(&outcome(command));
}

#[test]
fn a_valid_configuration() {
    check(
        "[web]\nhttp = \"127.0.0.1:0\"\n",
        &["config", "check"],
        &[],
        expect![[r#"
            exit 0
            The configuration is valid; file: pando.toml.
        "#]],
    );
}

#[test]
fn problems_are_told_at_once_with_exit_code_78() {
    check(
        "[web]\nhttp = \"here\"\nbody_max = -1\n",
        &["config", "check", "--encryptionEnv", "KEY"],
        &[("PANDO_STORE__READERS", "many"), ("KEY", "short")],
        expect![[r#"
            exit 78
            error: 4 problems in the configuration
              web.body_max must be a size, such as "64 MiB", not -1 (pando.toml:3)
              web.http must be HOST:PORT, not "here" (pando.toml:2)
                hint: for example "127.0.0.1:8090"; "0.0.0.0:8090" for all interfaces
              store.readers must be a whole number from 0 to 4294967295, not "many" (environment PANDO_STORE__READERS)
              store.encryption_env must hold exactly 32 characters, not 5 (flag --encryptionEnv)
                hint: openssl rand -hex 16 makes one
        "#]],
    );
}

#[test]
fn nothing_starts_before_the_configuration_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    let shown = outcome(command(dir.path(), &["serve", "--http", "here"]));
    assert!(shown.starts_with("exit 78\n"), "{shown}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "no data directory");
}

#[test]
fn show_hides_secrets_and_tells_origins() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("token"), "hunter2\n").unwrap();
    let mut command = command(dir.path(), &["--dir", "d", "config", "show", "--origin"]);
    command.env("PANDO_WEB__METRICS_TOKEN_FILE", "token");
    let shown = outcome(command);
    assert!(!shown.contains("hunter2"), "{shown}");
    let interesting = shown.lines().filter(|line| !line.ends_with("# default"));
    expect![[r#"
        exit 0
        [web]
        # metrics_token = "***"                      # environment PANDO_WEB__METRICS_TOKEN_FILE

        [store]
        dir = "d"                                    # flag --dir

        [database]

        [bus]

        [files]

        [balancer]

        [log]

        [drain]"#]]
    .assert_eq(&interesting.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_mistake_on_the_command_line_has_exit_code_1() {
    let dir = tempfile::tempdir().unwrap();
    let shown = outcome(command(dir.path(), &["serve", "--bogus"]));
    assert!(shown.starts_with("exit 1\nerror: unexpected argument '--bogus'"), "{shown}");
    let help = outcome(command(dir.path(), &[]));
    assert!(help.starts_with("exit 0\nA complete application backend"), "{help}");
    let version = outcome(command(dir.path(), &["version"]));
    let expected =
        concat!("exit 0\npando ", env!("CARGO_PKG_VERSION"), " (API of PocketBase 0.40.6)\n");
    assert_eq!(version, expected);
}
