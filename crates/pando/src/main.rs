//! The `pando` program; see the library for what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    pando::run(std::env::args_os())
}
