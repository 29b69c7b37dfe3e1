//! Real servers, blocking clients and the comparison with PocketBase, for tests and for `xtask`.
//!
//! Only threads and sockets of the standard library: what measures and judges the server must not
//! share its runtime or its HTTP code.

pub mod compare;
pub mod control;
pub mod crash;
pub mod fixture;
pub mod http;
pub mod postgres;
mod process;
pub mod proxy;
pub mod raw_suite;
mod relay;
pub mod rng;
pub mod root;
pub mod server;
pub mod sse;
mod upstream;
pub mod wait;

pub use http::{HttpClient, Multipart, Request, Response};
pub use postgres::{Postgres, PostgresSetup};
pub use proxy::{Proxy, ProxyConfig, ProxyProduct, Sharing};
pub use relay::Relay;
pub use rng::{Rng, seeds};
pub use root::RootClient;
pub use server::{Product, Program, Server};
pub use sse::{SseClient, SseEvent};
pub use upstream::SmallUpstream;
pub use wait::wait_for;
