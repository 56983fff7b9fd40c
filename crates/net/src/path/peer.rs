//! One session's paths, with where they lead.

use std::collections::VecDeque;
use std::net::SocketAddr;

use quinn::udp::Transmit;
use tokio::sync::mpsc;

use super::mapped::may_be_tried;
use super::message::{MAX_CANDIDATES, Message, Sealer, SessionName};
use super::mux::Sockets;
use super::place::{Place, Via};
use super::set::{PathSet, Rank, Switch, WayState};
use super::{PathKind, PathState, PathStats, PathSwitch};
use crate::clock::now_us;
use crate::relay::{Relay, RelayTransport};

/// QUIC's farewell has the reason in it, of at most 256 bytes.
const MAX_FAREWELL_BYTES: usize = 600;
/// Switches remembered.
const MAX_SWITCHES: usize = 32;
/// Places without relays that are learnt from the other end's questions: so many at once, and one
/// more with every [`STRANGER_US`]. Where both translators give each destination a port of its own
/// and let in anybody, every answer comes from a new place, and the answer to that, without end.
const MAX_STRANGERS: u64 = MAX_CANDIDATES as u64;
const STRANGER_US: u64 = 1_000_000;

/// A session, as the socket knows it.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Where QUIC sees the other end.
    pub(super) alias: SocketAddr,
    pub(super) set: PathSet,
    sealer: Sealer,
    places: Vec<Place>,
    switches: VecDeque<PathSwitch>,
    changed: mpsc::Sender<PathSwitch>,
    /// What this end has to tell of its addresses, until the other has confirmed it.
    candidates: Candidates,
    /// The other end's addresses on relays; the helper goes there from its own relays.
    remotes: Vec<(SocketAddr, PathKind)>,
    is_helper: bool,
    /// Whether ways without a relay are looked for.
    finds_direct: bool,
    /// Until when the places count that were learnt from questions.
    strangers_us: u64,
    /// Whether this end has closed the session, so that the other is to be told.
    pub(super) is_closed: bool,
    /// The last short datagram of QUIC. Of a session that is closed it is the farewell.
    farewell: Vec<u8>,
}

#[derive(Debug, Default)]
struct Candidates {
    number: u32,
    addresses: Vec<(SocketAddr, PathKind)>,
    confirmed: u32,
    /// Told at once, and then with every question and answer.
    is_news: bool,
    /// The newest that the other end told.
    known: u32,
}

impl Peer {
    pub(super) fn new(
        alias: SocketAddr,
        first: Place,
        sealer: Sealer,
        set: PathSet,
        is_helper: bool,
        finds_direct: bool,
        changed: mpsc::Sender<PathSwitch>,
    ) -> Self {
        let (switches, candidates, remotes) = Default::default();
        let places = vec![first];
        Self {
            alias,
            set,
            sealer,
            places,
            switches,
            changed,
            candidates,
            remotes,
            is_helper,
            finds_direct,
            strangers_us: 0,
            is_closed: false,
            farewell: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> SessionName {
        self.sealer.session()
    }

    pub(super) fn place(&self, way: usize) -> Place {
        self.places[way]
    }

    pub(super) fn way_of(&self, place: Place) -> Option<usize> {
        self.places.iter().position(|known| *known == place)
    }

    /// Whether the session goes by a relay.
    pub(super) fn is_relayed(&self) -> bool {
        self.place(self.set.route().0).via != Via::Direct
    }

    /// A way that may lead to the other end; it is asked at once.
    pub(crate) fn add(&mut self, place: Place, rank: Rank) -> usize {
        if let Some(way) = self.way_of(place) {
            // Who the first path leads to is known only now.
            self.set.set_rank(way, rank);
            return way;
        }
        let way = self.set.add(rank, now_us());
        match self.places.get_mut(way) {
            Some(old) => *old = place,
            None => self.places.push(place),
        }
        way
    }

    /// A relay is there: ways by it lead somewhere again, and to all that is known behind relays.
    pub(super) fn open_relay(&mut self, slot: usize, relay: &Relay) {
        for (way, place) in self.places.iter().enumerate() {
            if place.via == Via::Relay(slot) {
                relay.bind_channel(place.address);
                self.set.restore(way, now_us());
            }
        }
        for (address, kind) in self.remotes.clone() {
            relay.bind_channel(address);
            let rank = relayed_rank(relay.url().transport(), kind);
            self.add(Place { via: Via::Relay(slot), address }, rank);
        }
    }

    /// Whether no way by one relay answers any more.
    pub(super) fn has_lost_relay(&self, slot: usize) -> bool {
        let by_it = self.places.iter().enumerate();
        let mut by_it = by_it.filter(|(_, place)| place.via == Via::Relay(slot)).peekable();
        by_it.peek().is_some() && by_it.all(|(way, _)| !self.set.way(way).is_alive)
    }

    /// Asks all ways by one relay again.
    pub(super) fn ask_by_relay(&mut self, slot: usize) {
        for (way, place) in self.places.iter().enumerate() {
            if place.via == Via::Relay(slot) {
                self.set.restore(way, now_us());
            }
        }
    }

    /// All ways by one relay are gone.
    pub(super) fn close_relay(&mut self, slot: usize) {
        let is_by = |way: &usize| self.places[*way].via == Via::Relay(slot);
        let ways: Vec<_> = (0..self.places.len()).filter(is_by).collect();
        self.set.remove(&ways, now_us());
    }

    /// The other end's addresses on relays.
    pub(super) fn set_remotes(&mut self, remotes: Vec<(SocketAddr, PathKind)>, sockets: &Sockets) {
        self.remotes = remotes;
        for (slot, relay) in sockets.relays() {
            self.open_relay(slot, relay);
        }
    }

    /// Tells the other end by what addresses this one may be reached as well.
    pub(crate) fn offer(&mut self, addresses: Vec<(SocketAddr, PathKind)>) {
        if self.candidates.addresses != addresses {
            self.candidates.number += 1;
            self.candidates.addresses = addresses;
            self.candidates.is_news = true;
        }
    }

    pub(super) fn handle_message(&mut self, place: Place, datagram: &[u8], sockets: &Sockets) {
        let Some(message) = self.sealer.open(datagram) else { return };
        let way = match (self.way_of(place), &message) {
            (Some(way), _) => way,
            (None, Message::Ping { .. }) if self.may_learn(place, now_us()) => {
                if let Some(relay) = sockets.relay(place) {
                    relay.bind_channel(place.address);
                }
                self.add(place, rank(place, sockets))
            }
            (None, _) => return,
        };
        match &message {
            Message::Candidates { number, addresses } => {
                self.learn(*number, addresses, sockets);
                self.tell(way, &Message::Known { number: *number }, sockets);
            }
            Message::Known { number } => {
                self.candidates.confirmed = self.candidates.confirmed.max(*number);
            }
            Message::Ping { .. } | Message::Pong { .. } => {}
        }
        self.set.handle_message(way, place.address, &message, now_us());
        self.drain(sockets);
    }

    /// Whether a place from which the other end asks is to be known from now on.
    fn may_learn(&mut self, place: Place, now_us: u64) -> bool {
        if place.via != Via::Direct {
            return true;
        }
        let until_us = self.strangers_us.max(now_us) + STRANGER_US;
        let may_learn = until_us <= now_us + MAX_STRANGERS * STRANGER_US;
        if may_learn {
            self.strangers_us = until_us;
        }
        may_learn
    }

    /// Tries addresses that the other end has told. Those without relays both ends try, so that the
    /// translators on both sides let the other's packets in.
    fn learn(&mut self, number: u32, addresses: &[(SocketAddr, PathKind)], sockets: &Sockets) {
        if number <= self.candidates.known {
            return;
        }
        self.candidates.known = number;
        let (direct, relayed): (Vec<_>, Vec<_>) =
            addresses.iter().partition(|(_, kind)| *kind == PathKind::Direct);
        let direct = direct.into_iter().filter(|(address, _)| may_be_tried(*address));
        for (address, _) in direct.take_while(|_| self.finds_direct).collect::<Vec<_>>() {
            self.add(Place::direct(address), Rank(0));
        }
        if self.is_helper && !relayed.is_empty() {
            self.set_remotes(relayed, sockets);
        }
    }

    /// QUIC sends this.
    pub(super) fn handle_sent(&mut self, transmit: &Transmit<'_>) {
        self.set.handle_sent(now_us());
        if transmit.contents.len() <= MAX_FAREWELL_BYTES && transmit.segment_size.is_none() {
            self.farewell.clear();
            self.farewell.extend_from_slice(transmit.contents);
        }
    }

    /// Sends what there is to tell. QUIC says farewell once, and again only if it is spoken to; who
    /// is asked by a path hears it there.
    pub(super) fn drain(&mut self, sockets: &Sockets) {
        while let Some((way, message)) = self.set.poll_transmit() {
            let is_told = self.candidates.confirmed >= self.candidates.number;
            let is_asked = matches!(message, Message::Ping { .. }) && self.set.way(way).is_alive;
            if self.is_closed && is_asked && !self.farewell.is_empty() {
                sockets.tell(self.places[way], &self.farewell);
            }
            self.tell(way, &message, sockets);
            if !is_told && matches!(message, Message::Ping { .. } | Message::Pong { .. }) {
                self.tell_candidates(way, sockets);
            }
        }
        if std::mem::take(&mut self.candidates.is_news) {
            self.tell_candidates(self.set.route().0, sockets);
        }
        while let Some(Switch { from, to, epoch, reason }) = self.set.poll_switch() {
            let [from, to] = [from, to].map(|way| kind(self.places[way], sockets));
            let switch = PathSwitch { at_us: now_us(), from, to, epoch, reason };
            if self.switches.len() == MAX_SWITCHES {
                self.switches.pop_front();
            }
            self.switches.push_back(switch);
            // A reader that is late sees the newest state with what it reads next.
            let _ = self.changed.try_send(switch);
        }
    }

    pub(super) fn switches(&self) -> Vec<PathSwitch> {
        self.switches.iter().copied().collect()
    }

    pub(super) fn stats(&self, sockets: &Sockets) -> Vec<PathStats> {
        let stats = |(way, place): (usize, &Place)| {
            let WayState { rtt_us, is_active, is_alive } = self.set.way(way);
            let state = match (is_active, is_alive) {
                (true, _) => PathState::Active,
                (false, true) => PathState::Standby,
                (false, false) => PathState::Dead,
            };
            let relay = sockets.relay(*place).map(Relay::server);
            PathStats { kind: kind(*place, sockets), remote: place.address, relay, state, rtt_us }
        };
        self.places.iter().enumerate().map(stats).collect()
    }

    fn tell_candidates(&mut self, way: usize, sockets: &Sockets) {
        let Candidates { number, addresses, .. } = &self.candidates;
        let (number, addresses) = (*number, addresses.clone());
        self.tell(way, &Message::Candidates { number, addresses }, sockets);
    }

    fn tell(&mut self, way: usize, message: &Message, sockets: &Sockets) {
        let datagram = self.sealer.seal(message);
        sockets.tell(self.places[way], &datagram);
    }
}

/// How a place is reached.
pub(super) fn kind(place: Place, sockets: &Sockets) -> PathKind {
    match (place.via, sockets.relay(place)) {
        (Via::Direct, _) => PathKind::Direct,
        (Via::Relay(_), Some(relay)) => relay.kind(),
        (Via::Relay(_), None) => PathKind::RelayUdp,
    }
}

/// How good a place is, as far as this end sees.
pub(super) fn rank(place: Place, sockets: &Sockets) -> Rank {
    match sockets.relay(place) {
        None => Rank(0),
        Some(relay) => relayed_rank(relay.url().transport(), PathKind::RelayUdp),
    }
}

/// TLS is worse than UDP, and at this end first: here it is known what is blocked.
fn relayed_rank(own: RelayTransport, remote: PathKind) -> Rank {
    let own = if own == RelayTransport::Tls { 3 } else { 1 };
    Rank(own + u8::from(remote == PathKind::RelayTls))
}
