//! Identity claims, permission, consent and session state, without a clock, a socket or a thread.
//!
//! A [`Session`] begins with one helper's request and ends for ever. Its
//! [`handle`](Session::handle) takes what happens and gives a [`Transition`], whose effects come
//! out only once its entries are in the audit log. Among them are the tokens without which nothing
//! is captured, applied or moved: a [`CaptureToken`], an [`InputToken`] and a [`ChannelToken`] for
//! each channel. No other code makes them, and they die with the consent.
//!
//! What a helper may do is what seven [`Sources`] all allow, never more. [`step`] is the same
//! machine as a pure function of plain data, for whoever wants to know everything that can happen.
//! All times are microseconds of a monotonic clock that the caller reads.
//!
//! Who the two ends are is for [`admission`]: it verifies what they present, by the credentials
//! of [`grant`], [`identity`] and [`oidc`], whose times are seconds since 1970.
#![forbid(unsafe_code)]

pub mod admission;
pub mod audit;
mod authorise;
mod capability;
pub mod channel;
mod consent;
mod cose;
mod device;
mod effect;
mod event;
pub mod grant;
mod id;
pub mod identity;
mod limits;
mod machine;
pub mod oidc;
mod permission;
mod record;
mod rights;
mod session;
mod settings;
mod setup;
mod sources;
mod state;
mod token;
mod transition;

pub use authorise::{Authentication, ConnectionId, Person, authorise, same_tenant};
pub use capability::{Capabilities, Capability};
pub use consent::{
    AdvanceConsent, Answer, ConsentRequest, InvitationKey, MAX_NAME_CHARS, Peer, PeerError,
    Request, RequestId,
};
pub use device::{Device, MAX_LISTED, Posture, Scope};
pub use effect::{Effect, Notice};
pub use event::{Event, LeaseId, Side};
pub use id::{DeviceId, GroupId, IdError, MAX_ID_BYTES, MAX_TENANT_ID_BYTES, SubjectId, TenantId};
pub use limits::{MAX_ASKS, SessionLimits};
pub use machine::{Machine, Open, Step, step};
pub use permission::{Permission, Permissions, Role, Tier};
pub use record::{AuditEvent, Fact, SessionId};
pub use rights::{Mode, Rights};
pub use session::Session;
pub use settings::{TenantSettings, Version};
pub use setup::Setup;
pub use sources::{Source, Sources};
pub use state::{EndReason, State};
pub use token::{CaptureToken, ChannelToken, ChannelTokens, InputToken, Reach};
pub use transition::Transition;

#[cfg(test)]
mod example;
