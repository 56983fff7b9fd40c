//! A session between the two machines of a bed, and what must hold of it at all times.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use farpane_net::{
    CloseReason, ConnectError, Connection, InvitedRelay, NetThread, PathKind, PathSwitch,
    RelayState, RelayTransport, RelayUrl, SwitchReason,
};
use farpane_netbed::Bed;

use crate::film::Film;
use crate::support::{Helper, Sharer, active, wait_for};

/// For a control message to pass, after a link that was far too slow and beside other tests.
const HEAR: Duration = Duration::from_secs(6);
/// For both ends to see the same.
const SETTLE: Duration = Duration::from_secs(2);

/// Both ends of a session.
pub(crate) struct Session {
    pub(crate) sharer: Sharer,
    pub(crate) helper: NetThread,
    /// The sharer's end.
    pub(crate) far: Arc<Connection>,
    /// The helper's end.
    pub(crate) near: Arc<Connection>,
    /// What the helper waited.
    pub(crate) took: Duration,
}

impl Session {
    /// Begins one by relays, or directly at an address.
    pub(crate) fn begin(bed: &Bed, relays: Vec<RelayUrl>, direct: Option<IpAddr>) -> Self {
        Self::begin_with(bed, relays, direct, |_| {})
    }

    /// Begins one whose invitation names other relays than the sharer's.
    pub(crate) fn begin_with(
        bed: &Bed,
        relays: Vec<RelayUrl>,
        direct: Option<IpAddr>,
        change: impl FnOnce(&mut Vec<InvitedRelay>),
    ) -> Self {
        let sharer = Sharer::start(bed, relays);
        let invitation = sharer.invite_with(direct, change);
        Self::of(sharer, Helper::join(bed, &invitation))
    }

    /// Begins one by relays that looks for a way without.
    pub(crate) fn begin_finding(bed: &Bed, relays: Vec<RelayUrl>) -> Self {
        let sharer = Sharer::start_with(bed, relays, true);
        let joined = Helper::join_with(bed, &sharer.invite(None), true);
        Self::of(sharer, joined)
    }

    fn of(sharer: Sharer, joined: Result<Helper, ConnectError>) -> Self {
        let Helper { net, connection, took } =
            joined.unwrap_or_else(|error| panic!("{error}; at the sharer {}", sharer.failures()));
        let (far, near) = (Arc::new(sharer.accept()), Arc::new(connection));
        Self { sharer, helper: net, far, near, took }
    }

    /// Shows a film, which has begun when this returns.
    pub(crate) fn film(&self) -> Film {
        let sharer = (&self.sharer.net, self.far.clone());
        Film::start(sharer, (&self.helper, self.near.clone()))
    }

    /// How the helper's end and the sharer's go.
    pub(crate) fn kinds(&self) -> [PathKind; 2] {
        [&self.near, &self.far].map(|end| active(end).kind)
    }

    /// Waits until both ends go by the same path.
    pub(crate) fn agrees(&self) -> bool {
        wait_for(SETTLE, || self.is_agreed())
    }

    /// Whether where the helper sends to is the sharer's address on the very relay by which the
    /// sharer sends.
    pub(crate) fn is_agreed(&self) -> bool {
        let (near, far) = (active(&self.near), active(&self.far));
        let states = self.sharer.listener.relays();
        let own = states.iter().find_map(|(url, state)| match state {
            RelayState::Open(address) if *address == near.remote => Some(url.transport()),
            _ => None,
        });
        let own = own.map_or(PathKind::Direct, |transport| match transport {
            RelayTransport::Udp => PathKind::RelayUdp,
            RelayTransport::Tls => PathKind::RelayTls,
        });
        far.kind == own && (near.kind == PathKind::Direct) == (far.kind == PathKind::Direct)
    }

    /// Why the paths were changed since `at`, without what one end did only after the other.
    pub(crate) fn reasons(&self, before: [usize; 2]) -> Vec<SwitchReason> {
        let ends = [&self.near, &self.far].map(|end| end.path_switches());
        let new =
            ends.into_iter().zip(before).flat_map(|(all, before)| all.into_iter().skip(before));
        new.map(|switch| switch.reason).filter(|reason| *reason != SwitchReason::Peer).collect()
    }

    /// How many changes there were, at the helper and at the sharer.
    pub(crate) fn changes(&self) -> [usize; 2] {
        [&self.near, &self.far].map(|end| end.path_switches().len())
    }

    /// All that is known of both ends' paths, for a failed test.
    pub(crate) fn told(&self) -> String {
        format!(
            "helper {:?} {}\nsharer {:?} {}",
            self.near.paths(),
            told(&self.near.path_switches()),
            self.far.paths(),
            told(&self.far.path_switches())
        )
    }

    /// Waits for the session's end and says how it came at the helper and at the sharer.
    pub(crate) fn ends_by(&self, limit: Duration) -> [CloseReason; 2] {
        let ends = [(&self.helper, &self.near), (&self.sharer.net, &self.far)];
        ends.map(|(net, end)| {
            let end = end.clone();
            let closed = async move { tokio::time::timeout(limit, end.closed()).await };
            net.run(closed).unwrap().expect("the session has not ended")
        })
    }

    /// Sends a control message each way. The film must have ended.
    pub(crate) fn control_passes(self) {
        let Self { sharer, helper, far, near, .. } = self;
        let (far, near) = (Arc::into_inner(far).unwrap(), Arc::into_inner(near).unwrap());
        let start = Instant::now();
        let far = say(&sharer.net, far, "from the sharer");
        let (near, heard) = hear(&helper, near);
        assert_eq!(heard.as_deref(), Some(&b"from the sharer"[..]));
        let near = say(&helper, near, "from the helper");
        let (_far, heard) = hear(&sharer.net, far);
        assert_eq!(heard.as_deref(), Some(&b"from the helper"[..]));
        println!("  control messages to and fro in {:?}", start.elapsed());
        drop(near);
    }
}

fn say(net: &NetThread, mut connection: Connection, what: &'static str) -> Connection {
    let sent = net.run(async move {
        let sent = connection.control().0.send(what.as_bytes()).await;
        (connection, sent)
    });
    let (connection, sent) = sent.unwrap();
    sent.unwrap();
    connection
}

fn hear(net: &NetThread, mut connection: Connection) -> (Connection, Option<Bytes>) {
    let heard = net.run(async move {
        let heard = tokio::time::timeout(HEAR, connection.control().1.recv()).await;
        (connection, heard.ok().and_then(Result::ok))
    });
    heard.unwrap()
}

/// What changed, in words.
pub(crate) fn told(switches: &[PathSwitch]) -> String {
    switches.iter().map(|s| format!("{} -> {} ({:?}); ", s.from, s.to, s.reason)).collect()
}
