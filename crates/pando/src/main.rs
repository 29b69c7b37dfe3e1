//! The `pando` program; see the library for what it does.

use std::process::ExitCode;

use mimalloc::MiMalloc;

// For Rust and, by its `override` feature, for SQLite.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    pando::run(std::env::args_os())
}
