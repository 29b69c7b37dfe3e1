//! How often one client may do what: the rules of `settings.rateLimits`.
//!
//! A rule counts requests in fixed windows, per client address. Superusers and the listed
//! addresses are exempt. Without rules in force a request pays one look at a flag.
//!
//! Source: PocketBase `apis/middlewares_rate_limit.go`, `core/settings_model.go`
//! (`FindRateLimitRule`).

mod labels;
mod shared;
mod windows;

use std::fmt::Debug;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;
use pando_runtime::network::Network;
use pando_schema::{Collection, RateLimitRule, Settings};

use crate::ApiError;
use crate::app::SharedApp;
use crate::real_ip::real_ip;
use crate::request::Request;

use labels::{Label, find_rule};
use windows::{Client, Windows};

/// The counters of all rules.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    epoch: RwLock<Arc<Epoch>>,
}

/// The counters since the settings changed last: a change starts all of them anew.
#[derive(Debug, Default)]
struct Epoch {
    settings: Option<Arc<Settings>>,
    excluded: Vec<Network>,
    windows: Windows,
    /// The same on all servers with these settings.
    mark: u64,
}

impl RateLimits {
    fn epoch(&self, settings: &Arc<Settings>) -> Arc<Epoch> {
        let current = Arc::clone(&self.epoch.read().unwrap_or_else(PoisonError::into_inner));
        if current.is_of(settings) {
            return current;
        }
        let mut slot = self.epoch.write().unwrap_or_else(PoisonError::into_inner);
        if !slot.is_of(settings) {
            *slot = Arc::new(Epoch::new(settings));
        }
        Arc::clone(&slot)
    }
}

impl Epoch {
    fn new(settings: &Arc<Settings>) -> Epoch {
        let excluded = &settings.rate_limits.excluded_ips;
        Epoch {
            settings: Some(Arc::clone(settings)),
            excluded: excluded.iter().filter_map(|text| Network::parse(text)).collect(),
            windows: Windows::default(),
            mark: shared::mark(settings),
        }
    }

    fn is_of(&self, settings: &Arc<Settings>) -> bool {
        self.settings.as_ref().is_some_and(|own| Arc::ptr_eq(own, settings))
    }

    /// Counts a request of `scope`, on all servers together. Fails with 429 when the client has
    /// used up its share.
    async fn count(
        &self,
        app: &SharedApp,
        scope: impl Hash + Debug,
        request: &Request,
        limit: &Limit,
    ) -> Result<(), ApiError> {
        let settings = self.settings.as_deref();
        let ip = settings.map_or(request.remote_ip, |settings| real_ip(request, settings));
        let used = match shared::count(app, self.mark, &scope, ip, limit).await {
            Some(used) => used,
            None => {
                let scope = self.windows.hasher.hash_one(scope);
                self.windows.count(Client { scope, ip }, limit, now_seconds())
            }
        };
        used.map_err(|seconds| ApiError {
            retry_after_seconds: Some(seconds),
            ..ApiError::too_many_requests()
        })
    }
}

/// How many requests are let through in how long.
#[derive(Debug, Clone, Copy)]
struct Limit {
    requests_max: u64,
    window_seconds: u64,
}

impl Limit {
    fn of(rule: &RateLimitRule) -> Limit {
        Limit {
            requests_max: u64::try_from(rule.max_requests).unwrap_or(0),
            window_seconds: u64::try_from(rule.duration).unwrap_or(0),
        }
    }
}

/// Applies the rules to a request whose path alone says what it is; see
/// [`limited_by_collection`]. Fails with 429.
pub(crate) async fn check_request(app: &SharedApp, request: &Request) -> Result<(), ApiError> {
    let settings = app.store.settings();
    if !settings.rate_limits.enabled || limited_by_collection(request) {
        return Ok(());
    }
    check(app, request, &settings, None).await
}

/// Applies the rules to an action on `collection`, such as `list`, `create` or `authRefresh`.
/// What begins with `authWith` counts as `auth` too. Fails with 429.
pub(crate) async fn check_collection(
    app: &SharedApp,
    request: &Request,
    collection: &Collection,
    action: &'static str,
) -> Result<(), ApiError> {
    let settings = app.store.settings();
    if !settings.rate_limits.enabled {
        return Ok(());
    }
    check(app, request, &settings, Some((collection, action))).await
}

/// Empty searches that pass without delay, in how long. Not an operator's rule: always in force.
const SEARCHES: Limit = Limit { requests_max: 3, window_seconds: 3 };

/// Counts a search of `collection` that found nothing. True when the client had too many of them.
pub(crate) async fn too_many_searches(
    app: &SharedApp,
    request: &Request,
    collection: &Collection,
) -> bool {
    let epoch = app.front.rate_limits.epoch(&app.store.settings());
    epoch.count(app, ("@search", &collection.id), request, &SEARCHES).await.is_err()
}

async fn check(
    app: &SharedApp,
    request: &Request,
    settings: &Arc<Settings>,
    action: Option<(&Collection, &'static str)>,
) -> Result<(), ApiError> {
    if request.by_superuser() {
        return Ok(());
    }
    let epoch = app.front.rate_limits.epoch(settings);
    if !epoch.excluded.is_empty() {
        let ip = real_ip(request, settings);
        if epoch.excluded.iter().any(|network| network.contains(ip)) {
            return Ok(());
        }
    }
    let path = crate::server::decoded_path(request.uri.path());
    let labels = labels_of(request, &path, action);
    let audience = if request.auth.is_some() { "@auth" } else { "@guest" };
    let Some(rule) = find_rule(&settings.rate_limits.rules, &labels, audience) else {
        return Ok(());
    };
    let limit = Limit::of(rule);
    match action {
        // What a batch does is counted apart from what is asked for directly.
        Some((collection, action)) => {
            let scope = (&collection.id, action, &rule.audience, request.in_batch);
            epoch.count(app, scope, request, &limit).await
        }
        None => epoch.count(app, (&rule.label, &rule.audience), request, &limit).await,
    }
}

/// The labels by which rules may name a request, the most telling first.
fn labels_of<'a>(
    request: &'a Request,
    path: &'a str,
    action: Option<(&'a Collection, &'static str)>,
) -> Vec<Label<'a>> {
    let mut labels = Vec::with_capacity(6);
    if let Some((collection, action)) = action {
        let general = action.starts_with("authWith").then_some("auth");
        let actions = || std::iter::once(action).chain(general);
        for owner in [collection.name.as_str(), "*"] {
            labels.extend(actions().map(|action| Label::Action { owner, action }));
        }
    }
    labels.push(Label::Route { method: request.method.as_str(), path });
    labels.push(Label::Path(path));
    labels
}

/// Whether the handler of this request calls [`check_collection`].
///
/// Source: the routes that `apis/record_crud.go`, `record_auth.go` and `file.go` bind.
fn limited_by_collection(request: &Request) -> bool {
    let mut path = [""; 6];
    let Some(path) = path.get_mut(..request.segments.len()) else { return false };
    for (slot, segment) in path.iter_mut().zip(&request.segments) {
        *slot = segment;
    }
    let get = request.method == Method::GET || request.method == Method::HEAD;
    match *path {
        ["api", "collections", _, "records"] => get || request.method == Method::POST,
        ["api", "collections", _, "records", _] => {
            get || request.method == Method::PATCH || request.method == Method::DELETE
        }
        ["api", "collections", _, "auth-methods"] | ["api", "files", _, _, _] => get,
        [
            "api",
            "collections",
            _,
            "auth-refresh"
            | "auth-with-password"
            | "auth-with-oauth2"
            | "auth-with-otp"
            | "request-otp"
            | "request-password-reset"
            | "confirm-password-reset"
            | "request-verification"
            | "confirm-verification"
            | "request-email-change"
            | "confirm-email-change",
        ] => request.method == Method::POST,
        _ => false,
    }
}

/// Windows start at whole seconds, as PocketBase's do.
fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
