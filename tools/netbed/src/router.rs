//! A router: what it lets through, and how it translates.

use crate::config::{Family, Nat, Side};
use crate::space::Space;
use anyhow::{Context, ensure};
use std::sync::atomic::{AtomicU32, Ordering};

/// Outside ports after a NAT forgot its mappings. Below those that Linux gives to programs, so
/// that hardly a flow gets its inside port.
const REMAPPED_PORTS: std::ops::Range<u16> = 10_000..32_000;

pub(crate) struct Router {
    space: Space,
    network: u8,
    /// None where nothing is translated.
    nat: Option<Nat>,
    sides: &'static [Side],
    remaps: AtomicU32,
}

impl Router {
    /// The device towards `public`.
    pub(crate) const OUT: &str = "out";
    /// The bridge that the machines are connected to, at ports named after their sides.
    pub(crate) const IN: &str = "in";

    pub(crate) fn new(space: Space, network: u8, nat: Option<Nat>, sides: &'static [Side]) -> Self {
        Self { space, network, nat, sides, remaps: AtomicU32::new(0) }
    }

    pub(crate) fn space(&self) -> &Space {
        &self.space
    }

    /// The number of the network behind it.
    pub(crate) fn network(&self) -> u8 {
        self.network
    }

    pub(crate) fn sides(&self) -> &'static [Side] {
        self.sides
    }

    /// The port of the public bridge that leads to it.
    pub(crate) fn port(&self) -> &'static str {
        match self.sides {
            [side] => side.name(),
            _ => "home",
        }
    }

    /// Lets it route what its links allow.
    pub(crate) fn set_up(&self, family: Family) -> anyhow::Result<()> {
        let forwarding = match family {
            Family::V4 => "ipv4/ip_forward",
            Family::V6 => "ipv6/conf/all/forwarding",
        };
        self.space.set(&[(forwarding, "1")])?;
        // If an unwanted packet were let in to the router itself, its flow would take the outside
        // port from the one that a machine is about to begin the other way.
        let (out, inside) = (Self::OUT, Self::IN);
        self.space.nft(&format!(
            r#"table inet router {{
                chain forward {{
                    type filter hook forward priority 0; policy drop;
                    ct state established,related accept
                    iifname "{inside}" oifname "{out}" accept
                }}
                chain input {{
                    type filter hook input priority 0; policy drop;
                    iifname "lo" accept
                    ct state established,related accept
                    ct status dnat accept
                    meta l4proto {{ icmp, icmpv6 }} accept
                }}
            }}"#
        ))?;
        let Some(nat) = self.nat else { return Ok(()) };
        let ports = match nat {
            Nat::Preserving => "",
            Nat::Symmetric => "fully-random",
        };
        self.space.nft(&format!(
            r#"table inet nat {{
                chain out {{
                    type nat hook postrouting priority 100;
                    oifname "{out}" masquerade {ports}
                }}
            }}"#
        ))
    }

    /// Forgets all mappings, and gives the same flows other outside ports from now on.
    pub(crate) fn remap(&self) -> anyhow::Result<()> {
        ensure!(self.nat.is_some(), "{} translates nothing: no NAT over IPv6", self.space.name());
        if self.nat == Some(Nat::Preserving) {
            // A hash of the inside port, so that it is again the same wherever a flow goes.
            let seed = self.remaps.fetch_add(1, Ordering::Relaxed) + 1;
            let (out, first, count) = (Self::OUT, REMAPPED_PORTS.start, REMAPPED_PORTS.len());
            self.space.nft(&format!(
                "flush chain inet nat out
                add rule inet nat out oifname {out} meta l4proto {{ tcp, udp }} \
                    masquerade to :jhash th sport mod {count} seed {seed:#x} offset {first}
                add rule inet nat out oifname {out} masquerade"
            ))?;
        }
        let flush = self.space.run("conntrack", &["-F"]);
        flush.context("the NAT would not forget its mappings").map(drop)
    }
}
