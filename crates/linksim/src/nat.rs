//! Network address translation: mappings that expire, filters, UDP that is blocked.

use crate::{Ns, Span};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Which packets from outside a mapping lets in (RFC 4787, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filtering {
    /// From anybody.
    EndpointIndependent,
    /// From addresses that were sent to.
    AddressDependent,
    /// From addresses and ports that were sent to.
    AddressAndPortDependent,
}

/// What a translator is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatConfig {
    /// Its address outside.
    pub outside: std::net::IpAddr,
    /// A mapping that was not used outwards for so long is forgotten.
    pub expiry: Ns,
    /// Who may answer.
    pub filtering: Filtering,
    /// Whether each destination has a mapping of its own ("symmetric").
    pub per_destination: bool,
    /// UDP passes in neither direction in these times.
    pub udp_blocked: Vec<Span>,
}

#[derive(Debug)]
struct Mapping {
    inside: SocketAddr,
    destination: Option<SocketAddr>,
    used: Ns,
    contacted: Vec<SocketAddr>,
}

/// The destinations a mapping remembers; the oldest go first.
const MAX_CONTACTED: usize = 64;

/// A translator of UDP. Ports outside are given out one after the other and never twice.
#[derive(Debug)]
pub struct Nat {
    config: NatConfig,
    mappings: BTreeMap<u16, Mapping>,
    next_port: u16,
}

impl Nat {
    /// A translator without mappings.
    pub fn new(config: NatConfig) -> Self {
        Self { config, mappings: BTreeMap::new(), next_port: 1_024 }
    }

    /// A packet from inside: the address it has outside, or `None` when it does not pass.
    pub fn outbound(&mut self, now: Ns, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if self.is_blocked(now) {
            return None;
        }
        self.expire(now);
        let destination = self.config.per_destination.then_some(to);
        let known = self.mappings.iter().find_map(|(port, mapping)| {
            (mapping.inside == from && mapping.destination == destination).then_some(*port)
        });
        let port = match known {
            Some(port) => port,
            None => self.map(now, from, destination)?,
        };
        let mapping = self.mappings.get_mut(&port)?;
        mapping.used = now;
        if !mapping.contacted.contains(&to) {
            if mapping.contacted.len() == MAX_CONTACTED {
                mapping.contacted.remove(0);
            }
            mapping.contacted.push(to);
        }
        Some(SocketAddr::new(self.config.outside, port))
    }

    /// A packet from outside: whom it goes to inside, or `None` when it does not pass.
    pub fn inbound(&mut self, now: Ns, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if self.is_blocked(now) || to.ip() != self.config.outside {
            return None;
        }
        self.expire(now);
        let mapping = self.mappings.get(&to.port())?;
        let passes = mapping.contacted.iter().any(|contacted| match self.config.filtering {
            Filtering::EndpointIndependent => true,
            Filtering::AddressDependent => contacted.ip() == from.ip(),
            Filtering::AddressAndPortDependent => *contacted == from,
        });
        passes.then_some(mapping.inside)
    }

    /// Forgets all mappings, as a translator that restarts.
    pub fn forget(&mut self) {
        self.mappings.clear();
    }

    fn is_blocked(&self, now: Ns) -> bool {
        self.config.udp_blocked.iter().any(|blocked| blocked.contains(now))
    }

    fn expire(&mut self, now: Ns) {
        self.mappings.retain(|_, mapping| now.saturating_sub(mapping.used) < self.config.expiry);
    }

    fn map(&mut self, now: Ns, inside: SocketAddr, destination: Option<SocketAddr>) -> Option<u16> {
        let port = self.next_port;
        self.next_port = self.next_port.checked_add(1)?;
        self.mappings.insert(port, Mapping { inside, destination, used: now, contacted: vec![] });
        Some(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::S;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn nat(filtering: Filtering, per_destination: bool) -> Nat {
        Nat::new(NatConfig {
            outside: "203.0.113.1".parse().unwrap(),
            expiry: 30 * S,
            filtering,
            per_destination,
            udp_blocked: vec![Span::new(100 * S, 200 * S)],
        })
    }

    #[test]
    fn a_mapping_lasts_while_it_is_used_outwards_and_then_changes() {
        let mut nat = nat(Filtering::AddressAndPortDependent, false);
        let (inside, peer) = (address("10.0.0.2:5000"), address("198.51.100.7:3478"));
        let first = nat.outbound(0, inside, peer).unwrap();
        assert_eq!(nat.outbound(29 * S, inside, peer), Some(first));
        assert_eq!(nat.inbound(58 * S, peer, first), Some(inside));
        // Only what goes out keeps it (RFC 4787, REQ-6).
        assert_eq!(nat.inbound(59 * S, peer, first), None);
        let second = nat.outbound(60 * S, inside, peer).unwrap();
        assert_ne!(first, second);
        assert_eq!(nat.inbound(61 * S, peer, first), None);
    }

    #[test]
    fn filters_let_in_whom_they_say() {
        let (inside, peer) = (address("10.0.0.2:5000"), address("198.51.100.7:3478"));
        let (other_port, other) = (address("198.51.100.7:9"), address("192.0.2.9:9"));
        for (filtering, passes) in [
            (Filtering::EndpointIndependent, [true, true, true]),
            (Filtering::AddressDependent, [true, true, false]),
            (Filtering::AddressAndPortDependent, [true, false, false]),
        ] {
            let mut nat = nat(filtering, false);
            let outside = nat.outbound(0, inside, peer).unwrap();
            let let_in = [peer, other_port, other].map(|from| nat.inbound(1, from, outside));
            assert_eq!(let_in.map(|inside| inside.is_some()), passes, "{filtering:?}");
        }
    }

    #[test]
    fn a_symmetric_translator_has_a_port_for_each_destination() {
        let mut nat = nat(Filtering::AddressAndPortDependent, true);
        let inside = address("10.0.0.2:5000");
        let ports = ["192.0.2.1:1", "192.0.2.2:1"].map(|to| nat.outbound(0, inside, address(to)));
        assert_ne!(ports[0], ports[1]);
    }

    #[test]
    fn blocked_udp_passes_in_neither_direction() {
        let mut nat = nat(Filtering::EndpointIndependent, false);
        let (inside, peer) = (address("10.0.0.2:5000"), address("198.51.100.7:3478"));
        let outside = nat.outbound(99 * S, inside, peer).unwrap();
        assert_eq!(nat.outbound(100 * S, inside, peer), None);
        assert_eq!(nat.inbound(101 * S, peer, outside), None);
        nat.forget();
        assert_eq!(nat.inbound(201 * S, peer, outside), None);
        assert!(nat.outbound(201 * S, inside, peer).is_some());
    }
}
