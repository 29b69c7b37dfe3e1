//! What stands before the handlers of one process.

use std::path::Path;

use pando_runtime::config::WebConfig;

use super::figures::Figures;
use super::hosts::Hosts;
use crate::behind::Behind;
use crate::cors::Cors;
use crate::rate_limit::RateLimits;
use crate::resources::public::Site;

/// Made once from the configuration; counts and keeps what requests have in common.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) rate_limits: RateLimits,
    pub(crate) site: Site,
    /// Whether large texts are compressed for clients that take gzip.
    pub(crate) compression: bool,
    pub(super) behind: Behind,
    pub(super) cors: Cors,
    pub(super) figures: Figures,
    pub(super) hosts: Hosts,
}

impl Front {
    /// With `compression`, large texts are compressed for clients that take gzip; PocketBase
    /// compresses nothing but its dashboard.
    pub(crate) fn new(config: &WebConfig, compression: bool) -> Front {
        Front {
            compression,
            rate_limits: RateLimits::default(),
            site: Site::new(Path::new(&config.public_dir)),
            behind: Behind::new(&config.balancer_secret),
            cors: Cors::new(&config.origins),
            figures: Figures::new(),
            hosts: Hosts::new(&config.domains),
        }
    }
}
