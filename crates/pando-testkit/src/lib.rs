//! Real servers, blocking clients and the comparison with PocketBase, for tests and for `xtask`.
//!
//! Only threads and sockets of the standard library: what measures and judges the server must not
//! share its runtime or its HTTP code. The clients, and the judge of what they saw, are those of
//! `pando lab load`.

mod balanced;
mod bridge;
pub mod bucket;
pub mod compare;
pub mod control;
pub mod crash;
pub mod fixture;
pub mod nats;
pub mod postgres;
pub mod proxy;
pub mod raw_suite;
mod relay;
pub mod rng;
pub mod root;
pub mod server;
mod upstream;

pub use balanced::{BALANCER_SECRET, Front, Wire};
pub use bridge::Bridge;
pub use bucket::Bucket;
pub use nats::Nats;
pub use pando_history as history;
pub use pando_lab::load;
pub use pando_lab::{HttpClient, Lab, Multipart, Request, Response, SseClient, SseEvent, wait_for};
pub use pando_lab::{http, process, sse, wait};
pub use postgres::{Postgres, PostgresSetup};
pub use proxy::{Proxy, ProxyConfig, ProxyProduct, Sharing};
pub use relay::Relay;
pub use rng::{Rng, seeds};
pub use root::RootClient;
pub use server::{Product, Program, Server};
pub use upstream::SmallUpstream;
