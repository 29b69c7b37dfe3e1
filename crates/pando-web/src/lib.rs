//! The application server: HTTP API, realtime, files and the static site.
//!
//! A request comes in at `server`, becomes a `Request`, is routed by `router` to its resource,
//! and what that answers goes out again. Resources ask `access` who may do what, and the store
//! for everything else.

// A request is one future inside another, from the connection to the driver of the database.
#![recursion_limit = "256"]

mod access;
mod activity;
mod announce;
mod app;
mod arriving;
mod auth;
mod behind;
mod compress;
mod cors;
mod error;
mod files;
pub mod folders;
mod form;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod headers;
mod mail;
mod passwords;
mod rate_limit;
mod real_ip;
mod realtime;
mod request;
mod resources;
mod response;
mod router;
mod scheduler;
mod server;
mod submission;
mod tokens;

pub use activity::log_noted;
pub use app::{App, SharedApp};
pub use error::ApiError;
pub use files::s3_config;
pub use server::{Bound, run};
