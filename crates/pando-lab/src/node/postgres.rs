//! PostgreSQL: a cluster of its own with one database, reached over TCP with a password.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Site, Start, World};
use crate::command::{run, run_with_input};
use crate::postgres::{Account, PACKAGE, USER, programs};

/// The role and the database of the application.
const ROLE: &str = "pando";

/// Web servers hold 20 connections each unless they are told otherwise, and more may be added.
const CONNECTIONS_MAX: u32 = 300;

/// Everybody who can reach it must know the password.
const ACCESS: &str = "\
local all all scram-sha-256
host all all samehost scram-sha-256
host all all samenet scram-sha-256
";

const CONNECT_WITHIN: Duration = Duration::from_secs(1);

pub(super) fn missing() -> Vec<&'static str> {
    match programs() {
        Ok(_) => Vec::new(),
        Err(_) => vec![PACKAGE],
    }
}

/// How the web servers connect.
pub(super) fn url(site: &Site, world: &World) -> String {
    format!("postgres://{ROLE}:{}@{}/{ROLE}", world.secrets.database_password, site.address)
}

pub(super) fn prepare(site: &Site, world: &World) -> Result<()> {
    if data(site).exists() {
        return Ok(());
    }
    fs::create_dir_all(&site.dir)
        .with_context(|| format!("failed to make {}", site.dir.display()))?;
    let account = Account::for_dir(&site.dir)?;
    account.own(&site.dir)?;
    // One that was not finished stays aside.
    let unfinished = site.dir.join("data.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).context("failed to remove an unfinished cluster")?;
    }
    fs::set_permissions(&site.dir, fs::Permissions::from_mode(0o700))?;
    let password = site.dir.join("password");
    fs::write(&password, &world.secrets.database_password).context("failed to write a password")?;
    account.own(&password)?;
    let mut init = account.command(&programs()?.join("initdb"));
    init.args(["--username", USER, "--auth=scram-sha-256", "--encoding=UTF8"]);
    init.args(["--locale=C.UTF-8", "--no-sync", "--no-instructions"]);
    init.arg("--pgdata").arg(&unfinished).arg("--pwfile").arg(&password);
    let made = run(&mut init);
    fs::remove_file(&password).context("failed to remove a password")?;
    made.context("failed to make a database cluster")?;
    fs::write(unfinished.join("pg_hba.conf"), ACCESS).context("failed to set access up")?;
    fs::rename(&unfinished, data(site)).context("failed to put a cluster in place")
}

pub(super) fn start(site: &Site, world: &World) -> Result<Start> {
    remove_stale_pid_file(site)?;
    let mut settings = vec![
        format!("listen_addresses={}", site.address.ip()),
        format!("port={}", site.address.port()),
        format!("max_connections={CONNECTIONS_MAX}"),
        format!("cluster_name={}", site.name),
        // The path of a socket has room for 107 bytes, that of the lab may be longer.
        "unix_socket_directories=".to_owned(),
        "log_destination=stderr".to_owned(),
        "log_timezone=UTC".to_owned(),
    ];
    if !world.synced {
        settings.extend(["fsync=off".to_owned(), "full_page_writes=off".to_owned()]);
    }
    let mut words = vec![programs()?.join("postgres").into(), "-D".into(), data(site).into()];
    for setting in settings {
        words.push("-c".into());
        words.push(setting.into());
    }
    let env = vec![("PATH", crate::PATH.into())];
    Ok(Start { words, env, account: Account::for_dir(&site.dir)? })
}

/// A server that was killed leaves its number behind, and PostgreSQL does not start while any process
/// has it, even one that has ended and is not waited for.
fn remove_stale_pid_file(site: &Site) -> Result<()> {
    let path = data(site).join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
    let works_here = |pid: u32| {
        let place = fs::read_link(format!("/proc/{pid}/cwd"));
        place.is_ok_and(|place| fs::canonicalize(data(site)).is_ok_and(|data| data == place))
    };
    // One that runs there, whoever started it, is PostgreSQL's to judge.
    if pid.is_some_and(works_here) {
        return Ok(());
    }
    fs::remove_file(&path).context("failed to remove what a killed server had left")
}

pub(super) fn ready(site: &Site) -> bool {
    // Soon answered while nobody listens; the program takes its time.
    if TcpStream::connect_timeout(&site.address, CONNECT_WITHIN).is_err() {
        return false;
    }
    let Ok(mut ask) = client(site, "pg_isready") else { return false };
    ask.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Makes role and database.
pub(super) fn complete(site: &Site, world: &World) -> Result<()> {
    let password = &world.secrets.database_password;
    let script = format!(
        "SELECT 'CREATE ROLE {ROLE} LOGIN PASSWORD ''{password}'''
         WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}')\\gexec
         SELECT 'CREATE DATABASE {ROLE} OWNER {ROLE} ENCODING ''UTF8'' TEMPLATE template0'
         WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{ROLE}')\\gexec\n"
    );
    let mut psql = client(site, "psql")?;
    psql.env("PGPASSWORD", password).env("PGDATABASE", "postgres");
    psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "-"]);
    run_with_input(&mut psql, &script).context("failed to make the database")
}

/// One of PostgreSQL's client programs, told where the server is.
fn client(site: &Site, program: &str) -> Result<Command> {
    let mut command = Command::new(programs()?.join(program));
    command.env("PGHOST", site.address.ip().to_string());
    command.env("PGPORT", site.address.port().to_string()).env("PGUSER", USER);
    command.env("PGCONNECT_TIMEOUT", "2");
    Ok(command)
}

fn data(site: &Site) -> PathBuf {
    site.dir.join("data")
}
