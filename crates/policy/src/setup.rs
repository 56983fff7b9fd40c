//! What is known of a session before it begins.

use crate::authorise::ConnectionId;
use crate::capability::Capabilities;
use crate::consent::AdvanceConsent;
use crate::id::TenantId;
use crate::limits::SessionLimits;
use crate::record::SessionId;
use crate::settings::TenantSettings;

/// What is known of a session before it begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Setup {
    /// The session's name in records.
    pub session: SessionId,
    /// The connection on which it runs.
    pub connection: ConnectionId,
    /// The tenant of this machine.
    pub tenant: TenantId,
    /// That tenant's settings.
    pub settings: TenantSettings,
    /// What the sharer's own settings allow.
    pub local: Capabilities,
    /// What this machine can do.
    pub platform: Capabilities,
    /// How long what may take.
    pub limits: SessionLimits,
    /// The sharer's consent in advance, if there is one.
    pub advance: Option<AdvanceConsent>,
    /// Whether this device may be viewed with nobody at it, by helpers whose grants say so.
    pub unattended: bool,
}
