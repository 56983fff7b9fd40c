//! The permissions that a grant may carry, under the product's names.

use crate::cose::{self, CredentialError};

/// Every permission, in ascending order.
pub const PERMISSIONS: [&str; 6] = [
    "RemoteAssistanceConnector.Read",
    "RemoteHelp.Elevation",
    "RemoteHelp.TakeFullControl",
    "RemoteHelp.Unattended",
    "RemoteHelp.ViewScreen",
    "RemoteTasks.OfferRemoteAssistance",
];

/// Checks that each of `names` is a permission, once and in ascending order.
pub(crate) fn check(names: &[String]) -> Result<(), CredentialError> {
    if let Some(name) = names.iter().find(|name| !PERMISSIONS.contains(&name.as_str())) {
        return Err(CredentialError::UnknownPermission { name: name.clone() });
    }
    cose::set("permissions", names, 1, PERMISSIONS.len())
}
