//! What can happen to a session.

use std::sync::Arc;

use crate::authorise::Authentication;
use crate::capability::Capabilities;
use crate::consent::{Answer, Request, RequestId};
use crate::rights::Rights;
use crate::sources::Source;
use crate::state::EndReason;

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Who is helped.
    Sharer,
    /// Who helps.
    Helper,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sharer, Self::Helper];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sharer => "sharer",
            Self::Helper => "helper",
        }
    }
}

/// Tells one renewal of a lease from every other, so that a late or repeated one renews nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// What happened. An event that does not fit the state is refused and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A helper asks for help to be accepted.
    Requested(Request),
    /// The helper has proved its invitation or code.
    Paired,
    /// The helper has not, and may not try again.
    PairingFailed,
    /// The helper has not proved who it is, or not well enough, for this reason.
    NotAdmitted(EndReason),
    /// Both ends have proved who they are.
    Authenticated(Arc<Authentication>),
    /// Whoever leases sessions lets this one begin, with this at most.
    Authorise(Capabilities),
    /// This end has seen whether the device keeps the rules. The sharer's app says it for the
    /// sharer; the helper's acknowledgement comes over the connection.
    ComplianceSeen(Side),
    /// The app is ready to ask the sharer.
    Ask,
    /// The sharer has answered the question with this number.
    Answered(RequestId, Answer),
    /// The app shows, at this moment, that the screen is shared and who sees it.
    IndicatorAck,
    /// The helper asks for these rights in place of those that there are.
    MoreRequested(Rights),
    /// This end wants no more than these rights from now on.
    Lowered(Side, Rights),
    /// This end holds the session.
    Suspend(Side),
    /// This end no longer holds it.
    Resume(Side),
    /// The system or another program asks the sharer for consent or credentials. Each opening is
    /// followed by a closing.
    PromptOpened,
    /// It no longer does.
    PromptClosed,
    /// Whoever leases sessions answers the request for this renewal, with this at most.
    LeaseRenewed(LeaseId, Capabilities),
    /// This source allows no more than this from now on. Consent and lease have events of their
    /// own.
    Narrowed(Source, Capabilities),
    /// These were used for the first time or again.
    Used(Capabilities),
    /// The grant was revoked.
    Revoked,
    /// The sharer wants to end.
    SharerEnded,
    /// The helper wants to end.
    HelperEnded,
    /// The connection is gone.
    ConnectionLost,
    /// Something that the session needs has failed.
    Failed,
    /// The audit log took no entry.
    AuditFailed,
    /// The connection is closed and nothing of the session is in use any more.
    Closed,
    /// Time has passed.
    Tick,
}
