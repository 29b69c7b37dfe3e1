use pando_runtime::config::{Sources, render_toml};

use super::Config;

#[test]
fn what_is_shown_reads_back() {
    let sources = Sources::empty()
        .with_env("PANDO_WEB__ORIGINS", "https://a.b,https://c.d")
        .with_env("PANDO_STORE__DIR", "a \"quoted\" \\ dir")
        .with_env("PANDO_DRAIN__TIMEOUT", "1500ms");
    let shown = |sources| {
        let config = Config::read(sources).unwrap();
        assert_eq!(*config.origins.of("log.level"), pando_runtime::config::Origin::Default);
        render_toml(&config.tables(), None)
    };
    let first = shown(&sources);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pando.toml");
    let without_defaults: String =
        first.lines().filter(|line| !line.starts_with("level")).flat_map(|l| [l, "\n"]).collect();
    std::fs::write(&file, without_defaults).unwrap();
    assert_eq!(shown(&Sources::empty().with_file(file)), first);
}

#[test]
fn a_wrong_encryption_key_is_a_problem_of_the_flag() {
    let mut sources = Sources::empty().with_env("PB_KEY", "short");
    sources.flag("store.encryption_env", "--encryptionEnv", Some("PB_KEY"));
    let problems = Config::read(&sources).unwrap_err().to_string();
    let expected =
        "store.encryption_env must hold exactly 32 characters, not 5 (flag --encryptionEnv)";
    assert!(problems.contains(expected), "{problems}");
}

#[test]
fn the_database_of_the_store_is_that_of_its_table() {
    let options = |sources: &Sources| Config::read(sources).unwrap().store_options();
    assert_eq!(options(&Sources::empty()).database, None);
    let sources = Sources::empty()
        .with_env("PANDO_DATABASE__URL", "postgres://me:hunter2@db/pando")
        .with_env("PANDO_DATABASE__CONNECTIONS", "7");
    let options = options(&sources);
    let database = options.database.unwrap();
    assert_eq!((database.url.as_str(), options.connections), ("postgres://me:hunter2@db/pando", 7));
    assert!(!format!("{database:?}").contains("hunter2"));
    let config = Config::read(&sources).unwrap();
    let shown = render_toml(&config.tables(), Some(&config.origins));
    assert!(!shown.contains("hunter2") && shown.contains("# url = \"***\""), "{shown}");
}
