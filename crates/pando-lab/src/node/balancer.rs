//! `pando balancer`, before the web servers of the lab, which announce themselves to it.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Kind, Site, Start, World};
use crate::http::{HttpClient, Request};
use crate::postgres::Account;

const ADMIN_PORT: u16 = 8081;
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// So that `pando lab down` is over soon, also under load.
const DRAIN: &str = "10s";

pub(super) fn prepare(site: &Site) -> Result<()> {
    fs::create_dir_all(&site.dir).with_context(|| format!("failed to make {}", site.dir.display()))
}

pub(super) fn start(site: &Site, world: &World) -> Start {
    // On a network of its own it may be given more addresses.
    let address = match site.namespace {
        Some(_) => format!(":{}", site.address.port()),
        None => site.address.to_string(),
    };
    let mut words: Vec<OsString> = vec![world.pando.clone().into()];
    words.extend(["balancer", "--http", &address].map(OsString::from));
    let env = vec![
        ("PATH", OsString::from(crate::PATH)),
        ("PANDO_LOG__FORMAT", "pretty".into()),
        ("PANDO_DRAIN__TIMEOUT", DRAIN.into()),
        ("PANDO_BALANCER__DRAIN_WAIT", "0s".into()),
        ("PANDO_BALANCER__ADMIN", admin(site).to_string().into()),
        ("PANDO_BALANCER__SECRET", world.secrets.balancer_secret.clone().into()),
    ];
    Start { words, env, account: Account::Own }
}

/// What a web server must know of the balancers, if there are any.
pub(super) fn environment(world: &World) -> Vec<(&'static str, OsString)> {
    let admins: Vec<String> =
        world.of_kind(Kind::Balancer).map(|site| admin(site).to_string()).collect();
    if admins.is_empty() {
        return Vec::new();
    }
    vec![
        ("PANDO_WEB__BALANCERS", admins.join(",").into()),
        ("PANDO_WEB__BALANCER_SECRET", world.secrets.balancer_secret.clone().into()),
        // At the end of a lab its balancers have gone already.
        ("PANDO_WEB__GOODBYE_WAIT", "1s".into()),
    ]
}

/// Where operators and web servers reach it. On the loopback interface that is another of its
/// addresses, so that a node needs one port only.
fn admin(site: &Site) -> SocketAddr {
    match site.namespace {
        Some(_) => SocketAddr::new(site.address.ip(), ADMIN_PORT),
        None => SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), site.address.port())),
    }
}

/// It knows a web server that takes requests.
pub(super) fn ready(site: &Site) -> bool {
    let mut client = HttpClient::new(admin(site)).with_timeout(ANSWER_WITHIN);
    client.send(&Request::get("/healthz/ready")).is_ok_and(|answer| answer.status == 200)
}
