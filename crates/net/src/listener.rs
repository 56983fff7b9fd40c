//! The sharer's endpoint: takes in helpers that hold an invitation, several at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use quinn::{ConnectionError, Endpoint, Incoming};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::time::timeout_at;

use crate::close::{CloseReason, Refusal};
use crate::config::NetConfig;
use crate::confirm::{self, ConfirmError};
use crate::congestion::WindowHandle;
use crate::connection::{Connection, close_once};
use crate::ecn::Marks;
use crate::endpoint;
use crate::identity::{Identity, PublicKey};
use crate::invitation::{InvitationId, InvitedRelay};
use crate::ledger::Invitations;
use crate::network::{Network, system};
use crate::path::{Aliases, Mux, Paths, RelayState, Relays, WeakMux};
use crate::relay::RelayUrl;
use crate::tls;

/// Why the sharer cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address is taken or not of this machine.
    #[error("cannot listen on {address}: {source}; choose another address or port")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// How many helpers came, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerStats {
    /// Confirmed connections.
    pub joined: u64,
    /// Helpers refused for their invitation or their confirmation.
    pub refused: u64,
    /// Connections turned away because too many were pending.
    pub turned_away: u64,
}

/// A sharer's endpoint. Clones share it; dropping the last one stops listening, while connections
/// that exist go on.
#[derive(Debug, Clone)]
pub struct Listener(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    relays: Relays,
    joined: Mutex<mpsc::Receiver<Connection>>,
    counts: Arc<Counts>,
    /// Dropped with the listener, which ends the accepting task.
    _alive: mpsc::Sender<()>,
}

#[derive(Debug, Default)]
struct Counts {
    joined: AtomicU64,
    refused: AtomicU64,
    turned_away: AtomicU64,
}

impl Listener {
    /// Listens on `address` (port 0: the system chooses) for helpers with one of `invitations`.
    /// Call it inside [`NetThread::run`](crate::NetThread::run).
    pub async fn bind(
        address: SocketAddr,
        identity: &Identity,
        invitations: Invitations,
        config: NetConfig,
    ) -> Result<Self, ListenError> {
        let network = system(config.limits.socket_buffer_bytes);
        Self::bind_over(network, address, identity, invitations, config).await
    }

    /// The same over any network.
    pub(crate) async fn bind_over(
        network: Arc<dyn Network>,
        address: SocketAddr,
        identity: &Identity,
        invitations: Invitations,
        config: NetConfig,
    ) -> Result<Self, ListenError> {
        let server = tls::sharer_config(identity)?;
        let failed = |source| ListenError::Bind { address, source };
        let socket = endpoint::bind(&*network, address, &Marks::default()).map_err(failed)?;
        let mux = Mux::new(network, vec![socket], Aliases::default(), config.find_direct);
        let relays = Relays::keep(&mux, &config.relays, Vec::new());
        let endpoint = endpoint::open(mux.socket(false), Some(server.clone())).map_err(failed)?;
        let (sender, receiver) = mpsc::channel(config.limits.pending.max(1));
        let (alive, closed) = mpsc::channel(1);
        let counts = Arc::new(Counts::default());
        let door = Arc::new(Door {
            server,
            sharer: identity.public_key(),
            invitations,
            config,
            mux: mux.downgrade(),
            joined: sender,
            counts: counts.clone(),
        });
        tokio::spawn(take_in(endpoint.clone(), door, closed));
        let joined = Mutex::new(receiver);
        Ok(Self(Arc::new(Shared { endpoint, relays, joined, counts, _alive: alive })))
    }

    /// The address that it listens on.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.0.endpoint.local_addr()
    }

    /// The relays, and what became of each.
    pub fn relays(&self) -> Vec<(RelayUrl, RelayState)> {
        self.0.relays.states()
    }

    /// Waits until each relay has given an address or failed, at most 5 s, and 1 s once one has
    /// given an address; gives all of them, as an invitation wants to name them.
    pub async fn invited_relays(&self) -> Vec<InvitedRelay> {
        self.0.relays.settled().await;
        let invited = |(url, state)| {
            let address = match state {
                RelayState::Open(address) => Some(address),
                RelayState::Opening | RelayState::Failed(_) => None,
            };
            InvitedRelay { url, address }
        };
        self.relays().into_iter().map(invited).collect()
    }

    /// The next helper that has proved itself; `None` when the endpoint is gone.
    pub async fn accept(&self) -> Option<Connection> {
        self.0.joined.lock().await.recv().await
    }

    /// What has happened at the door so far.
    pub fn stats(&self) -> ListenerStats {
        let counts = &self.0.counts;
        ListenerStats {
            joined: counts.joined.load(Ordering::Relaxed),
            refused: counts.refused.load(Ordering::Relaxed),
            turned_away: counts.turned_away.load(Ordering::Relaxed),
        }
    }
}

/// What every arriving helper is checked with.
struct Door {
    server: quinn::ServerConfig,
    sharer: PublicKey,
    invitations: Invitations,
    config: NetConfig,
    mux: WeakMux,
    joined: mpsc::Sender<Connection>,
    counts: Arc<Counts>,
}

async fn take_in(endpoint: Endpoint, door: Arc<Door>, mut closed: mpsc::Receiver<()>) {
    let pending = Arc::new(Semaphore::new(door.config.limits.pending));
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            _ = closed.recv() => None,
        };
        let Some(incoming) = incoming else {
            endpoint.set_server_config(None);
            return;
        };
        let Ok(permit) = pending.clone().try_acquire_owned() else {
            door.counts.turned_away.fetch_add(1, Ordering::Relaxed);
            incoming.refuse();
            continue;
        };
        // Half full: make the others prove their address first, so that forged ones cost nothing.
        if pending.available_permits() < door.config.limits.pending / 2 && incoming.may_retry() {
            let _ = incoming.retry();
            continue;
        }
        let door = door.clone();
        tokio::spawn(async move {
            door.admit(incoming).await;
            drop(permit);
        });
    }
}

impl Door {
    async fn admit(&self, incoming: Incoming) {
        let deadline = tokio::time::Instant::now() + self.config.timing.confirmation;
        let window = WindowHandle::new(self.config.limits.initial_window_bytes);
        let mut server = self.server.clone();
        server.transport_config(self.config.transport(&window));
        let Ok(connecting) = incoming.accept_with(Arc::new(server)) else {
            return;
        };
        let Ok(Ok(quinn)) = timeout_at(deadline, connecting).await else {
            return;
        };
        let confirmed = timeout_at(deadline, self.confirm(&quinn)).await;
        match confirmed.unwrap_or(Err(ConfirmError::Refused(Refusal::ConfirmationTimeout))) {
            Ok((control, helper, id)) => {
                self.counts.joined.fetch_add(1, Ordering::Relaxed);
                self.watch(id, quinn.clone());
                let limits = self.config.limits.clone();
                let paths = self.mux.upgrade().and_then(|mux| Paths::of(mux, &quinn, false));
                let connection =
                    Connection::new(quinn, control, window, limits, helper, id).with_paths(paths);
                // Fails only when the listener is gone; dropping the connection closes it.
                let _ = self.joined.send(connection).await;
            }
            Err(ConfirmError::Refused(refusal)) => {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                close_once(&quinn, refusal.code(), refusal.to_string().as_bytes());
            }
            Err(ConfirmError::Lost(_) | ConfirmError::SharerUnproved | ConfirmError::NoCode) => {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A helper sends no datagram before it has its answer, so one that comes earlier could only
    /// be meant to fill this side's memory.
    async fn confirm(
        &self,
        quinn: &quinn::Connection,
    ) -> Result<(confirm::Control, PublicKey, InvitationId), ConfirmError> {
        let limit_bytes = self.config.limits.control_message_bytes;
        tokio::select! {
            biased;
            result = confirm::as_sharer(quinn, self.sharer, &self.invitations, limit_bytes) => {
                result
            }
            early = quinn.read_datagram() => match early {
                Ok(_) => Err(Refusal::ProtocolViolation.into()),
                Err(error) => Err(ConfirmError::Lost((&error).into())),
            },
        }
    }

    /// Notes in the ledger how the connection ends.
    fn watch(&self, id: InvitationId, quinn: quinn::Connection) {
        let invitations = self.invitations.clone();
        let resume = self.config.timing.resume;
        tokio::spawn(async move {
            let error = quinn.closed().await;
            let until = is_loss(&error).then(|| Instant::now() + resume);
            invitations.note_closed(id, &quinn, until);
        });
    }
}

/// Whether the connection ended against the will of both sides.
fn is_loss(error: &ConnectionError) -> bool {
    !matches!(CloseReason::from(error), CloseReason::Peer { .. } | CloseReason::Local)
}
