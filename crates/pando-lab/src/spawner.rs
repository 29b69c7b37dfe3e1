//! A thread that starts processes and does nothing else.
//!
//! The kernel sends a process its parent-death signal when the *thread* that started it ends. So
//! that thread must live as long as the lab, whichever thread of the caller wants the start.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, Result};

#[derive(Debug)]
pub(crate) struct Spawner(Sender<(Command, Sender<io::Result<Child>>)>);

impl Spawner {
    pub(crate) fn new() -> Result<Spawner> {
        let (wishes, wished) = channel::<(Command, Sender<io::Result<Child>>)>();
        let run = move || {
            for (mut command, reply) in wished {
                // Who wished may be gone; then the child is dropped, and found by its mark.
                let _ = reply.send(command.spawn());
            }
        };
        let thread = thread::Builder::new().name("spawner".to_owned());
        thread.spawn(run).context("failed to start a thread")?;
        Ok(Spawner(wishes))
    }

    pub(crate) fn spawn(&self, command: Command) -> Result<Child> {
        let program = command.get_program().to_owned();
        let (reply, replied) = channel();
        self.0.send((command, reply)).ok().context("the spawner has ended")?;
        let child = replied.recv().context("the spawner has ended")?;
        child.with_context(|| format!("failed to start {}", program.to_string_lossy()))
    }
}
