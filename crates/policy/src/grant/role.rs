//! The roles that every tenant has.

use super::permission::PERMISSIONS;

/// A role and what it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInRole {
    /// Its name.
    pub name: &'static str,
    /// Its permissions' names.
    pub permissions: &'static [&'static str],
}

const READ: &str = "RemoteAssistanceConnector.Read";
const ELEVATION: &str = "RemoteHelp.Elevation";
const CONTROL: &str = "RemoteHelp.TakeFullControl";
const VIEW: &str = "RemoteHelp.ViewScreen";
const OFFER: &str = "RemoteTasks.OfferRemoteAssistance";

/// Every built-in role.
pub const BUILT_IN_ROLES: [BuiltInRole; 5] = [
    BuiltInRole { name: "Help Desk Operator", permissions: &PERMISSIONS },
    BuiltInRole {
        name: "School Administrator",
        permissions: &[READ, ELEVATION, CONTROL, VIEW, OFFER],
    },
    BuiltInRole { name: "Tier 1", permissions: &[READ, VIEW, OFFER] },
    BuiltInRole { name: "Tier 2", permissions: &[READ, ELEVATION, CONTROL, VIEW, OFFER] },
    BuiltInRole { name: "Tier 3", permissions: &PERMISSIONS },
];

impl BuiltInRole {
    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        BUILT_IN_ROLES.into_iter().find(|role| role.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_hold_known_permissions_in_order() {
        for role in BUILT_IN_ROLES {
            assert!(role.permissions.is_sorted_by(|a, b| a < b), "{}", role.name);
            assert!(role.permissions.iter().all(|name| PERMISSIONS.contains(name)));
            assert_eq!(BuiltInRole::named(role.name), Some(role));
        }
        assert_eq!(BuiltInRole::named("help desk operator"), None);
    }
}
