//! Records of a session: what the session's own end tells, and what the helper's end learns.

use super::action::{Action, Feature};
use super::entry::{Entry, Outcome, Party, Role, SessionId};
use crate::authorise::Authentication;
use crate::capability::Capabilities;
use crate::consent::InvitationKey;
use crate::device::Posture;
use crate::event::Side;
use crate::record::{AuditEvent, Fact};
use crate::rights::Rights;
use crate::state::EndReason;

/// Who takes part in a session, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    /// Who helps.
    pub helper: Party,
    /// Who is helped.
    pub sharer: Party,
    /// On which device.
    pub device: Option<Party>,
}

/// What a helper's end learns of a session, or does in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Learned {
    /// It has asked for a session.
    Requested {
        /// The public name of the invitation by which it came.
        invitation: InvitationKey,
        /// What it asked for.
        rights: Rights,
    },
    /// It was shown whether the sharer's device keeps the rules, and acknowledged that.
    ComplianceSeen {
        /// What it was shown.
        posture: Posture,
    },
    /// It has asked for other rights.
    Asked {
        /// For which.
        rights: Rights,
    },
    /// These are its rights from now on.
    Granted {
        /// What it had; absent before the first consent.
        from: Option<Rights>,
        /// What it has.
        to: Rights,
    },
    /// It does not get what it asked for.
    Refused {
        /// What that was.
        rights: Rights,
    },
    /// It wanted less than it had.
    Lowered,
    /// It holds the session.
    Held,
    /// It no longer holds it.
    Released,
    /// It was told that nothing moves until further notice.
    Suspended,
    /// It was told that the session goes on.
    Resumed,
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

impl Parties {
    /// Those who have proved who they are.
    pub fn verified(who: &Authentication) -> Self {
        Self {
            helper: Party::person(Role::Helper, &who.helper, who.peer.display_name()),
            sharer: Party::person(Role::Sharer, &who.sharer, ""),
            device: Some(Party::device(&who.device)),
        }
    }

    /// A helper and a sharer of whom nothing is known yet.
    pub fn unknown() -> Self {
        let [helper, sharer] = [Role::Helper, Role::Sharer].map(Party::unknown);
        Self { helper, sharer, device: None }
    }

    fn party(&self, role: Role) -> Party {
        match role {
            Role::Helper => self.helper.clone(),
            Role::Sharer => self.sharer.clone(),
            Role::Device => self.device.clone().unwrap_or_else(|| Party::unknown(role)),
            Role::System => Party::system(),
        }
    }

    fn entry(
        &self,
        session: SessionId,
        (actor, target): (Role, Role),
        action: Action,
        time_us: u64,
    ) -> Entry {
        let (session, device) = (Some(session), self.device.clone());
        let (actor, target) = (self.party(actor), Some(self.party(target)));
        let outcome = outcome(&action);
        Entry { time_us, session, actor, target, device, action, outcome }
    }
}

impl Entry {
    /// What the audit log keeps of an event of a session, which is everything but its monotonic
    /// time. `time_us` is the wall clock, in microseconds since 1970 (UTC).
    pub fn of_session(event: &AuditEvent, time_us: u64) -> Self {
        let parties = event.who.as_deref().map_or_else(Parties::unknown, Parties::verified);
        parties.entry(event.session.0, roles(&event.fact), action(&event.fact), time_us)
    }

    /// What a helper's own log keeps of a session. `time_us` is the wall clock, in microseconds
    /// since 1970 (UTC).
    pub fn of_helper(
        session: SessionId,
        parties: &Parties,
        learned: &Learned,
        time_us: u64,
    ) -> Self {
        parties.entry(session, learned.roles(), learned.action(), time_us)
    }
}

/// Who did it, and whom it concerns.
fn roles(fact: &Fact) -> (Role, Role) {
    const HELPER: (Role, Role) = (Role::Helper, Role::Sharer);
    const SHARER: (Role, Role) = (Role::Sharer, Role::Helper);
    const SYSTEM: (Role, Role) = (Role::System, Role::Helper);
    let side = |side| match side {
        Side::Helper => HELPER,
        Side::Sharer => SHARER,
    };
    match fact {
        Fact::ComplianceSeen { by, .. }
        | Fact::Lowered { by }
        | Fact::Held { by }
        | Fact::Released { by } => side(*by),
        Fact::Requested { .. }
        | Fact::Asked { .. }
        | Fact::Elevation { .. }
        | Fact::Used { .. } => HELPER,
        Fact::Allowed { .. } | Fact::Denied { .. } | Fact::ConsentInAdvance { .. } => SHARER,
        Fact::Moved { .. }
        | Fact::Unanswered { .. }
        | Fact::UnattendedGrant { .. }
        | Fact::RightsChanged { .. }
        | Fact::Refused { .. }
        | Fact::Limited { .. } => SYSTEM,
        Fact::Withdrawn { .. } | Fact::IndicatorShown | Fact::Prompt { .. } => {
            (Role::System, Role::Sharer)
        }
        Fact::Ended { reason, .. } => ended_by(*reason),
    }
}

fn ended_by(reason: EndReason) -> (Role, Role) {
    match reason {
        EndReason::SharerEnded | EndReason::ConsentDenied => (Role::Sharer, Role::Helper),
        EndReason::HelperEnded => (Role::Helper, Role::Sharer),
        _ => (Role::System, Role::Helper),
    }
}

fn action(fact: &Fact) -> Action {
    match *fact {
        Fact::Moved { from, to } => Action::SessionMoved { from, to },
        Fact::Requested { invitation, rights } => Action::SessionRequested { invitation, rights },
        Fact::ComplianceSeen { posture, .. } => Action::ComplianceSeen { posture },
        Fact::Asked { request, rights } => Action::ConsentAsked { request, rights },
        Fact::Allowed { request, rights, span_us } => {
            Action::ConsentGiven { request, rights, span_us }
        }
        Fact::Denied { request } => Action::ConsentDenied { request },
        Fact::Unanswered { request } => Action::ConsentTimedOut { request },
        Fact::Withdrawn { request } => Action::ConsentWithdrawn { request },
        Fact::ConsentInAdvance { invitation } => Action::ConsentInAdvance { invitation },
        Fact::UnattendedGrant { id } => Action::ConsentUnattended { grant: id },
        Fact::RightsChanged { from, to } => Action::ModeChanged { from, to },
        Fact::Refused { rights } => Action::RightsRefused { rights },
        Fact::Lowered { .. } => Action::RightsLowered,
        Fact::Elevation { began: true } => Action::ElevationBegun,
        Fact::Elevation { began: false } => Action::ElevationEnded,
        Fact::Held { .. } => Action::SessionHeld,
        Fact::Released { .. } => Action::SessionReleased,
        Fact::IndicatorShown => Action::IndicatorShown,
        Fact::Prompt { opened: true } => Action::PromptOpened,
        Fact::Prompt { opened: false } => Action::PromptClosed,
        Fact::Limited { source, to } => Action::SourceLimited { source, allowed: to },
        Fact::Used { capability } => Action::FeatureUsed(Feature::Used { capability }),
        Fact::Ended { reason, lasted_us, used } => Action::Ended { reason, lasted_us, used },
    }
}

impl Learned {
    fn roles(&self) -> (Role, Role) {
        match self {
            Self::Requested { .. }
            | Self::ComplianceSeen { .. }
            | Self::Asked { .. }
            | Self::Lowered
            | Self::Held
            | Self::Released => (Role::Helper, Role::Sharer),
            Self::Granted { .. } | Self::Refused { .. } | Self::Suspended | Self::Resumed => {
                (Role::Sharer, Role::Helper)
            }
            Self::Ended { reason, .. } => ended_by(*reason),
        }
    }

    fn action(&self) -> Action {
        match *self {
            Self::Requested { invitation, rights } => {
                Action::SessionRequested { invitation, rights }
            }
            Self::ComplianceSeen { posture } => Action::ComplianceSeen { posture },
            Self::Asked { rights } => Action::RightsAsked { rights },
            Self::Granted { from, to } => Action::ModeChanged { from, to: Some(to) },
            Self::Refused { rights } => Action::RightsRefused { rights },
            Self::Lowered => Action::RightsLowered,
            Self::Held => Action::SessionHeld,
            Self::Released => Action::SessionReleased,
            Self::Suspended => Action::Suspended,
            Self::Resumed => Action::Resumed,
            Self::Ended { reason, lasted_us, used } => Action::Ended { reason, lasted_us, used },
        }
    }
}

fn outcome(action: &Action) -> Outcome {
    match action {
        Action::ConsentDenied { .. }
        | Action::ConsentTimedOut { .. }
        | Action::RightsRefused { .. } => Outcome::Denied,
        Action::Ended { reason, .. } => match reason {
            EndReason::SharerEnded | EndReason::HelperEnded | EndReason::Expired => {
                Outcome::Success
            }
            EndReason::ConnectionLost
            | EndReason::IndicatorLost
            | EndReason::Error
            | EndReason::SetupTimeout
            | EndReason::LeaseLost
            | EndReason::AuditFailed => Outcome::Failure,
            _ => Outcome::Denied,
        },
        _ => Outcome::Success,
    }
}

#[cfg(test)]
mod tests;
