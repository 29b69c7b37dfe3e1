//! The load balancer: HTTP/1.1 and HTTP/2 in front of several web servers.
//!
//! A connection comes in at `caller`, a request goes through `guard` and `proxy`, `pool` says which
//! upstream gets it, and `upstream` speaks to that one. `members` and `control` decide, beside the
//! requests, who belongs to the pool and who is well; the decisions themselves are in
//! `pando-topology`.
//!
//! *Invariants*: a message's framing is never copied from one side to the other; a request that is
//! not safe to repeat is never sent to a second upstream once the first may have it; each wait,
//! queue and buffer has a limit.

mod admin;
mod alarms;
mod answers;
mod balancer;
mod body;
mod caller;
mod clients;
mod config;
mod control;
mod fields;
mod figures;
mod guard;
mod handover;
mod listeners;
mod members;
mod networks;
mod outgoing;
mod pool;
mod pressure;
mod proxy;
mod proxy_protocol;
mod settings;
mod shared;
mod upstream;
mod worker;

pub use balancer::{Balancer, Bound, Reload, Start};
pub use config::{BalancerConfig, Choice, ProxyProtocol};
