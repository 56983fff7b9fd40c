//! Several ways between two peers behind one address: direct, by a relay over UDP, by a relay over
//! TLS. One is in use, the others wait; [`SwitchReason`] says when they take over.

mod keeper;
mod mapped;
mod message;
mod mux;
mod peer;
mod place;
mod set;
#[cfg(test)]
mod vnet;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use quinn::ConnectionError;
use tokio::sync::mpsc;
use tokio::time::sleep;

pub use keeper::RelayState;
pub(crate) use keeper::Relays;
use message::{EXPORTED_BYTES, EXPORTER_LABEL, Sealer};
use mux::State;
pub(crate) use mux::{Mux, WeakMux, part};
use peer::Peer;
pub(crate) use place::{Aliases, Place, SHARER, Via};
use set::PathSet;
pub use set::SwitchReason;

use crate::clock::now_us;
use crate::relay::{Relay, RelayUrl};

/// Switches that may wait to be told.
const SWITCHES: usize = 16;
/// For so long the paths of a session that this end has closed are still looked after: the other
/// end may not have heard of it.
const FAREWELL: Duration = Duration::from_secs(1);

/// How packets get to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathKind {
    /// Straight.
    Direct,
    /// By a relay, to which this side talks over UDP.
    RelayUdp,
    /// By a relay, to which this side talks over TLS.
    RelayTls,
}

impl fmt::Display for PathKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "direct",
            Self::RelayUdp => "relay over UDP",
            Self::RelayTls => "relay over TLS",
        })
    }
}

/// What a path is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathState {
    /// The session goes by it.
    Active,
    /// It answers, and waits.
    Standby,
    /// It does not answer, or not yet.
    Dead,
}

/// One of a session's paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathStats {
    /// How it goes.
    pub kind: PathKind,
    /// Where the other side is; behind a relay, its address there.
    pub remote: SocketAddr,
    /// This side's relay.
    pub relay: Option<SocketAddr>,
    /// What it is good for.
    pub state: PathState,
    /// Its smoothed round-trip time in microseconds, once it has answered.
    pub rtt_us: Option<u64>,
}

/// A change of the path that a session goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathSwitch {
    /// When, as [`now_us`] has it.
    pub at_us: u64,
    /// The path until then.
    pub from: PathKind,
    /// The path from then on.
    pub to: PathKind,
    /// The number of the span that begins, from 0.
    pub epoch: u32,
    /// Why.
    pub reason: SwitchReason,
}

/// A session's paths, until its connection is closed and the other end knows it.
#[derive(Debug)]
pub(crate) struct Paths {
    mux: Mux,
    alias: SocketAddr,
    pub(crate) switched: Option<mpsc::Receiver<PathSwitch>>,
}

impl Paths {
    /// The paths of a connection that both sides have confirmed, over `mux`.
    pub(crate) fn of(mux: Mux, quinn: &quinn::Connection, is_helper: bool) -> Option<Self> {
        let mut exported = [0; EXPORTED_BYTES];
        quinn.export_keying_material(&mut exported, EXPORTER_LABEL, b"").ok()?;
        let sealer = Sealer::new(&exported, is_helper);
        let (changed, switched) = mpsc::channel(SWITCHES);
        let alias = quinn.remote_address();
        let mut state = mux.state();
        let first = state.aliases.place(alias);
        let rtt_us = quinn.rtt().as_micros() as u64;
        let rank = peer::rank(first, &state.sockets);
        let set = PathSet::new(is_helper, rank, rtt_us, now_us());
        if let Some(relay) = state.sockets.relay(first) {
            relay.bind_channel(first.address);
        }
        let mut peer = Peer::new(alias, first, sealer, set, is_helper, state.finds_direct, changed);
        peer.offer(state.own_addresses());
        let name = peer.name();
        // One that was closed may still be there under this address.
        state.peers.retain(|peer| peer.alias != alias);
        state.peers.push(peer);
        state.ask_relays();
        drop(state);
        let (socket, ended) = (mux.downgrade(), quinn.clone());
        tokio::spawn(async move {
            let is_own = matches!(ended.closed().await, ConnectionError::LocallyClosed);
            if let Some(mux) = socket.upgrade().filter(|_| is_own) {
                mux.state().close(name);
                drop(mux);
                sleep(FAREWELL).await;
            }
            if let Some(mux) = socket.upgrade() {
                mux.state().forget(name);
            }
        });
        Some(Self { mux, alias, switched: Some(switched) })
    }

    /// With relays of this side's own, by which the other side's addresses on relays are reached.
    pub(crate) fn with_relays(
        self,
        urls: &[RelayUrl],
        opened: Vec<Option<Relay>>,
        remotes: Vec<(SocketAddr, PathKind)>,
    ) -> Self {
        let mut state = self.mux.state();
        let State { peers, sockets, .. } = &mut *state;
        if let Some(peer) = peers.iter_mut().find(|peer| peer.alias == self.alias) {
            peer.set_remotes(remotes, sockets);
        }
        state.settle();
        drop(state);
        // What becomes of them shows in the paths.
        drop(Relays::keep(&self.mux, urls, opened));
        self
    }

    /// Where the other side is by the path in use.
    pub(crate) fn remote_address(&self) -> Option<SocketAddr> {
        self.stats().iter().find(|path| path.state == PathState::Active).map(|path| path.remote)
    }

    /// The paths there are.
    pub(crate) fn stats(&self) -> Vec<PathStats> {
        let state = self.mux.state();
        let peer = state.peers.iter().find(|peer| peer.alias == self.alias);
        peer.map(|peer| peer.stats(&state.sockets)).unwrap_or_default()
    }

    /// The switches so far, the newest last.
    pub(crate) fn switches(&self) -> Vec<PathSwitch> {
        let state = self.mux.state();
        let peer = state.peers.iter().find(|peer| peer.alias == self.alias);
        peer.map(Peer::switches).unwrap_or_default()
    }
}
