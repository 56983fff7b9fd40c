//! Why a session is over.

/// The sharer ended it.
pub const FARPANE_END_SHARER_ENDED: u32 = 1;
/// The helper ended it.
pub const FARPANE_END_HELPER_ENDED: u32 = 2;
/// The sharer said no.
pub const FARPANE_END_CONSENT_DENIED: u32 = 3;
/// The sharer did not answer in time.
pub const FARPANE_END_CONSENT_TIMEOUT: u32 = 4;
/// It lasted as long as it may.
pub const FARPANE_END_EXPIRED: u32 = 5;
/// The connection is gone, or never came.
pub const FARPANE_END_CONNECTION_LOST: u32 = 6;
/// The app stopped calling farpane_indicator_ack.
pub const FARPANE_END_INDICATOR_LOST: u32 = 7;
/// The helper has not the permissions for what it asks.
pub const FARPANE_END_NOT_PERMITTED: u32 = 8;
/// Something failed.
pub const FARPANE_END_ERROR: u32 = 9;
/// The helper did not prove its invitation or code.
pub const FARPANE_END_PAIRING_FAILED: u32 = 10;
/// The proof is for another connection.
pub const FARPANE_END_WRONG_CONNECTION: u32 = 11;
/// Helper, sharer and device are not all of one tenant.
pub const FARPANE_END_DIFFERENT_TENANT: u32 = 12;
/// The tenant has switched remote assistance off.
pub const FARPANE_END_TENANT_DISABLED: u32 = 13;
/// The software of one end is older than the tenant allows.
pub const FARPANE_END_VERSION_TOO_OLD: u32 = 14;
/// The tenant does not manage the device.
pub const FARPANE_END_NOT_ENROLLED: u32 = 15;
/// The helper's scope does not cover the device.
pub const FARPANE_END_OUT_OF_SCOPE: u32 = 16;
/// It took too long to begin.
pub const FARPANE_END_SETUP_TIMEOUT: u32 = 17;
/// Its lease was not renewed.
pub const FARPANE_END_LEASE_LOST: u32 = 18;
/// What was granted was taken back.
pub const FARPANE_END_REVOKED: u32 = 19;
/// What happens could not be written down.
pub const FARPANE_END_AUDIT_FAILED: u32 = 20;
