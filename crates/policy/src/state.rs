//! Where a session can be, and why it can be over.

use crate::rights::Mode;

/// Where a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has asked for anything.
    Idle,
    /// A helper has asked.
    Requested,
    /// The helper has proved its invitation or code, which allows nothing by itself.
    Paired,
    /// Both ends have proved who they are, on this connection.
    Authenticated,
    /// The helper may help this sharer on this device.
    Authorised,
    /// Those who have to know whether the device keeps the rules have seen it.
    ComplianceShown,
    /// The sharer is being asked.
    ConsentPending,
    /// The helper sees the screen.
    ActiveView,
    /// The helper sees the screen and controls the machine.
    ActiveControl,
    /// The same, and answers prompts for an administrator's credentials.
    ActiveElevated,
    /// The helper sees the screen of a machine at which nobody is.
    ActiveUnattended,
    /// There is consent and nothing moves: a side holds the session, or the indicator does not
    /// show yet.
    Suspended,
    /// It is over, and the connection is being closed.
    Ending,
    /// It is over, for ever.
    Ended(EndReason),
}

impl State {
    /// The state in which a session of this mode is active.
    pub fn active(mode: Mode) -> Self {
        match mode {
            Mode::View => Self::ActiveView,
            Mode::Control => Self::ActiveControl,
            Mode::Elevated => Self::ActiveElevated,
            Mode::Unattended => Self::ActiveUnattended,
        }
    }

    /// Whether the helper sees the screen now.
    pub fn is_active(self) -> bool {
        Mode::ALL.into_iter().any(|mode| Self::active(mode) == self)
    }

    /// Whether it is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ending | Self::Ended(_))
    }

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Requested => "requested",
            Self::Paired => "paired",
            Self::Authenticated => "authenticated",
            Self::Authorised => "authorised",
            Self::ComplianceShown => "compliance-shown",
            Self::ConsentPending => "consent-pending",
            Self::ActiveView => "active-view",
            Self::ActiveControl => "active-control",
            Self::ActiveElevated => "active-elevated",
            Self::ActiveUnattended => "active-unattended",
            Self::Suspended => "suspended",
            Self::Ending => "ending",
            Self::Ended(_) => "ended",
        }
    }
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EndReason {
    /// The sharer ended it.
    #[error("the sharer ended the session")]
    SharerEnded,
    /// The helper ended it.
    #[error("the helper ended the session")]
    HelperEnded,
    /// The sharer said no.
    #[error("the sharer did not consent")]
    ConsentDenied,
    /// The sharer did not answer in time.
    #[error("the sharer did not answer in time")]
    ConsentTimeout,
    /// The session has lasted as long as it may.
    #[error("the session has reached its time limit")]
    Expired,
    /// The connection is gone.
    #[error("the connection was lost")]
    ConnectionLost,
    /// The app stopped showing that the screen is shared.
    #[error("the app stopped showing that the screen is shared")]
    IndicatorLost,
    /// The helper has not the permissions for what it asks.
    #[error("the helper has no permission for this")]
    NotPermitted,
    /// Something failed.
    #[error("something failed")]
    Error,
    /// The helper did not prove its invitation or code.
    #[error("the helper did not prove its invitation")]
    PairingFailed,
    /// The proof is for another connection.
    #[error("the helper's proof is for another connection")]
    WrongConnection,
    /// Helper, sharer and device are not all of one tenant.
    #[error("helper, sharer and device are not of one tenant")]
    DifferentTenant,
    /// The tenant has switched remote assistance off.
    #[error("the tenant has switched remote assistance off")]
    TenantDisabled,
    /// The software of one end is older than the tenant allows.
    #[error("the software of one end is too old for the tenant")]
    VersionTooOld,
    /// The tenant does not manage the device.
    #[error("the tenant does not manage the device")]
    NotEnrolled,
    /// The helper's scope does not cover the device.
    #[error("the device is outside the helper's scope")]
    OutOfScope,
    /// Pairing, proving and warning took too long.
    #[error("the session took too long to begin")]
    SetupTimeout,
    /// The lease was not renewed.
    #[error("the lease was not renewed")]
    LeaseLost,
    /// The grant was revoked.
    #[error("the grant was revoked")]
    Revoked,
    /// The audit log took no entry.
    #[error("the audit log took no entry")]
    AuditFailed,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 20] = [
        Self::SharerEnded,
        Self::HelperEnded,
        Self::ConsentDenied,
        Self::ConsentTimeout,
        Self::Expired,
        Self::ConnectionLost,
        Self::IndicatorLost,
        Self::NotPermitted,
        Self::Error,
        Self::PairingFailed,
        Self::WrongConnection,
        Self::DifferentTenant,
        Self::TenantDisabled,
        Self::VersionTooOld,
        Self::NotEnrolled,
        Self::OutOfScope,
        Self::SetupTimeout,
        Self::LeaseLost,
        Self::Revoked,
        Self::AuditFailed,
    ];

    /// The number that stands for it on the wire, 1 to 255; it never changes its meaning.
    pub fn code(self) -> u32 {
        match self {
            Self::SharerEnded => 1,
            Self::HelperEnded => 2,
            Self::ConsentDenied => 3,
            Self::ConsentTimeout => 4,
            Self::Expired => 5,
            Self::ConnectionLost => 6,
            Self::IndicatorLost => 7,
            Self::NotPermitted => 8,
            Self::Error => 9,
            Self::PairingFailed => 10,
            Self::WrongConnection => 11,
            Self::DifferentTenant => 12,
            Self::TenantDisabled => 13,
            Self::VersionTooOld => 14,
            Self::NotEnrolled => 15,
            Self::OutOfScope => 16,
            Self::SetupTimeout => 17,
            Self::LeaseLost => 18,
            Self::Revoked => 19,
            Self::AuditFailed => 20,
        }
    }

    /// The reason that `code` stands for.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_code_and_words() {
        for (index, reason) in EndReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.code(), index as u32 + 1);
            assert_eq!(EndReason::from_code(reason.code()), Some(reason));
            for other in &EndReason::ALL[index + 1..] {
                assert_ne!(reason.to_string(), other.to_string());
                assert_ne!(reason.code(), other.code());
            }
        }
        assert_eq!(EndReason::from_code(0), None);
    }

    #[test]
    fn a_session_is_active_in_one_state_for_each_mode() {
        let active = Mode::ALL.map(State::active);
        let names = ["active-view", "active-control", "active-elevated", "active-unattended"];
        assert_eq!(active.map(State::name), names);
        assert!(active.iter().all(|state| state.is_active() && !state.is_over()));
        use State::{Authenticated, Authorised, ComplianceShown, ConsentPending, Ended, Ending};
        let rest = [
            (State::Idle, "idle"),
            (State::Requested, "requested"),
            (State::Paired, "paired"),
            (Authenticated, "authenticated"),
            (Authorised, "authorised"),
            (ComplianceShown, "compliance-shown"),
            (ConsentPending, "consent-pending"),
            (State::Suspended, "suspended"),
            (Ending, "ending"),
            (Ended(EndReason::Error), "ended"),
        ];
        for (state, name) in rest {
            assert!(!state.is_active());
            assert_eq!(state.name(), name);
            assert_eq!(state.is_over(), name.starts_with("end"));
        }
    }
}
