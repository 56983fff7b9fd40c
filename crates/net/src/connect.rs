//! The helper's way to the sharer: tries an invitation's addresses, staggered, and confirms.

mod race;

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, timeout_at};

use crate::close::{CloseReason, Refusal};
use crate::config::NetConfig;
use crate::confirm::{self, ConfirmError};
use crate::connection::Connection;
use crate::identity::Identity;
use crate::invitation::{Invitation, InvitationError, InvitedRelay};
use crate::network::{Network, system};
use crate::path::{PathKind, Paths};
use crate::relay::RelayTransport;
use race::{Race, Reached};

/// Why the helper is not connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The invitation cannot be used any more.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// No address led to the sharer.
    #[error("the sharer could not be reached: {}", Attempts(.attempts))]
    Unreachable {
        /// Each address tried, with what happened.
        attempts: Vec<FailedAttempt>,
    },
    /// Time ran out.
    #[error("the sharer did not answer within {limit_ms} ms: {}", Attempts(.attempts))]
    TimedOut {
        /// The limit in milliseconds.
        limit_ms: u64,
        /// Each address tried, with what happened.
        attempts: Vec<FailedAttempt>,
    },
    /// The sharer did not let this helper in.
    #[error("the sharer refused: {0}")]
    Refused(#[from] Refusal),
    /// The other side has the sharer's key, but not the invitation's secret.
    #[error("the other side could not prove that it gave out this invitation; ask for a new one")]
    SharerUnproved,
    /// The connection broke during the confirmation.
    #[error("the connection ended during the confirmation: {0}")]
    Lost(CloseReason),
}

/// One address that did not lead to the sharer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// The address, with the socket address if a name was looked up.
    pub address: String,
    /// What happened.
    pub why: AttemptFailure,
}

/// What happened to one attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptFailure {
    /// The name has no address.
    #[error("the name could not be looked up ({0})")]
    Lookup(String),
    /// Nothing came back.
    #[error("no answer; is the sharer running, and does a firewall let UDP through?")]
    NoAnswer,
    /// Somebody else answered, or someone is in between.
    #[error("another key than the invitation's answered; the connection is not safe there")]
    WrongKey,
    /// The relay gives no address, or is out of reach.
    #[error("{0}")]
    Relay(String),
    /// The relay does not forward to the sharer's address.
    #[error("the relay does not forward to {0}; let it, if denied-peer-ip names that range")]
    PeerRefused(std::net::IpAddr),
    /// The sharer has too many pending helpers.
    #[error("the sharer is busy; try again in a few seconds")]
    Busy,
    /// Something else failed.
    #[error("{0}")]
    Other(String),
}

/// Connects to the sharer that gave out `invitation`. Call it inside
/// [`NetThread::run`](crate::NetThread::run).
///
/// Tries the addresses in order, each with a head start over the next, then the ways by relays, and
/// keeps the first that answers with the right key; gives up after
/// [`Timing::connect`](crate::Timing::connect).
pub async fn connect(
    invitation: &Invitation,
    identity: &Identity,
    config: &NetConfig,
) -> Result<Connection, ConnectError> {
    let network = system(config.limits.socket_buffer_bytes);
    connect_over(network, invitation, identity, config).await
}

/// The same over any network.
pub(crate) async fn connect_over(
    network: Arc<dyn Network>,
    invitation: &Invitation,
    identity: &Identity,
    config: &NetConfig,
) -> Result<Connection, ConnectError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    invitation.check_expiry(now.as_secs())?;
    if invitation.needs_code() {
        return Err(InvitationError::NoCode.into());
    }
    let deadline = Instant::now() + config.timing.connect;
    let mut race = Race::new(network, invitation, identity, config);
    let Reached { quinn, window, marks, mux } = race.run(deadline).await?;
    let limits = config.limits.clone();
    let helper = identity.public_key();
    let confirmation = confirm::as_helper(&quinn, helper, invitation, limits.control_message_bytes);
    let control = match timeout_at(deadline, confirmation).await {
        Ok(result) => result.map_err(ConnectError::from)?,
        Err(_) => return Err(race.timed_out()),
    };
    let paths = Paths::of(mux, &quinn, true).map(|paths| {
        let (urls, opened) = race.into_relays();
        paths.with_relays(&urls, opened, remotes(invitation))
    });
    let (peer, id) = (invitation.sharer_key(), invitation.id());
    let connection = Connection::new(quinn, control, window, limits, peer, id);
    Ok(connection.with_marks(marks).with_paths(paths))
}

/// The sharer's addresses on relays.
fn remotes(invitation: &Invitation) -> Vec<(SocketAddr, PathKind)> {
    let remote = |InvitedRelay { url, address }: &InvitedRelay| {
        let kind = match url.transport() {
            RelayTransport::Udp => PathKind::RelayUdp,
            RelayTransport::Tls => PathKind::RelayTls,
        };
        Some(((*address)?, kind))
    };
    invitation.relays().iter().filter_map(remote).collect()
}

impl From<ConfirmError> for ConnectError {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Refused(refusal) | ConfirmError::Lost(CloseReason::Refused(refusal)) => {
                Self::Refused(refusal)
            }
            ConfirmError::Lost(reason) => Self::Lost(reason),
            ConfirmError::SharerUnproved => Self::SharerUnproved,
            ConfirmError::NoCode => Self::Invitation(InvitationError::NoCode),
        }
    }
}

/// `address: why; address: why`
struct Attempts<'a>(&'a [FailedAttempt]);

impl fmt::Display for Attempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, FailedAttempt { address, why }) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{address}: {why}")?;
        }
        if self.0.is_empty() { f.write_char('-') } else { Ok(()) }
    }
}
