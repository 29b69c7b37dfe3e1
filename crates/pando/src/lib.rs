//! The command line of Pando: reads it, composes the configuration, runs what was asked.
//!
//! Exit codes: 0 done, 1 failed, 78 the configuration is wrong (`EX_CONFIG` of sysexits.h).

mod balancer_command;
mod banner;
mod cli;
mod config;
mod config_command;
mod control;
mod lab_command;
mod move_command;
mod move_files;
mod output;
mod progress;
mod role;
mod serve;
mod superuser;

use std::{ffi::OsString, process::ExitCode};

use cli::{Cli, Command, MoveAction};
use pando_runtime::config::Problems;

const EXIT_CONFIG: u8 = 78;

/// Runs one command line, the program's name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = match Cli::read(args) {
        Ok(cli) => dispatch(&cli),
        Err(error) if error.use_stderr() => {
            output::failure(&error.render().ansi().to_string());
            return ExitCode::FAILURE;
        }
        Err(help) => output::print(&help.render().ansi().to_string()).map_err(Into::into),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(&format!("{} {error:#}\n", output::red("error:")));
            match error.downcast_ref::<Problems>() {
                Some(_) => ExitCode::from(EXIT_CONFIG),
                None => ExitCode::FAILURE,
            }
        }
    }
}

fn dispatch(cli: &Cli) -> anyhow::Result<()> {
    match &cli.command {
        Command::Serve(_) => serve::run(cli),
        Command::Balancer(arguments) => balancer_command::run(cli, arguments),
        Command::Superuser(action) => superuser::run(cli, action),
        Command::Move(MoveAction::Database(arguments)) => move_command::run(cli, arguments),
        Command::Move(MoveAction::Files(arguments)) => move_files::run(cli, arguments),
        Command::Lab(action) => lab_command::run(cli, action),
        Command::Config(action) => config_command::run(cli, action),
        Command::Version => Ok(output::print(&format!("{}\n", cli::version()))?),
    }
}
