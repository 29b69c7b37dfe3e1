//! A configuration of keepalived with which two balancers share addresses.
//!
//! Each address is an instance of VRRP and belongs to one of the two as long as that one is ready:
//! one address makes one of them active and the other passive, two addresses make both active.
//!
//! Source: RFC 9568, keepalived.conf(5).

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;

/// Priorities: of the owner, of the other, and what is taken off one that is not ready, so that
/// it falls behind a ready one whoever owns the address, and still serves if there is none.
const OWNER: u8 = 150;
const OTHER: u8 = 100;
const NOT_READY: u8 = 60;

/// An address that moves, with the length of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Floating {
    address: IpAddr,
    prefix: u8,
}

impl Floating {
    /// Reads `10.0.0.100/24`.
    pub(crate) fn parse(text: &str) -> Result<Floating, String> {
        let read = || {
            let (address, prefix) = text.split_once('/')?;
            let (address, prefix) = (address.parse::<IpAddr>().ok()?, prefix.parse().ok()?);
            let longest = if address.is_ipv4() { 32 } else { 128 };
            (prefix <= longest).then_some(Floating { address, prefix })
        };
        read()
            .ok_or_else(|| "must be an address with its network, such as 10.0.0.100/24".to_owned())
    }
}

/// What to write.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    /// 1 or 2.
    pub(super) number: u8,
    pub(super) interface: &'a str,
    pub(super) addresses: &'a [Floating],
    /// The other balancer, for networks without multicast.
    pub(super) peer: Option<IpAddr>,
    pub(super) first_router_id: u8,
    /// This program, and its configuration if it is in a file.
    pub(super) program: &'a Path,
    pub(super) config: Option<&'a Path>,
}

impl Pair<'_> {
    pub(super) fn render(&self) -> String {
        let Pair { number, program, .. } = self;
        let config = self.config.map(|path| format!(" --config {}", path.display()));
        let mut text = format!(
            "# Balancer {number} of two, by `pando balancer keepalived`.\n\
             global_defs {{\n    enable_script_security\n    script_user root\n    \
             vrrp_garp_master_refresh 10\n}}\n\n\
             vrrp_script pando_ready {{\n    script \"{}{} balancer ready\"\n    interval 1\n    \
             timeout 1\n    fall 2\n    rise 2\n    weight -{NOT_READY}\n}}\n",
            program.display(),
            config.unwrap_or_default(),
        );
        for (index, floating) in (0_u8..).zip(self.addresses) {
            self.write_instance(&mut text, index, *floating);
        }
        text
    }

    fn write_instance(&self, text: &mut String, index: u8, floating: Floating) {
        let owner = index % 2 + 1;
        let priority = if owner == self.number { OWNER } else { OTHER };
        let peer = match self.peer {
            Some(peer) => format!("    unicast_peer {{\n        {peer}\n    }}\n"),
            None => String::new(),
        };
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            "\n# Of balancer {owner} while it is ready.\n\
             vrrp_instance pando_{} {{\n    state BACKUP\n    interface {}\n    \
             virtual_router_id {}\n    priority {priority}\n    advert_int 1\n{peer}    \
             virtual_ipaddress {{\n        {}/{} dev {}\n    }}\n    \
             track_script {{\n        pando_ready\n    }}\n}}\n",
            index + 1,
            self.interface,
            self.first_router_id.saturating_add(index),
            floating.address,
            floating.prefix,
            self.interface,
        );
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn each_address_has_an_owner() {
        let addresses =
            ["10.0.0.100/24", "10.0.0.101/24"].map(|text| Floating::parse(text).unwrap());
        let pair = Pair {
            number: 2,
            interface: "eth0",
            addresses: &addresses,
            peer: "10.0.0.2".parse().ok(),
            first_router_id: 51,
            program: Path::new("/usr/bin/pando"),
            config: Some(Path::new("/etc/pando.toml")),
        };
        expect![[r##"
            # Balancer 2 of two, by `pando balancer keepalived`.
            global_defs {
                enable_script_security
                script_user root
                vrrp_garp_master_refresh 10
            }

            vrrp_script pando_ready {
                script "/usr/bin/pando --config /etc/pando.toml balancer ready"
                interval 1
                timeout 1
                fall 2
                rise 2
                weight -60
            }

            # Of balancer 1 while it is ready.
            vrrp_instance pando_1 {
                state BACKUP
                interface eth0
                virtual_router_id 51
                priority 100
                advert_int 1
                unicast_peer {
                    10.0.0.2
                }
                virtual_ipaddress {
                    10.0.0.100/24 dev eth0
                }
                track_script {
                    pando_ready
                }
            }

            # Of balancer 2 while it is ready.
            vrrp_instance pando_2 {
                state BACKUP
                interface eth0
                virtual_router_id 52
                priority 150
                advert_int 1
                unicast_peer {
                    10.0.0.2
                }
                virtual_ipaddress {
                    10.0.0.101/24 dev eth0
                }
                track_script {
                    pando_ready
                }
            }
        "##]]
        .assert_eq(&pair.render());
    }

    #[test]
    fn addresses_need_their_network() {
        for wrong in ["10.0.0.100", "10.0.0.100/33", "a/24", "10.0.0.100/24 }", "::1/129"] {
            assert!(Floating::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Floating::parse("fd00::100/64").is_ok());
    }
}
