//! Where packets come from and go to, and the addresses that QUIC sees in their place.

use std::net::{Ipv6Addr, SocketAddr};

/// By which of one's own sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Via {
    /// Without a relay.
    Direct,
    /// By one of one's relays, by its number.
    Relay(usize),
}

/// A peer's address, and how it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) via: Via,
    pub(crate) address: SocketAddr,
}

impl Place {
    /// Without a relay.
    pub(crate) fn direct(address: SocketAddr) -> Self {
        Self { via: Via::Direct, address }
    }
}

/// The one address at which a helper's QUIC sees the sharer. It is of the prefix that leads nowhere
/// (RFC 6666).
pub(crate) const SHARER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1)), 1);

/// Strangers behind relays that are remembered; of more the oldest are forgotten.
const MAX_ALIASES: usize = 256;

/// Addresses for QUIC of places that are no session's yet.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    known: Vec<(Place, SocketAddr)>,
    given: u32,
}

impl Aliases {
    /// One place with one address, for ever.
    pub(crate) fn of(place: Place, alias: SocketAddr) -> Self {
        Self { known: vec![(place, alias)], given: 0 }
    }

    /// The address of a place; without a relay it is its own.
    pub(crate) fn alias(&mut self, place: Place) -> SocketAddr {
        if let Some((_, alias)) = self.known.iter().find(|(known, _)| *known == place) {
            return *alias;
        }
        if place.via == Via::Direct {
            return place.address;
        }
        self.given = self.given.wrapping_add(1);
        let [high, low] = [(self.given >> 16) as u16, self.given as u16];
        let alias = SocketAddr::new(Ipv6Addr::new(0x100, 0, 0, 0, 0, 1, high, low).into(), 1);
        self.remember(place, alias);
        alias
    }

    /// An address leads to this place from now on, and to a second one where it is not known which
    /// of both still leads anywhere.
    pub(crate) fn lead(&mut self, alias: SocketAddr, place: Place, second: Option<Place>) {
        self.known.retain(|(_, known)| *known != alias);
        if place != Place::direct(alias) || second.is_some() {
            self.remember(place, alias);
        }
        if let Some(second) = second {
            self.remember(second, alias);
        }
    }

    fn remember(&mut self, place: Place, alias: SocketAddr) {
        if self.known.len() == MAX_ALIASES {
            self.known.remove(0);
        }
        self.known.push((place, alias));
    }

    /// The place of an address.
    pub(crate) fn place(&self, alias: SocketAddr) -> Place {
        self.places(alias).0
    }

    /// The place of an address, and perhaps a second one.
    pub(crate) fn places(&self, alias: SocketAddr) -> (Place, Option<Place>) {
        let mut known = self.known.iter().filter(|(_, known)| *known == alias);
        let mut next = || known.next().map(|(place, _)| *place);
        (next().unwrap_or(Place::direct(alias)), next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_have_addresses_of_their_own_and_are_bounded() {
        let mut aliases = Aliases::default();
        let place = |relay, port| Place {
            via: Via::Relay(relay),
            address: SocketAddr::new([192, 0, 2, 1].into(), port),
        };
        let (first, second) = (aliases.alias(place(0, 1)), aliases.alias(place(1, 1)));
        assert_ne!(first, second);
        assert_eq!(aliases.alias(place(0, 1)), first);
        assert_eq!(aliases.place(second), place(1, 1));
        for port in 1..=2_000 {
            let alias = aliases.alias(place(2, port));
            assert_eq!(aliases.place(alias), place(2, port));
            assert!(aliases.known.len() <= MAX_ALIASES);
        }
        let near = SocketAddr::new([192, 0, 2, 9].into(), 9);
        assert_eq!(aliases.alias(Place::direct(near)), near);
    }

    #[test]
    fn an_address_leads_where_its_session_went_last() {
        let place =
            Place { via: Via::Relay(0), address: SocketAddr::new([192, 0, 2, 1].into(), 1) };
        let other = Place { via: Via::Relay(1), ..place };
        let near = SocketAddr::new([192, 0, 2, 9].into(), 9);
        let mut helpers = Aliases::of(place, SHARER);
        for last in [other, Place::direct(near), place] {
            helpers.lead(SHARER, last, None);
            assert_eq!((helpers.place(SHARER), helpers.alias(last)), (last, SHARER));
        }
        let mut sharers = Aliases::default();
        for last in [place, other, Place::direct(near)] {
            sharers.lead(near, last, None);
            assert_eq!((sharers.place(near), sharers.alias(last)), (last, near));
        }
        for (first, second) in [(place, other), (Place::direct(near), place)] {
            sharers.lead(near, first, Some(second));
            assert_eq!(sharers.places(near), (first, Some(second)));
            assert_eq!([first, second].map(|place| sharers.alias(place)), [near; 2]);
        }
        sharers.lead(near, other, None);
        assert_eq!(sharers.places(near), (other, None));
    }
}
