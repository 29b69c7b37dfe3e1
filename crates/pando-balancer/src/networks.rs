//! Addresses and networks that the configuration lists.

use std::net::IpAddr;

use pando_runtime::network::Network;

/// A list of networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Networks(Vec<Network>);

impl Networks {
    /// Fails with the text that is no network.
    pub(crate) fn parse(texts: &[String]) -> Result<Networks, String> {
        let parse = |text: &String| Network::parse(text.trim()).ok_or_else(|| text.clone());
        texts.iter().map(parse).collect::<Result<_, _>>().map(Networks)
    }

    pub(crate) fn contain(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(ip))
    }
}
