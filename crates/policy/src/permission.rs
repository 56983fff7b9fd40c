//! What a helper may be allowed, under the product's names, and what a session is about.

use std::fmt;

/// What a session is about. Ordered: a later scope includes the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The helper sees the screen.
    View,
    /// The helper also moves the pointer and types. Never granted in advance.
    Control,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Control => "control",
        })
    }
}

/// One permission of a tenant's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// `RemoteHelp.ViewScreen`
    ViewScreen,
    /// `RemoteHelp.TakeFullControl`
    TakeFullControl,
    /// `RemoteHelp.Elevation`
    Elevation,
    /// `RemoteHelp.Unattended`
    Unattended,
    /// `RemoteTasks.OfferRemoteAssistance`
    OfferRemoteAssistance,
    /// `RemoteAssistanceConnector.Read`
    ConnectorRead,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 6] = [
        Self::ViewScreen,
        Self::TakeFullControl,
        Self::Elevation,
        Self::Unattended,
        Self::OfferRemoteAssistance,
        Self::ConnectorRead,
    ];

    /// The product's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ViewScreen => "RemoteHelp.ViewScreen",
            Self::TakeFullControl => "RemoteHelp.TakeFullControl",
            Self::Elevation => "RemoteHelp.Elevation",
            Self::Unattended => "RemoteHelp.Unattended",
            Self::OfferRemoteAssistance => "RemoteTasks.OfferRemoteAssistance",
            Self::ConnectorRead => "RemoteAssistanceConnector.Read",
        }
    }
}

/// A set of permissions. Sets are only ever combined by intersection, so no source can add to
/// what another withholds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u8);

impl Permissions {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// The given permissions.
    pub fn of(permissions: &[Permission]) -> Self {
        Self(permissions.iter().fold(0, |bits, permission| bits | 1 << *permission as u8))
    }

    /// What an invitation gives the helper that holds it: seeing the screen, and what any help
    /// needs.
    pub fn view_only() -> Self {
        use Permission::{ConnectorRead, OfferRemoteAssistance, ViewScreen};
        Self::of(&[ViewScreen, OfferRemoteAssistance, ConnectorRead])
    }

    /// What both sets hold.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set holds `permission`.
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// The widest scope that the set allows; `None` if it allows no help at all. Helping needs
    /// `OfferRemoteAssistance` and `Connector.Read` besides a `RemoteHelp` permission.
    pub fn widest_scope(self) -> Option<Scope> {
        use Permission::{ConnectorRead, OfferRemoteAssistance, TakeFullControl, ViewScreen};
        if !self.contains(OfferRemoteAssistance) || !self.contains(ConnectorRead) {
            return None;
        }
        // Control without sight helps nobody, so both are needed for it.
        match (self.contains(ViewScreen), self.contains(TakeFullControl)) {
            (true, true) => Some(Scope::Control),
            (true, false) => Some(Scope::View),
            (false, _) => None,
        }
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Permission::ALL.into_iter().filter(|permission| self.contains(*permission));
        f.debug_set().entries(held.map(Permission::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_set() -> impl Iterator<Item = Permissions> {
        (0..1_u8 << Permission::ALL.len()).map(Permissions)
    }

    #[test]
    fn the_intersection_is_a_subset_of_both_sets() {
        for (a, b) in every_set().flat_map(|a| every_set().map(move |b| (a, b))) {
            for permission in Permission::ALL {
                let both = a.contains(permission) && b.contains(permission);
                assert_eq!(a.intersection(b).contains(permission), both);
            }
        }
    }

    #[test]
    fn taking_permissions_away_never_widens_the_scope() {
        for (a, b) in every_set().flat_map(|a| every_set().map(move |b| (a, b))) {
            assert!(a.intersection(b).widest_scope() <= a.widest_scope());
        }
    }

    #[test]
    fn each_scope_needs_its_permissions() {
        for set in every_set() {
            let base = set.contains(Permission::OfferRemoteAssistance)
                && set.contains(Permission::ConnectorRead)
                && set.contains(Permission::ViewScreen);
            assert_eq!(set.widest_scope().is_some(), base, "{set:?}");
            let control = base && set.contains(Permission::TakeFullControl);
            assert_eq!(set.widest_scope() == Some(Scope::Control), control, "{set:?}");
        }
        assert_eq!(Permissions::view_only().widest_scope(), Some(Scope::View));
    }
}
