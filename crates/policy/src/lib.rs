//! Consent, permission and session state, without a clock, a socket or a thread.
//!
//! A [`Session`] starts as one helper's request and ends for ever. Only its
//! [`step`](Session::step) can make a [`CaptureToken`], only on the sharer's consent and only while
//! the app shows that the screen is being shared; whoever captures must hold a valid token.
//! All times are microseconds of a monotonic clock that the caller reads.
#![forbid(unsafe_code)]

pub mod audit;
mod consent;
mod cose;
pub mod grant;
pub mod identity;
mod limits;
pub mod oidc;
mod permission;
mod session;
mod token;

pub use consent::{
    AdvanceConsent, Answer, ConsentRequest, InvitationKey, MAX_NAME_CHARS, Peer, PeerError,
    RequestId,
};
pub use limits::SessionLimits;
pub use permission::{Permission, Permissions, Scope};
pub use session::{Effect, EndReason, Event, Session, SessionState};
pub use token::{CaptureToken, InputToken, Reach};
