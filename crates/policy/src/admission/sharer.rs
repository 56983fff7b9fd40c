//! The sharer as the helper's machine has verified it.

use crate::authorise::{ConnectionId, Person};
use crate::consent::Peer;
use crate::device::Posture;
use crate::id::{DeviceId, TenantId};
use crate::settings::Version;

/// Whose screen it is that comes: all of it verified but the version of the software, which is
/// the other end's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSharer {
    /// The tenant of the device and of whoever sits there.
    pub tenant: TenantId,
    /// The device.
    pub device: DeviceId,
    /// Whether the tenant manages it.
    pub enrolled: bool,
    /// Whether it keeps the tenant's rules. The helper is warned if not.
    pub posture: Posture,
    /// What it does not keep, for people: at most 8 texts of at most 64 characters.
    pub findings: Vec<String>,
    /// Who sits there; without one who signed in, the device's owner under the device's id.
    pub sharer: Person,
    /// The same for people: a person's verified names, or the device's id.
    pub peer: Peer,
    /// The software at that end.
    pub software: Version,
    /// How much longer all of this is valid, in microseconds.
    pub valid_us: u64,
    /// The connection on which it was proved.
    pub connection: ConnectionId,
}
