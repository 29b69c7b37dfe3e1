//! `pando balancer`: the load balancer, and what can be asked of one that runs.

mod admin;
mod keepalived;
mod text;

use anyhow::{Context as _, ensure};
use pando_balancer::{Reload, Start};
use pando_runtime::config::Sources;
use pando_runtime::{Lifecycle, host, log, watch_signals};
use serde_json::json;
use tracing::info;

use crate::{
    cli::{BalancerAction, BalancerArgs, Cli},
    config::Config,
    output,
    role::{self, Context, Role},
    serve::drain,
};

use admin::AdminClient;
use keepalived::Pair;

pub(crate) use keepalived::Floating;

pub(crate) fn run(cli: &Cli, arguments: &BalancerArgs) -> anyhow::Result<()> {
    let sources = cli.sources();
    let config = Config::read(&sources)?;
    match &arguments.action {
        None => {
            let start = if arguments.replace { Start::Replace } else { Start::Alone };
            serve(config, start, sources)
        }
        Some(BalancerAction::Status { json }) => status(&config, *json),
        Some(BalancerAction::Drain { address }) => {
            let body = json!({ "address": address }).to_string();
            AdminClient::of(&config)?.send("DELETE", "/upstreams", &body)?;
            let done = format!("{address} gets no more requests.\n");
            Ok(output::print(&output::green(&done))?)
        }
        Some(BalancerAction::Ready) => {
            AdminClient::of(&config)?.send("GET", "/healthz/ready", "").map(drop)
        }
        Some(BalancerAction::Keepalived(arguments)) => {
            let program = std::env::current_exe().context("failed to find this program")?;
            let file = sources.file().map(std::path::absolute).transpose()?;
            let pair = Pair {
                number: arguments.number,
                interface: &arguments.interface,
                addresses: &arguments.addresses,
                peer: arguments.peer,
                first_router_id: arguments.router_id,
                program: &program,
                config: file.as_deref(),
            };
            Ok(output::print(&pair.render())?)
        }
    }
}

fn serve(config: Config, start: Start, sources: Sources) -> anyhow::Result<()> {
    log::start(&config.log)?;
    host::raise_open_files_limit();
    host::async_runtime()?.block_on(balance(config, start, sources))
}

async fn balance(config: Config, start: Start, sources: Sources) -> anyhow::Result<()> {
    let life = Lifecycle::default();
    watch_signals(&life).context("failed to watch signals")?;
    let reload: Reload = Box::new(move || Ok(Config::read(&sources)?.balancer));
    let context = Context { config: config.clone(), life: life.clone() };
    let base_url = role::start(Role::Balancer(start, reload), context).await?;
    output::print(&text::started(&base_url, &config.balancer))?;
    drain(&config, &life).await;
    ensure!(!life.failed(), "stopped because a task failed");
    info!("stopped");
    Ok(())
}

fn status(config: &Config, json: bool) -> anyhow::Result<()> {
    let answer = AdminClient::of(config)?.send("GET", "/status", "")?;
    let shown = match json {
        true => answer,
        false => text::status(&serde_json::from_str(&answer).context("no JSON came back")?),
    };
    Ok(output::print(&shown)?)
}
