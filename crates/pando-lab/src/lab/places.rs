//! Gives nodes their places: addresses, folders, namespaces.

use std::net::SocketAddr;

use anyhow::Result;

use super::{Lab, Node};
use crate::node::Site;
use crate::plan::Planned;
use crate::ports;
use crate::record::NodeRecord;

impl Lab {
    /// Adds nodes that do not run yet. One that the folder knows gets the place that it had, if
    /// nobody else has taken it.
    pub(super) fn settle(&mut self, planned: &[Planned]) -> Result<()> {
        let taken: Vec<SocketAddr> = self.world.sites.iter().map(|site| site.address).collect();
        let mut free = ports::free(planned.len(), &taken)?.into_iter();
        for node in planned {
            let name = node.name();
            let spare = free.next().expect("there is one for each node");
            let known = self.record.nodes.iter().position(|known| known.name == name);
            let before = known.map(|index| self.record.nodes[index].address);
            let namespace = match &self.network {
                Some(network) => Some(network.join(self.world.sites.len())?),
                None => None,
            };
            let address = match &namespace {
                Some(own) => SocketAddr::from((own.address, node.kind.usual_port())),
                None => before
                    .filter(|address| address.ip().is_loopback() && ports::is_free(*address))
                    .filter(|address| !taken.contains(address))
                    .unwrap_or(spare),
            };
            match known {
                Some(index) => self.record.nodes[index].address = address,
                None => self.record.nodes.push(NodeRecord {
                    name: name.clone(),
                    address,
                    processes: Vec::new(),
                }),
            }
            let (dir, log) = (self.folder.node(&name), self.folder.log(&name));
            self.world.sites.push(Site { name, kind: node.kind, address, dir, log, namespace });
            self.nodes.push(Node::default());
        }
        self.record.write(&self.folder)
    }
}
