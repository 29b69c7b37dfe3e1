//! PocketBase's own JavaScript SDK sees no difference: one script, two servers, one transcript.
//!
//! The script is `tests/sdk/run.mjs`; `cargo xtask test` installs Node, the SDK and PocketBase.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use pando_testkit::{Front, Postgres, Product, Program, Server, Wire, control};

const EMAIL: &str = "root@example.com";
const PASSWORD: &str = "1234567890";
/// Enough differences to see a pattern.
const SHOWN_MAX: usize = 20;
/// What is shown of two results from a little before their first difference.
const EXCERPT_CHARS: usize = 240;

/// What the script prints about PocketBase.
fn oracle() -> String {
    let oracle = transcript(&Program::find(Product::Oracle).unwrap());
    assert!(oracle.ends_with(" 0 failed\n"), "the script is wrong about PocketBase:\n{oracle}");
    oracle
}

fn pando() -> Program {
    Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")))
}

#[test]
fn one_transcript_on_both_servers() {
    check(&pando());
}

#[test]
fn one_transcript_on_postgres() {
    let server = Postgres::start().unwrap();
    let database = server.new_database().unwrap();
    check(&pando().on_database(&server.url(&database)));
}

#[test]
fn one_transcript_on_three_servers() {
    let server = Postgres::start().unwrap();
    let database = server.new_database().unwrap();
    let program = pando().on_database(&server.url(&database));
    compare(&transcript_of(&program, |dir| program.launch_several(dir, 3).unwrap()));
}

#[test]
fn one_transcript_through_a_balancer() {
    check_front(Wire::Http1);
}

#[test]
fn one_transcript_through_a_balancer_over_http2() {
    check_front(Wire::Http2);
}

fn check_front(wire: Wire) {
    let server = Postgres::start().unwrap();
    let database = server.new_database().unwrap();
    let program = pando().on_database(&server.url(&database));
    let front = Front::start(program.binary(), wire).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    program.upsert_superuser(&data, EMAIL, PASSWORD).unwrap();
    let _servers = front.launch(&program, &data, 3).unwrap();
    compare(&said_of(&[front.addr()]));
}

/// The script changes collections all the time, which a move has to follow.
#[test]
fn one_transcript_while_the_records_move() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let program = pando();
    program.upsert_superuser(&data, EMAIL, PASSWORD).unwrap();
    let server = Server::launch(&program, &data).unwrap();
    let servers = [server.addr()];
    let (transcript, moved_before_the_end) = thread::scope(|scope| {
        let script = scope.spawn(|| said_of(&servers));
        let moved = control::ask(&data, &["move", "run", &url], |_| true).unwrap();
        assert!(moved.is_some());
        let before_the_end = !script.is_finished();
        (script.join().unwrap(), before_the_end)
    });
    assert!(moved_before_the_end);
    compare(&transcript);
}

fn check(pando: &Program) {
    compare(&transcript(pando));
}

fn compare(transcript: &str) {
    let found = differences(&oracle(), transcript);
    let shown = found[..found.len().min(SHOWN_MAX)].join("\n");
    assert!(found.is_empty(), "{} steps differ:\n{shown}", found.len());
}

/// What the script prints about a fresh server.
fn transcript(program: &Program) -> String {
    transcript_of(program, |data| vec![Server::launch(program, data).unwrap()])
}

/// The same about servers that share a database.
fn transcript_of(program: &Program, launch: impl FnOnce(&Path) -> Vec<Server>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    program.upsert_superuser(&data, EMAIL, PASSWORD).unwrap();
    let servers = launch(&data);
    said_of(&servers.iter().map(Server::addr).collect::<Vec<_>>())
}

/// What the script prints about servers with that superuser.
fn said_of(servers: &[SocketAddr]) -> String {
    let urls: Vec<_> = servers.iter().map(|addr| format!("http://{addr}")).collect();
    let mut node = Command::new("node");
    node.arg("run.mjs").arg(urls.join(",")).args([EMAIL, PASSWORD]);
    let hint = "`cargo xtask setup` installs Node and the SDK";
    let output = node.current_dir(script_dir()).output().expect(hint);
    let transcript = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(transcript.contains("assertions"), "the script ended early ({hint}):\n{errors}");
    transcript
}

fn script_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sdk")
}

/// Each step whose results differ, with both of them.
fn differences(oracle: &str, pando: &str) -> Vec<String> {
    let theirs: HashMap<_, _> = steps(pando).collect();
    let differing = steps(oracle).filter_map(|(step, wanted)| match theirs.get(step) {
        Some(found) if *found == wanted => None,
        Some(found) => Some(format!("{step}\n{}", contrast(wanted, found))),
        None => Some(format!("{step}\n  was never reached")),
    });
    differing.collect()
}

/// Pairs of "chapter.number title" and result.
fn steps(transcript: &str) -> impl Iterator<Item = (&str, &str)> {
    transcript.lines().filter_map(|line| line.split_once(" => "))
}

/// Both results from a little before the point where they part.
fn contrast(wanted: &str, found: &str) -> String {
    let same = wanted.chars().zip(found.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(EXCERPT_CHARS / 4);
    let excerpt = |text: &str| text.chars().skip(from).take(EXCERPT_CHARS).collect::<String>();
    format!("  pocketbase: {}\n  pando:      {}", excerpt(wanted), excerpt(found))
}

#[test]
fn a_difference_shows_where_it_is() {
    let long = "x".repeat(1000);
    let oracle = format!("# a\na.1 same => 1\na.2 other => {long}abc\na.3 gone => 3\n");
    let pando = format!("# a\na.1 same => 1\na.2 other => {long}abd\n    NOT OK: because\n");
    let found = differences(&oracle, &pando);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("a.2 other\n  pocketbase: xxx"), "{}", found[0]);
    assert!(found[0].ends_with("xabd"), "{}", found[0]);
    assert_eq!(found[1], "a.3 gone\n  was never reached");
}
