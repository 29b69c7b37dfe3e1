//! `pando balancer` as a process, in front of upstreams that are easy or hard to live with.

mod faults;
mod fleet;
mod judged;
mod load;
mod policies;
mod raw;
mod two;

use std::path::Path;

use pando_testkit::{Proxy, ProxyConfig, ProxyProduct};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_pando"))
}

fn start(config: &ProxyConfig) -> Proxy {
    Proxy::start(ProxyProduct::Pando, program(), config).unwrap()
}
