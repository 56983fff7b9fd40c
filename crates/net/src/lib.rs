//! QUIC between one sharer and its helpers: identities, invitations, connections, a network thread.
//!
//! What is carried is opaque here. [`Listener`] and [`connect`] end in a [`Connection`] only after
//! both sides have proved, inside one TLS 1.3 session, that they hold the invitation's one-time
//! secret and the keys that the other side sees. [`Link`] turns a connection into callbacks and a
//! handle for threads that know nothing of async.
#![forbid(unsafe_code)]

mod clock;
mod close;
mod code;
mod config;
mod confirm;
mod congestion;
mod connect;
mod connection;
pub mod doctor;
mod ecn;
mod endpoint;
mod identity;
mod invitation;
#[cfg(feature = "lab")]
pub mod lab;
mod ledger;
mod link;
mod listener;
mod network;
mod path;
mod queue;
mod relay;
mod streams;
mod thread;
mod tls;

pub use clock::now_us;
pub use close::{APP_CODE_MAX, CloseReason, Refusal};
pub use code::{PAIRING_CODE_CHARS, PAIRING_CODE_VALID, PairingCode, PairingCodeError};
pub use config::{Limits, NetConfig, Timing};
pub use congestion::WindowHandle;
pub use connect::{AttemptFailure, ConnectError, FailedAttempt, connect};
pub use connection::{Connection, ConnectionStats, SendError};
pub use identity::{Identity, IdentityError, PUBLIC_KEY_BYTES, PublicKey};
pub use invitation::{
    Invitation, InvitationError, InvitationId, InvitedRelay, MAX_ADDRESSES, MAX_INVITATION_BYTES,
    MAX_RELAYS,
};
pub use ledger::{Invitations, IssueError};
pub use link::{Link, LinkHandle, LinkSink, LinkStats};
pub use listener::{ListenError, Listener, ListenerStats};
pub use path::{PathKind, PathState, PathStats, PathSwitch, RelayState, SwitchReason};
pub use relay::{
    Credential, MAX_RELAY_URL_BYTES, Presented, RelayError, RelayPin, RelayTransport, RelayUrl,
    RelayUrlError, TurnRefusal,
};
pub use streams::{ControlReceiver, ControlSender, StreamError};
pub use thread::{Cancel, NetThread, NetThreadError};
