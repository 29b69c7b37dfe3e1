//! `pando lab up`: starts a lab and stays with it.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use pando_lab::{Control, Folder, Lab, Options, Order, Progress, Rung};
use pando_runtime::Lifecycle;
use serde_json::Value;

use super::{progress::Starting, stopping, table::Live};
use crate::{cli::LabUp, output};

/// How often orders and signals are looked for.
const TICK: Duration = Duration::from_millis(50);
/// How often the table is drawn.
const REFRESH: Duration = Duration::from_secs(1);

pub(super) fn run(folder: &Folder, arguments: &LabUp, life: &Lifecycle) -> anyhow::Result<()> {
    let rung = Rung::of_number(arguments.rung).context("no such rung")?;
    let program = std::env::current_exe().context("failed to find this program")?;
    let options = Options {
        web_count: arguments.web,
        nats: arguments.nats,
        balancer_count: arguments.balancers,
        isolate: arguments.isolate,
        synced: !arguments.no_sync,
        fresh: arguments.fresh,
        install: arguments.install,
        ..Options::new(rung, folder.path(), program)
    };
    let mut starting = Starting::new(rung);
    let mut door = Door::default();
    let lab = Lab::up(&options, |progress| {
        starting.show(&progress);
        door.attend(folder, &progress);
        !stopping(life) && !door.given_up
    });
    starting.finish();
    let mut lab = lab?;
    let control = door.control.context("nobody listens for orders")??;
    let mut live = Live::new();
    let outcome = attend(&mut lab, &control, &mut live, life);
    live.finish();
    outcome?;
    output::print("stopping the lab\n")?;
    // Whoever asked for it waits until the folder is free.
    lab.down()?;
    drop(control);
    Ok(output::print(&format!("stopped; data and logs are in {}\n", folder.path().display()))?)
}

/// Where orders come in while the lab starts: it can be stopped, and that is all.
#[derive(Default)]
struct Door {
    control: Option<anyhow::Result<Control>>,
    given_up: bool,
}

impl Door {
    fn attend(&mut self, folder: &Folder, progress: &Progress) {
        if *progress == Progress::Begun {
            self.control = Some(Control::bind(folder));
        }
        let Some(Ok(control)) = &self.control else { return };
        // What is wrong with it shows once the lab runs.
        while let Ok(Some((order, asker))) = control.poll() {
            if order == Order::Down {
                asker.tell(&Ok(String::new()));
                self.given_up = true;
                return;
            }
            asker.tell(&Err(anyhow::anyhow!("the lab is starting")));
        }
    }
}

/// Carries orders out and shows the lab until it shall stop.
fn attend(
    lab: &mut Lab,
    control: &Control,
    live: &mut Live,
    life: &Lifecycle,
) -> anyhow::Result<()> {
    let mut shown_at: Option<Instant> = None;
    let mut reloads = life.reloads();
    reloads.mark_unchanged();
    loop {
        // A terminal that is closed sends SIGHUP: nobody is left who could stop the lab.
        if stopping(life) || reloads.has_changed().unwrap_or(true) {
            return Ok(());
        }
        while let Some((order, asker)) = control.poll()? {
            if order == Order::Down {
                asker.tell(&Ok(String::new()));
                return Ok(());
            }
            let outcome = order.perform(lab);
            if order != Order::Status {
                live.note(&outcome);
                shown_at = None;
            }
            asker.tell(&outcome);
        }
        if shown_at.is_none_or(|at| at.elapsed() >= REFRESH) {
            let status: Value = lab.status()?.json();
            live.show(&status)?;
            shown_at = Some(Instant::now());
        }
        thread::sleep(TICK);
    }
}
