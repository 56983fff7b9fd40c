//! The helper's way to the sharer: tries an invitation's addresses, staggered, and confirms.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use quinn::{ConnectionError, TransportErrorCode};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::close::{CloseReason, Refusal};
use crate::config::NetConfig;
use crate::confirm::{self, ConfirmError};
use crate::congestion::WindowHandle;
use crate::connection::Connection;
use crate::ecn::Marks;
use crate::endpoint;
use crate::identity::Identity;
use crate::invitation::{Invitation, InvitationError, split_address};
use crate::tls;

/// Most socket addresses tried for one DNS name.
const MAX_RESOLVED: usize = 4;
/// TLS asks for a name; the key is what is checked, and the name is not sent.
const UNUSED_SERVER_NAME: &str = "farpane";

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
/// Tries the addresses in order, each with a head start over the next, and keeps the first that
/// answers with the right key; gives up after [`Timing::connect`](crate::Timing::connect).
pub async fn connect(
    invitation: &Invitation,
    identity: &Identity,
    config: &NetConfig,
) -> Result<Connection, ConnectError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    invitation.check_expiry(now.as_secs())?;
    let deadline = Instant::now() + config.timing.connect;
    let mut race = Race::new(invitation, identity, config);
    let Reached { quinn, window, marks } = race.run(deadline).await?;
    let limits = config.limits.clone();
    let helper = identity.public_key();
    let confirmation = confirm::as_helper(&quinn, helper, invitation, limits.control_message_bytes);
    let control = match timeout_at(deadline, confirmation).await {
        Ok(result) => result.map_err(ConnectError::from)?,
        Err(_) => return Err(race.timed_out()),
    };
    let (peer, id) = (invitation.sharer_key(), invitation.id());
    Ok(Connection::new(quinn, control, window, limits, peer, id).with_marks(marks))
}

impl From<ConfirmError> for ConnectError {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Refused(refusal) | ConfirmError::Lost(CloseReason::Refused(refusal)) => {
                Self::Refused(refusal)
            }
            ConfirmError::Lost(reason) => Self::Lost(reason),
            ConfirmError::SharerUnproved => Self::SharerUnproved,
        }
    }
}

/// Something to try next.
#[derive(Debug, Clone)]
enum Target {
    Name { address: String },
    Socket { address: String, socket: SocketAddr },
}

enum Outcome {
    Resolved(Vec<Target>),
    Connected(Reached),
    Failed(AttemptFailure),
}

/// A connection to the sharer, not confirmed yet.
struct Reached {
    quinn: quinn::Connection,
    window: WindowHandle,
    marks: Marks,
}

/// Attempts under way, to come, and failed.
struct Race {
    identity: Identity,
    invitation: Invitation,
    config: NetConfig,
    waiting: VecDeque<Target>,
    running: JoinSet<(String, Outcome)>,
    outstanding: Vec<String>,
    failed: Vec<FailedAttempt>,
}

impl Race {
    fn new(invitation: &Invitation, identity: &Identity, config: &NetConfig) -> Self {
        Self {
            identity: identity.clone(),
            invitation: invitation.clone(),
            config: config.clone(),
            waiting: invitation.addresses().iter().map(|address| target(address)).collect(),
            running: JoinSet::new(),
            outstanding: Vec::new(),
            failed: Vec::new(),
        }
    }

    async fn run(&mut self, deadline: Instant) -> Result<Reached, ConnectError> {
        let mut next_start = Instant::now();
        loop {
            if self.running.is_empty() && self.waiting.is_empty() {
                return Err(ConnectError::Unreachable { attempts: self.failed.clone() });
            }
            tokio::select! {
                _ = sleep_until(deadline) => return Err(self.timed_out()),
                _ = sleep_until(next_start), if !self.waiting.is_empty() => {
                    self.start_next();
                    next_start = Instant::now() + self.config.timing.stagger;
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
                        Outcome::Failed(why) => self.failed.push(FailedAttempt { address, why }),
                    }
                    next_start = Instant::now();
                }
            }
        }
    }

    fn start_next(&mut self) {
        match self.waiting.pop_front() {
            Some(Target::Name { address }) => {
                self.outstanding.push(address.clone());
                self.running.spawn(async move {
                    let outcome = look_up(&address).await;
                    (address, outcome)
                });
            }
            Some(Target::Socket { address, socket }) => {
                self.outstanding.push(address.clone());
                let (identity, config) = (self.identity.clone(), self.config.clone());
                let invitation = self.invitation.clone();
                self.running.spawn(async move {
                    let outcome = attempt(socket, &invitation, &identity, &config).await;
                    (address, outcome)
                });
            }
            None => {}
        }
    }

    fn timed_out(&self) -> ConnectError {
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
        Some(socket) => Target::Socket { address, socket },
        None => Target::Name { address },
    }
}

async fn look_up(address: &str) -> Outcome {
    match tokio::net::lookup_host(address).await {
        Ok(found) => Outcome::Resolved(
            found
                .take(MAX_RESOLVED)
                .map(|socket| Target::Socket { address: format!("{address} ({socket})"), socket })
                .collect(),
        ),
        Err(error) => Outcome::Failed(AttemptFailure::Lookup(error.to_string())),
    }
}

async fn attempt(
    socket: SocketAddr,
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
    let local = endpoint::any_local(socket);
    let (endpoint, marks) = match endpoint::bind(local, None, config.limits.socket_buffer_bytes) {
        Ok(bound) => bound,
        Err(error) => return other(&error),
    };
    let connecting = match endpoint.connect_with(client, socket, UNUSED_SERVER_NAME) {
        Ok(connecting) => connecting,
        Err(error) => return other(&error),
    };
    match connecting.await {
        Ok(quinn) => Outcome::Connected(Reached { quinn, window, marks }),
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
