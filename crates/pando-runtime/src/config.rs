//! The configuration: defaults < `pando.toml` < environment < flags.
//!
//! A crate declares its table with [`config_table!`](crate::config_table): one place for each
//! key's name, type, default and words, from which reading, `config show` and the reference page
//! all come. The binary composes the tables:
//!
//! ```ignore
//! let mut layers = Layers::read(&sources);
//! let config = Config { web: layers.table(), store: layers.table() };
//! let origins = layers.finish()?; // all problems at once
//! ```
//!
//! Invariant: a problem never stops the reading, so that the operator sees every problem at once.

mod bus;
mod database;
mod files;
mod layers;
mod problems;
mod secret;
mod setting;
mod show;
mod sources;
mod store;
mod system;
mod table;
mod units;
mod web;

pub use bus::BusConfig;
pub use database::DatabaseConfig;
pub use files::FilesConfig;
pub use layers::Layers;
pub use problems::{Problem, Problems};
pub use secret::Secret;
pub use setting::Setting;
pub use show::{TableView, render_reference, render_toml};
pub use sources::{FILE_NAME, Origin, Origins, Sources};
pub use store::StoreConfig;
pub use system::{DrainConfig, LogConfig, LogFormat};
pub use table::{Given, Key, Keys, Table};
pub use toml::Value;
pub use units::{ByteSize, Seconds, UnitError};
pub use web::WebConfig;

#[cfg(test)]
mod tests;
