//! `pando serve`, on SQLite or on the database of the lab.

use std::ffi::OsString;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Kind, SUPERUSER, Site, Start, World, balancer, nats, postgres};
use crate::command::run;
use crate::http::{HttpClient, Request};
use crate::postgres::Account;

/// The first web server makes the superuser before it starts, and with that the tables.
const FIRST: &str = "web-1";

const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// So that `pando lab down` is over soon, also under load.
const DRAIN: &str = "10s";

pub(super) fn prepare(site: &Site, world: &World) -> Result<()> {
    fs::create_dir_all(&site.dir)
        .with_context(|| format!("failed to make {}", site.dir.display()))?;
    // Made again it would get a new token key, and who is logged in would be no more.
    let made = site.dir.join("superuser-made");
    if site.name != FIRST || made.exists() {
        return Ok(());
    }
    let mut upsert = Command::new(&world.pando);
    upsert.args(["superuser", "upsert", SUPERUSER, &world.secrets.password]);
    upsert.arg("--dir").arg(&site.dir).env_clear().envs(environment(world)).current_dir(&site.dir);
    run(&mut upsert).context("failed to make the superuser")?;
    fs::write(made, "").context("failed to note that the superuser is made")
}

pub(super) fn start(site: &Site, world: &World) -> Start {
    let address = site.address.to_string();
    let mut words: Vec<OsString> = vec![world.pando.clone().into()];
    words.extend(["serve", "--http", &address, "--dir"].map(OsString::from));
    words.push(site.dir.clone().into());
    words.push("--publicDir".into());
    words.push(site.dir.join("public").into());
    Start { words, env: environment(world), account: Account::Own }
}

/// What all web servers of a lab have in common: the database, the bus, a folder for files, the
/// balancers.
fn environment(world: &World) -> Vec<(&'static str, OsString)> {
    let mut env = vec![
        ("PATH", OsString::from(crate::PATH)),
        ("PANDO_LOG__FORMAT", "pretty".into()),
        ("PANDO_DRAIN__TIMEOUT", DRAIN.into()),
    ];
    if let Some(database) = world.of_kind(Kind::Postgres).next() {
        env.push(("PANDO_DATABASE__URL", postgres::url(database, world).into()));
        env.push(("PANDO_FILES__DIR", world.folder.files().into()));
    }
    if let Some(bus) = world.of_kind(Kind::Nats).next() {
        env.push(("PANDO_BUS__NATS", nats::url(bus).into()));
    }
    env.extend(balancer::environment(world));
    env
}

pub(super) fn ready(site: &Site) -> bool {
    let mut client = HttpClient::new(site.address).with_timeout(ANSWER_WITHIN);
    client.send(&Request::get("/api/health")).is_ok_and(|answer| answer.status == 200)
}
