//! All ways to one sharer, tried side by side.

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use quinn::{AsyncUdpSocket, ConnectionError, TransportErrorCode};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::{AttemptFailure, ConnectError, FailedAttempt, remotes};
use crate::config::NetConfig;
use crate::congestion::WindowHandle;
use crate::ecn::Marks;
use crate::endpoint;
use crate::identity::Identity;
use crate::invitation::{Invitation, split_address};
use crate::network::Network;
use crate::path::{Aliases, Mux, PathKind, Place, SHARER, Via};
use crate::relay::{Relay, RelayTransport, RelayUrl};
use crate::tls;

/// Most socket addresses tried for one DNS name.
const MAX_RESOLVED: usize = 4;
/// Most ways by relays that are tried: two relays, each over UDP and TLS, to two addresses.
const MAX_RELAYED: usize = 8;
/// TLS asks for a name; the key is what is checked, and the name is not sent.
const UNUSED_SERVER_NAME: &str = "farpane";

/// Something to try next.
#[derive(Debug, Clone)]
enum Target {
    Name { address: String },
    Socket { address: String, route: Route },
}

/// A way to the sharer.
#[derive(Debug, Clone)]
enum Route {
    Direct(SocketAddr),
    Relayed { slot: usize, relay: Relay, remote: SocketAddr },
}

enum Outcome {
    Resolved(Vec<Target>),
    Opened(usize, Relay),
    Connected(Reached),
    Failed(AttemptFailure),
}

/// A connection to the sharer, not confirmed yet.
pub(super) struct Reached {
    pub(super) quinn: quinn::Connection,
    pub(super) window: WindowHandle,
    pub(super) marks: Marks,
    pub(super) mux: Mux,
}

/// Attempts under way, to come, and failed.
pub(super) struct Race {
    network: Arc<dyn Network>,
    identity: Identity,
    invitation: Invitation,
    config: NetConfig,
    start: Instant,
    waiting: VecDeque<Target>,
    /// Ways by relays, and when they may be tried.
    relayed: Vec<(Instant, Target)>,
    relays: Vec<Option<Relay>>,
    running: JoinSet<(String, Outcome)>,
    outstanding: Vec<String>,
    failed: Vec<FailedAttempt>,
}

impl Race {
    pub(super) fn new(
        network: Arc<dyn Network>,
        invitation: &Invitation,
        identity: &Identity,
        config: &NetConfig,
    ) -> Self {
        let mut race = Self {
            network,
            identity: identity.clone(),
            invitation: invitation.clone(),
            config: config.clone(),
            start: Instant::now(),
            waiting: invitation.addresses().iter().map(|address| target(address)).collect(),
            relayed: Vec::new(),
            relays: vec![None; invitation.relays().len()],
            running: JoinSet::new(),
            outstanding: Vec::new(),
            failed: Vec::new(),
        };
        for (slot, relay) in invitation.relays().iter().enumerate() {
            let (url, network) = (relay.url.clone(), race.network.clone());
            race.spawn(url.to_string(), async move {
                match Relay::open(&url, &network).await {
                    Ok(relay) => Outcome::Opened(slot, relay),
                    Err(error) => Outcome::Failed(AttemptFailure::Relay(error.to_string())),
                }
            });
        }
        race
    }

    /// The relays, and those that are open.
    pub(super) fn into_relays(self) -> (Vec<RelayUrl>, Vec<Option<Relay>>) {
        let urls = self.invitation.relays().iter().map(|relay| relay.url.clone()).collect();
        (urls, self.relays)
    }

    pub(super) async fn run(&mut self, deadline: Instant) -> Result<Reached, ConnectError> {
        let mut next_start = Instant::now();
        loop {
            let relayed_start = self.relayed.iter().map(|(at, _)| *at).min();
            let nothing_left = self.waiting.is_empty() && relayed_start.is_none();
            if self.running.is_empty() && nothing_left {
                return Err(ConnectError::Unreachable { attempts: self.failed.clone() });
            }
            tokio::select! {
                _ = sleep_until(deadline) => return Err(self.timed_out()),
                _ = sleep_until(next_start), if !self.waiting.is_empty() => {
                    if let Some(target) = self.waiting.pop_front() {
                        self.start(target);
                    }
                    next_start = Instant::now() + self.config.timing.stagger;
                }
                _ = sleep_until(relayed_start.unwrap_or(deadline)), if relayed_start.is_some() => {
                    self.start_relayed();
                }
                Some(Ok((address, outcome))) = self.running.join_next() => {
                    self.outstanding.retain(|running| *running != address);
                    match outcome {
                        Outcome::Connected(reached) => {
                            self.running.abort_all();
                            return Ok(reached);
                        }
                        Outcome::Resolved(targets) => {
                            targets.into_iter().rev().for_each(|t| self.waiting.push_front(t));
                        }
                        Outcome::Opened(slot, relay) => {
                            self.plan(slot, relay);
                            continue;
                        }
                        Outcome::Failed(why) => self.failed.push(FailedAttempt { address, why }),
                    }
                    next_start = Instant::now();
                }
            }
        }
    }

    /// All the sharer's addresses on relays can be tried by a relay that is open now.
    fn plan(&mut self, slot: usize, relay: Relay) {
        let [udp, tls] = self.config.timing.relay_stagger;
        let head_start = match relay.url().transport() {
            _ if self.invitation.addresses().is_empty() => udp.saturating_sub(udp),
            RelayTransport::Udp => udp,
            RelayTransport::Tls => tls,
        };
        let room = MAX_RELAYED.saturating_sub(self.relayed.len());
        let remotes = remotes(&self.invitation);
        let has_udp = remotes.iter().any(|(_, kind)| *kind == PathKind::RelayUdp);
        let start = (self.start + head_start).max(Instant::now());
        for (remote, kind) in remotes.into_iter().take(room) {
            let address = format!("{} to {remote}", relay.url());
            let route = Route::Relayed { slot, relay: relay.clone(), remote };
            // Where the sharer has both, the worse is not to win by chance.
            let is_second = has_udp && kind == PathKind::RelayTls;
            let start = if is_second { start + udp } else { start };
            self.relayed.push((start, Target::Socket { address, route }));
        }
        self.relays[slot] = Some(relay);
    }

    fn start_relayed(&mut self) {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.relayed).into_iter().partition(|r| r.0 <= now);
        self.relayed = later;
        let due: Vec<_> = due;
        due.into_iter().for_each(|(_, target)| self.start(target));
    }

    fn start(&mut self, target: Target) {
        match target {
            Target::Name { address } => {
                let name = address.clone();
                self.spawn(address, async move { look_up(&name).await });
            }
            Target::Socket { address, route } => {
                let (identity, config) = (self.identity.clone(), self.config.clone());
                let (network, invitation) = (self.network.clone(), self.invitation.clone());
                self.spawn(address, async move {
                    attempt(network, route, &invitation, &identity, &config).await
                });
            }
        }
    }

    fn spawn(&mut self, address: String, work: impl Future<Output = Outcome> + Send + 'static) {
        self.outstanding.push(address.clone());
        self.running.spawn(async move { (address, work.await) });
    }

    pub(super) fn timed_out(&self) -> ConnectError {
        let unanswered = self.outstanding.iter().map(|address| FailedAttempt {
            address: address.clone(),
            why: AttemptFailure::NoAnswer,
        });
        let limit_ms = u64::try_from(self.config.timing.connect.as_millis()).unwrap_or(u64::MAX);
        let attempts = self.failed.iter().cloned().chain(unanswered).collect();
        ConnectError::TimedOut { limit_ms, attempts }
    }
}

fn target(address: &str) -> Target {
    let socket = split_address(address)
        .and_then(|(host, port)| host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port)));
    let address = address.to_owned();
    match socket {
        Some(socket) => Target::Socket { address, route: Route::Direct(socket) },
        None => Target::Name { address },
    }
}

async fn look_up(address: &str) -> Outcome {
    match tokio::net::lookup_host(address).await {
        Ok(found) => Outcome::Resolved(
            found
                .take(MAX_RESOLVED)
                .map(|socket| {
                    let address = format!("{address} ({socket})");
                    Target::Socket { address, route: Route::Direct(socket) }
                })
                .collect(),
        ),
        Err(error) => Outcome::Failed(AttemptFailure::Lookup(error.to_string())),
    }
}

async fn attempt(
    network: Arc<dyn Network>,
    route: Route,
    invitation: &Invitation,
    identity: &Identity,
    config: &NetConfig,
) -> Outcome {
    let other =
        |error: &dyn fmt::Display| Outcome::Failed(AttemptFailure::Other(error.to_string()));
    let (mut client, wrong_key_seen) = match tls::helper_config(identity, invitation.sharer_key()) {
        Ok(configured) => configured,
        Err(error) => return other(&error),
    };
    let window = WindowHandle::new(config.limits.initial_window_bytes);
    client.transport_config(config.transport(&window));
    let marks = Marks::default();
    if let Route::Relayed { relay, remote, .. } = &route
        && !relay.reach(*remote).await
    {
        return Outcome::Failed(AttemptFailure::PeerRefused(remote.ip()));
    }
    let mux = match open(network, &route, config, &marks) {
        Ok(mux) => mux,
        Err(error) => return other(&error),
    };
    let endpoint = match endpoint::open(mux.socket(true), None) {
        Ok(endpoint) => endpoint,
        Err(error) => return other(&error),
    };
    let connecting = match endpoint.connect_with(client, SHARER, UNUSED_SERVER_NAME) {
        Ok(connecting) => connecting,
        Err(error) => return other(&error),
    };
    match connecting.await {
        Ok(quinn) => Outcome::Connected(Reached { quinn, window, marks, mux }),
        Err(_) if wrong_key_seen.load(Ordering::Relaxed) => {
            Outcome::Failed(AttemptFailure::WrongKey)
        }
        Err(ConnectionError::TimedOut) => Outcome::Failed(AttemptFailure::NoAnswer),
        Err(ConnectionError::ConnectionClosed(close))
            if close.error_code == TransportErrorCode::CONNECTION_REFUSED =>
        {
            Outcome::Failed(AttemptFailure::Busy)
        }
        Err(error) => other(&error),
    }
}

/// The sockets of an attempt by one way. Those without a relay are there in any case: a session may
/// find a way without one later.
fn open(
    network: Arc<dyn Network>,
    route: &Route,
    config: &NetConfig,
    marks: &Marks,
) -> std::io::Result<Mux> {
    let bind = |address| endpoint::bind(&*network, address, marks);
    match route {
        Route::Direct(remote) => {
            let socket = bind(endpoint::any_local(*remote))?;
            Ok(Mux::new(
                network,
                vec![socket],
                Aliases::of(Place::direct(*remote), SHARER),
                config.find_direct,
            ))
        }
        Route::Relayed { slot, relay, remote } => {
            let both: Result<Arc<dyn AsyncUdpSocket>, _> = bind((Ipv6Addr::UNSPECIFIED, 0).into());
            let socket = both.or_else(|_| bind((Ipv4Addr::UNSPECIFIED, 0).into()))?;
            let place = Place { via: Via::Relay(*slot), address: *remote };
            let aliases = Aliases::of(place, SHARER);
            let mux = Mux::new(network, vec![socket], aliases, config.find_direct);
            let mut state = mux.state();
            relay.deliver(*remote, state.inbox_of(*slot));
            state.set_relay(*slot, relay.clone());
            drop(state);
            Ok(mux)
        }
    }
}
