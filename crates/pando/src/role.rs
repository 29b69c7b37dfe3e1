//! The things that a process does: one enum, one match.

use std::net::SocketAddr;

use anyhow::Context as _;
use pando_bus::Bus;
use pando_runtime::Lifecycle;
use pando_store::Store;
use pando_web::App;
use tokio::sync::oneshot;

use crate::config::Config;

/// A thing that this process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The application server.
    Web,
}

/// What roles stand on.
#[derive(Clone)]
pub(crate) struct Context {
    pub config: Config,
    pub life: Lifecycle,
    pub store: Store,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Web => "web",
        }
    }
}

/// Does `role` until `context.life` is stopping. Tells `ready` its URL as soon as it answers.
pub(crate) async fn run(
    role: Role,
    context: Context,
    ready: oneshot::Sender<String>,
) -> anyhow::Result<()> {
    let Context { config, life, store } = context;
    match role {
        Role::Web => {
            let domains = config.web.domains.clone();
            // Before anybody is served: from now on the others wait for this server.
            store.join().await.context("failed to join the servers on the database")?;
            let (bus, work) = Bus::new(store.clone(), config.bus_options(), life.stopping.clone());
            life.spawn("bus", work);
            let files_dir = config.files_dir();
            let app = App::new(config.web, store, bus, &files_dir, life)?;
            let (bound, listening) = oneshot::channel::<pando_web::Bound>();
            let announce = async {
                if let Ok(at) = listening.await {
                    // Nobody need wait for it.
                    let _ = ready.send(base_url(&domains, at.http, at.https));
                }
            };
            tokio::join!(pando_web::run(app, bound), announce).0
        }
    }
}

/// Where clients find the server, without a slash at the end: by its first domain if it has one,
/// else by the address of its main listener.
fn base_url(domains: &[String], http: Option<SocketAddr>, https: Option<SocketAddr>) -> String {
    let (scheme, address) = match (https, http) {
        (Some(address), _) => ("https", address),
        (None, Some(address)) => ("http", address),
        (None, None) => return String::new(),
    };
    match domains.first() {
        Some(domain) => format!("{scheme}://{domain}"),
        None => format!("{scheme}://{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::base_url;

    #[test]
    fn https_and_domains_come_first() {
        let (http, https) = ("127.0.0.1:80".parse().ok(), "[::1]:443".parse().ok());
        assert_eq!(base_url(&[], http, None), "http://127.0.0.1:80");
        assert_eq!(base_url(&[], http, https), "https://[::1]:443");
        assert_eq!(base_url(&["a.b".to_owned()], http, https), "https://a.b");
    }
}
