//! Web servers that announce themselves: who comes, who goes on saying so, and who leaves.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use pando_topology::Health;
use tracing::{info, warn};

use super::enrol;
use crate::shared::Shared;
use crate::upstream::{Configured, Entry, Origin, Upstream};

/// A web server says each second that it is there. After that long without a word it is taken away
/// if it fails its checks, too.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// After that long it is taken away in any case.
const SILENCE_LONG: Duration = Duration::from_secs(600);

/// What a web server says of itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Announcement {
    configured: Configured,
}

/// Why an announcement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnnouncementError {
    #[error("the address {0:?}")]
    Address(String, #[source] crate::upstream::AddressError),
    #[error("the address {0:?} is a name; say the number")]
    Name(String),
    #[error("there are too many upstreams")]
    TooMany,
}

impl Announcement {
    /// `address` as in `balancer.upstreams`. One of all interfaces stands for `peer`, from where it
    /// was said.
    pub(crate) fn parse(address: &str, peer: IpAddr) -> Result<Announcement, AnnouncementError> {
        let wrong = |error| AnnouncementError::Address(address.to_owned(), error);
        let entry = Entry::parse(address).map_err(wrong)?;
        let fixed = entry.fixed().ok_or_else(|| AnnouncementError::Name(address.to_owned()))?;
        let socket = fixed.address.socket;
        let configured = match socket.ip().is_unspecified() {
            true => entry.at(SocketAddr::new(peer.to_canonical(), socket.port())),
            false => fixed,
        };
        Ok(Announcement { configured })
    }
}

/// See [the module](self).
#[derive(Clone)]
pub(crate) struct Registry(pub(crate) Arc<Shared>);

impl Registry {
    /// Takes a web server in, or notes that it is still there.
    pub(crate) fn announce(&self, announcement: &Announcement) -> Result<(), AnnouncementError> {
        let Registry(shared) = self;
        let enrolled = enrol(shared, &announcement.configured, Origin::Registered);
        let upstream = enrolled.ok_or(AnnouncementError::TooMany)?;
        let came_back = {
            let mut control = upstream.control();
            control.heard_at = shared.elapsed();
            std::mem::take(&mut control.leaving)
        };
        if came_back {
            info!(upstream = %upstream.address, "an upstream came back");
            upstream.control().serving_since = Some(shared.elapsed());
            self.muster();
        }
        Ok(())
    }

    /// A web server says goodbye, or the operator sends it away: it gets no more requests from now
    /// on. True if it was known.
    pub(crate) fn leave(&self, address: &str, peer: IpAddr) -> Result<bool, AnnouncementError> {
        let name = Announcement::parse(address, peer)?.configured.address.to_string();
        let Some(upstream) = self.0.pool.find(&name) else { return Ok(false) };
        upstream.control().leaving = true;
        self.muster();
        info!(upstream = name, "an upstream leaves");
        Ok(true)
    }

    /// Takes away those of whom nothing was heard for long.
    pub(crate) fn expire(&self) {
        let Registry(shared) = self;
        let now = shared.elapsed();
        shared.pool.retain(|upstream| {
            let stays = upstream.origin != Origin::Registered || !silent(upstream, now);
            if !stays {
                warn!(upstream = %upstream.address, "nothing was heard of an upstream, taken out");
            }
            stays
        });
    }

    fn muster(&self) {
        let Registry(shared) = self;
        shared.pool.muster(shared.elapsed(), &shared.current().settings);
        shared.pool.changed.notify_one();
    }
}

/// Whether an upstream is given up. One that has left is, once it says nothing any more; one that
/// still passes its checks is not: then it is our own admin listener that cannot be reached.
fn silent(upstream: &Upstream, now: Duration) -> bool {
    let control = upstream.control();
    let silence = now.saturating_sub(control.heard_at);
    let down = matches!(control.checked.health(), Health::Failing | Health::Gone);
    silence > SILENCE_LONG || (silence > SILENCE_MAX && (down || control.leaving))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_announced() {
        let peer = "192.0.2.7".parse().unwrap();
        let shown = |text| match Announcement::parse(text, peer) {
            Ok(Announcement { configured }) => configured.address.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown("10.0.0.1:8090"), "http://10.0.0.1:8090");
        assert_eq!(shown("0.0.0.0:8090"), "http://192.0.2.7:8090");
        assert_eq!(shown("[::]:8090"), "http://192.0.2.7:8090");
        assert_eq!(shown("web-1:8090"), "the address \"web-1:8090\" is a name; say the number");
        assert_eq!(shown("8090"), "the address \"8090\"");
    }
}
