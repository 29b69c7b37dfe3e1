//! `[bus]`: how servers on one database tell each other what happens.

use super::{Problems, Secret, Table};

const SCHEMES: [&str; 2] = ["nats://", "tls://"];

crate::config_table! {
    /// How servers on one database tell each other what happens. One server alone needs no bus.
    pub struct BusConfig = "bus" {
        /// The servers of a NATS cluster, parted by commas:
        /// `nats://user:password@host:4222,nats://…`. Empty: the database carries notes as well.
        /// Losing NATS loses nothing: what it does not bring is found in the database half a second
        /// later.
        pub nats: Secret = Secret::default(),
    }
}

impl BusConfig {
    /// The addresses, one by one.
    pub fn nats_servers(&self) -> Vec<String> {
        let servers = self.nats.reveal().split(',').map(str::trim);
        servers.filter(|server| !server.is_empty()).map(str::to_owned).collect()
    }
}

impl Table for BusConfig {
    fn check(&self, problems: &mut Problems) {
        let known = |server: &String| SCHEMES.iter().any(|scheme| server.starts_with(scheme));
        // No message may show an address: there may be a password in it.
        if !self.nats_servers().iter().all(known) {
            let problem = problems.add("bus.nats", "must begin with nats:// or tls://");
            problem.hint("such as nats://10.0.0.5:4222,nats://10.0.0.6:4222");
        }
    }
}
