//! `pando lab`: any rung on this machine, under load and with faults.

mod load;
mod logs;
mod progress;
mod table;
mod up;

use std::path::Path;

use anyhow::Context as _;
use pando_lab::{Folder, Kind, Order, ask};
use pando_runtime::{Lifecycle, host, watch_signals};
use serde_json::Value;

use crate::{
    cli::{Cli, LabAction, LabAdd},
    output,
};

/// Where a lab is unless `--dir` says otherwise.
const DIR: &str = "pando_lab";

pub(crate) fn run(cli: &Cli, action: &LabAction) -> anyhow::Result<()> {
    let folder = Folder::new(Path::new(cli.global.dir.as_deref().unwrap_or(DIR)))?;
    let order = match action {
        LabAction::Up(arguments) => return with_signals(|life| up::run(&folder, arguments, life)),
        LabAction::Load(arguments) => {
            return with_signals(|life| load::run(&folder, arguments, life));
        }
        LabAction::Logs(arguments) => return logs::run(&folder, arguments),
        LabAction::Guard => return guard(&folder),
        LabAction::Down => return tell(&pando_lab::down(&folder)?),
        LabAction::Status { json } => return status(&folder, *json),
        LabAction::Start(node) => Order::Start(node.node.clone()),
        LabAction::Stop(node) => Order::Stop(node.node.clone()),
        LabAction::Kill(node) => Order::Kill(node.node.clone()),
        LabAction::Freeze(node) => Order::Freeze(node.node.clone()),
        LabAction::Thaw(node) => Order::Thaw(node.node.clone()),
        LabAction::Cut { node, from } => Order::Cut(node.clone(), from.clone()),
        LabAction::Heal { node, from } => Order::Heal(node.clone(), from.clone()),
        LabAction::Add { what: LabAdd::Web } => Order::Add(Kind::Web),
    };
    tell(&ask(&folder, &order)?)
}

fn tell(text: &str) -> anyhow::Result<()> {
    Ok(output::print(&format!("{text}\n"))?)
}

fn status(folder: &Folder, json: bool) -> anyhow::Result<()> {
    let text = ask(folder, &Order::Status)?;
    if json {
        return tell(&text);
    }
    let status: Value = serde_json::from_str(&text).context("the lab told something else")?;
    tell(&table::lines(&status, None).join("\n"))
}

/// Not watched: it ends with the lab, whatever signals come.
fn guard(folder: &Folder) -> anyhow::Result<()> {
    let count = pando_lab::guard(folder, std::io::stdin())?;
    if count > 0 {
        tell(&format!("the lab was killed; {count} processes that it left are stopped"))?;
    }
    Ok(())
}

/// Runs blocking work that looks at the signals of this process from time to time. A second signal
/// ends it at once.
fn with_signals(work: impl FnOnce(&Lifecycle) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let runtime = host::async_runtime()?;
    let life = Lifecycle::default();
    {
        let _entered = runtime.enter();
        watch_signals(&life).context("failed to watch signals")?;
    }
    // The runtime's own threads do the watching.
    let outcome = work(&life);
    runtime.shutdown_background();
    outcome
}

/// Whether to stop: asked to, or the terminal is gone.
fn stopping(life: &Lifecycle) -> bool {
    life.stopping.is_cancelled()
}
