//! A sharer and a helper, each in its own network, and what goes between them.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use farpane_net::{
    ConnectError, Connection, Credential, Identity, Invitation, Invitations, InvitedRelay,
    IssueError, Listener, NetConfig, NetThread, PathState, PathStats, RelayPin, RelayState,
    RelayUrl, connect,
};
use farpane_netbed::{Bed, Config, Relay, RelayConfig};

const HOUR: Duration = Duration::from_secs(3600);

/// Which relays both sides are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carriers {
    Udp,
    Tls,
    Both,
}

/// The addresses of a relay, for its own user.
pub(crate) fn urls(relay: &Relay, carriers: Carriers) -> Vec<RelayUrl> {
    let login = relay.login(HOUR).unwrap();
    urls_for(relay, carriers, &Credential::new(login.user, login.password))
}

/// The addresses of a relay, for somebody.
pub(crate) fn urls_for(relay: &Relay, carriers: Carriers, who: &Credential) -> Vec<RelayUrl> {
    let all = bare_urls(relay, carriers, &[relay.spki_sha256()]);
    all.into_iter().map(|url| url.with_credential(who.clone())).collect()
}

/// The addresses of a relay for nobody, with these pins.
pub(crate) fn bare_urls(relay: &Relay, carriers: Carriers, pins: &[[u8; 32]]) -> Vec<RelayUrl> {
    let pins: Vec<_> = pins.iter().map(|pin| RelayPin(*pin).to_string()).collect();
    let udp = format!("turn:{}", relay.udp());
    let tls = format!("turns:{}?pin={}", relay.tls(), pins.join(","));
    let texts = match carriers {
        Carriers::Udp => vec![udp],
        Carriers::Tls => vec![tls],
        Carriers::Both => vec![udp, tls],
    };
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn config(find_direct: bool) -> NetConfig {
    NetConfig { find_direct, ..NetConfig::default() }
}

/// A sharer in its network.
pub(crate) struct Sharer {
    pub(crate) net: NetThread,
    pub(crate) identity: Identity,
    pub(crate) invitations: Invitations,
    pub(crate) listener: Listener,
}

impl Sharer {
    /// Stays on its relays.
    pub(crate) fn start(bed: &Bed, relays: Vec<RelayUrl>) -> Self {
        Self::start_with(bed, relays, false)
    }

    pub(crate) fn start_with(bed: &Bed, relays: Vec<RelayUrl>, find_direct: bool) -> Self {
        let bed = bed.sharer();
        bed.inside(|| {
            let net = NetThread::start().unwrap();
            let (identity, invitations) = (Identity::generate().unwrap(), Invitations::new());
            let config = NetConfig { relays, ..config(find_direct) };
            let (id, list) = (identity.clone(), invitations.clone());
            let any: SocketAddr = match bed.address() {
                IpAddr::V4(_) => "0.0.0.0:0".parse().unwrap(),
                IpAddr::V6(_) => "[::]:0".parse().unwrap(),
            };
            let listener = net
                .run(async move { Listener::bind(any, &id, list, config).await })
                .unwrap()
                .unwrap();
            Self { net, identity, invitations, listener }
        })
        .unwrap()
    }

    /// An invitation with the address of the sharer's machine, or only by relays.
    pub(crate) fn invite(&self, direct: Option<IpAddr>) -> Invitation {
        self.invite_with(direct, |_| {})
    }

    /// An invitation with other relays than the sharer's.
    pub(crate) fn invite_with(
        &self,
        direct: Option<IpAddr>,
        change: impl FnOnce(&mut Vec<InvitedRelay>),
    ) -> Invitation {
        let invitation = self.try_invite(direct, change);
        invitation.unwrap_or_else(|error| panic!("{error}; {}", self.failures()))
    }

    /// As [`Sharer::invite_with`], by a sharer who may have nothing to name.
    pub(crate) fn try_invite(
        &self,
        direct: Option<IpAddr>,
        change: impl FnOnce(&mut Vec<InvitedRelay>),
    ) -> Result<Invitation, IssueError> {
        let listener = self.listener.clone();
        let mut relays = self.net.run(async move { listener.invited_relays().await }).unwrap();
        change(&mut relays);
        let port = self.listener.local_address().unwrap().port();
        let addresses = direct.map(|ip| SocketAddr::new(ip, port).to_string());
        let key = self.identity.public_key();
        let addresses = addresses.into_iter().collect();
        self.invitations.issue_by_relays(key, addresses, relays, HOUR)
    }

    /// What the sharer is told of relays that are of no use to it.
    pub(crate) fn failures(&self) -> String {
        let states = self.listener.relays().into_iter();
        let failed = states.filter_map(|(url, state)| match state {
            RelayState::Failed(error) => Some(format!("{url}: {error}; ")),
            _ => None,
        });
        failed.collect()
    }

    pub(crate) fn accept(&self) -> Connection {
        let listener = self.listener.clone();
        self.net.run(async move { listener.accept().await }).unwrap().unwrap()
    }
}

/// A helper in its network.
pub(crate) struct Helper {
    pub(crate) net: NetThread,
    pub(crate) connection: Connection,
    pub(crate) took: Duration,
}

impl Helper {
    /// Stays on its relays.
    pub(crate) fn join(bed: &Bed, invitation: &Invitation) -> Result<Self, ConnectError> {
        Self::join_with(bed, invitation, false)
    }

    pub(crate) fn join_with(
        bed: &Bed,
        invitation: &Invitation,
        find_direct: bool,
    ) -> Result<Self, ConnectError> {
        let invitation = invitation.clone();
        bed.helper()
            .inside(move || {
                let net = NetThread::start().unwrap();
                let start = Instant::now();
                let joined = net.run(async move {
                    let identity = Identity::generate().unwrap();
                    connect(&invitation, &identity, &config(find_direct)).await
                });
                let took = start.elapsed();
                joined.unwrap().map(|connection| Self { net, connection, took })
            })
            .unwrap()
    }
}

/// The path in use.
pub(crate) fn active(connection: &Connection) -> PathStats {
    *connection.paths().iter().find(|path| path.state == PathState::Active).unwrap()
}

/// Waits until something is so, at most for `limit`; whether it is.
pub(crate) fn wait_for(limit: Duration, is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !is_so() {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// What both sides are told of relays that are of no use to either: the sharer, and a helper whose
/// invitation has an address of the sharer's all the same.
pub(crate) fn refusals(bed: &Bed, relays: Vec<RelayUrl>) -> [String; 2] {
    let sharer = Sharer::start(bed, relays);
    let address = Some(SocketAddr::new(bed.public().address(), 9));
    let relays = sharer.listener.relays().into_iter();
    let relays = relays.map(|(url, _)| InvitedRelay { url, address }).collect();
    let key = sharer.identity.public_key();
    let invitation = sharer.invitations.issue_by_relays(key, Vec::new(), relays, HOUR).unwrap();
    let helper = refused(bed, &invitation);
    let listener = sharer.listener.clone();
    sharer.net.run(async move { listener.invited_relays().await }).unwrap();
    [sharer.failures(), helper]
}

/// What the helper is told who does not come in.
pub(crate) fn refused(bed: &Bed, invitation: &Invitation) -> String {
    Helper::join(bed, invitation).err().expect("nobody can join here").to_string()
}

pub(crate) fn bed(config: &Config) -> (Bed, Relay) {
    let bed = Bed::build(config).unwrap();
    let relay = bed.relay(&RelayConfig::default()).unwrap();
    (bed, relay)
}
