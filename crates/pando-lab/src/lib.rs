//! Starts any rung of the ladder on one machine from real programs, breaks it on purpose, loads it,
//! and judges what its clients saw. `pando lab` is made of this, and so are the fault tests.
//!
//! Only threads and sockets of the standard library: what loads and judges the servers must not
//! share their runtime or their HTTP code.

mod command;
mod control;
mod folder;
mod guard;
pub mod http;
mod lab;
pub mod load;
mod network;
mod node;
mod packages;
mod plan;
mod ports;
pub mod postgres;
pub mod process;
mod record;
mod rng;
mod spawner;
pub mod sse;
mod sweep;
pub mod wait;

pub use command::{run, run_with_input};
pub use control::{Asker, Control, Order, ask, down};
pub use folder::Folder;
pub use guard::watch as guard;
pub use http::{HttpClient, Multipart, Request, Response};
pub use lab::{CLIENTS, Lab, NodeStatus, Options, Progress, State, Status, Tell};
pub use node::{Kind, SUPERUSER, Site};
pub use plan::Rung;
pub use rng::Rng;
pub use sse::{SseClient, SseEvent};
pub use wait::wait_for;

/// Where programs are looked for; nodes get no other variable of the caller's.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
