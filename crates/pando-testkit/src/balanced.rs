//! Servers that are reached through a load balancer alone.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::bridge::Bridge;
use crate::proxy::{Proxy, ProxyConfig, ProxyProduct};
use crate::server::{Program, Server};

/// What balancer and servers share.
pub const BALANCER_SECRET: &str = "the-secret-of-this-test-0123456789";

/// How clients speak to the balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Http1,
    /// HTTP/2 over TLS.
    Http2,
}

/// A balancer and what stands before it.
#[derive(Debug)]
pub struct Front {
    pub balancer: Proxy,
    bridge: Option<Bridge>,
}

impl Front {
    /// A balancer without upstreams: servers announce themselves.
    pub fn start(pando: &Path, wire: Wire) -> Result<Front> {
        let config = ProxyConfig::new(&[]).set("secret", BALANCER_SECRET);
        let config = match wire {
            Wire::Http1 => config.set("slow_start", "0s"),
            Wire::Http2 => ProxyConfig { self_signed: true, ..config.set("slow_start", "0s") },
        };
        let balancer = Proxy::start(ProxyProduct::Pando, pando, &config)?;
        let bridge = match wire {
            Wire::Http1 => None,
            Wire::Http2 => Some(Bridge::start(balancer.addresses().https)?),
        };
        Ok(Front { balancer, bridge })
    }

    /// Where clients connect, by HTTP/1.1 in any case.
    pub fn addr(&self) -> SocketAddr {
        self.bridge.as_ref().map_or(self.balancer.addr(), Bridge::addr)
    }

    /// A program whose servers announce themselves and serve nobody else.
    #[must_use]
    pub fn behind(&self, program: &Program) -> Program {
        let admin = self.balancer.addresses().admin.to_string();
        let program = program.clone().env("PANDO_WEB__BALANCERS", admin);
        program.env("PANDO_WEB__BALANCER_SECRET", BALANCER_SECRET)
    }

    /// Starts servers on one database behind the balancer, which knows all of them when this
    /// returns.
    pub fn launch(&self, program: &Program, dir: &Path, count: usize) -> Result<Vec<Server>> {
        let servers = self.behind(program).launch_several(dir, count)?;
        self.balancer.wait_for_serving(count)?;
        Ok(servers)
    }
}
