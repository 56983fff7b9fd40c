//! What is written down of a session: who, whom, on which device, from when to when, and what was
//! allowed and used. No keystroke, no pixel, no text and no credential has a place in it.

use std::sync::Arc;

use crate::authorise::Authentication;
use crate::capability::{Capabilities, Capability};
use crate::consent::{InvitationKey, RequestId};
use crate::device::Posture;
use crate::event::Side;
use crate::rights::Rights;
use crate::sources::Source;
use crate::state::{EndReason, State};

/// Names one session in every record of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub [u8; 16]);

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuditEvent {
    /// Which session.
    pub session: SessionId,
    /// When, in microseconds of the session's monotonic clock.
    pub at_us: u64,
    /// Who helps whom on which device; absent until both have proved it.
    pub who: Option<Arc<Authentication>>,
    /// What.
    pub fact: Fact,
}

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fact {
    /// The session went from one state to another.
    Moved {
        /// Where it was.
        from: State,
        /// Where it is.
        to: State,
    },
    /// A helper came by this invitation and asked for this.
    Requested {
        /// The invitation.
        invitation: InvitationKey,
        /// What was asked for.
        rights: Rights,
    },
    /// This end has seen whether the device keeps the rules.
    ComplianceSeen {
        /// Which end.
        by: Side,
        /// What it saw.
        posture: Posture,
    },
    /// The sharer is asked.
    Asked {
        /// The question's number.
        request: RequestId,
        /// What for.
        rights: Rights,
    },
    /// The sharer has allowed this.
    Allowed {
        /// The question's number.
        request: RequestId,
        /// What was allowed, before other sources took from it.
        rights: Rights,
        /// For how long, in microseconds; absent when no time was said.
        span_us: Option<u64>,
    },
    /// The sharer has said no.
    Denied {
        /// The question's number.
        request: RequestId,
    },
    /// The sharer did not answer in time, which is a no.
    Unanswered {
        /// The question's number.
        request: RequestId,
    },
    /// The question was taken back before it was answered.
    Withdrawn {
        /// The question's number.
        request: RequestId,
    },
    /// The sharer had consented in advance, to this invitation.
    ConsentInAdvance {
        /// The invitation.
        invitation: InvitationKey,
    },
    /// An unattended grant took the place of consent.
    UnattendedGrant {
        /// Its name.
        id: [u8; 16],
    },
    /// The helper's rights are others from now on.
    RightsChanged {
        /// What they were; absent before the first consent.
        from: Option<Rights>,
        /// What they are; absent once the session is over.
        to: Option<Rights>,
    },
    /// The helper asked for what it may not have.
    Refused {
        /// What it asked for.
        rights: Rights,
    },
    /// This end wanted less.
    Lowered {
        /// Which end.
        by: Side,
    },
    /// Elevation began or ended.
    Elevation {
        /// Whether it began.
        began: bool,
    },
    /// This end holds the session.
    Held {
        /// Which end.
        by: Side,
    },
    /// This end no longer holds it.
    Released {
        /// Which end.
        by: Side,
    },
    /// The first sign of life of the indicator.
    IndicatorShown,
    /// A prompt of the system or of another program opened or closed.
    Prompt {
        /// Whether it opened.
        opened: bool,
    },
    /// A source allows no more than this from now on.
    Limited {
        /// Which source.
        source: Source,
        /// What it allows now.
        to: Capabilities,
    },
    /// This was used for the first time.
    Used {
        /// What.
        capability: Capability,
    },
    /// The session is over.
    Ended {
        /// Why.
        reason: EndReason,
        /// How long it lasted from the request on, in microseconds.
        lasted_us: u64,
        /// Everything that was used in it.
        used: Capabilities,
    },
}
