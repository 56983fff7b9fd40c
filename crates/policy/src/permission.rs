//! What a tenant lets a helper do, under the product's names, and the roles that bundle it.

use std::fmt;

use crate::capability::{Capabilities, Capability};

/// One permission of a tenant's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// The permission that bears exactly this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

/// A set of permissions. Sets are only ever combined by intersection, so no source can add to
/// what another withholds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
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
        Tier::One.permissions()
    }

    /// What the role or tier of this name holds.
    pub fn of_role(name: &str) -> Option<Self> {
        let roles = Role::ALL.map(|role| (role.name(), role.permissions()));
        let tiers = Tier::ALL.map(|tier| (tier.name(), tier.permissions()));
        roles.into_iter().chain(tiers).find(|(of, _)| *of == name).map(|(_, held)| held)
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

    /// The permissions held, in their order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.contains(*permission))
    }

    /// Whether the set allows helping at all: it needs `OfferRemoteAssistance`,
    /// `RemoteAssistanceConnector.Read` and at least one permission of `RemoteHelp`.
    pub fn can_help(self) -> bool {
        use Permission::{ConnectorRead, Elevation, OfferRemoteAssistance, TakeFullControl};
        use Permission::{Unattended, ViewScreen};
        let help = Self::of(&[ViewScreen, TakeFullControl, Elevation, Unattended]);
        self.contains(OfferRemoteAssistance)
            && self.contains(ConnectorRead)
            && self.intersection(help) != Self::NONE
    }

    /// What the set allows. Nothing without sight: control of what one cannot see helps nobody.
    pub fn capabilities(self) -> Capabilities {
        use Capability::{Audio, Chat, ClipboardIn, ClipboardOut, Control, FileIn, FileOut};
        use Capability::{Elevate, Point, View};
        if !self.can_help() || !self.contains(Permission::ViewScreen) {
            return Capabilities::NONE;
        }
        let sight = Capabilities::of(&[View, Point, Chat, Audio]);
        if !self.contains(Permission::TakeFullControl) {
            return sight;
        }
        let control =
            sight.union(Capabilities::of(&[Control, ClipboardIn, ClipboardOut, FileIn, FileOut]));
        match self.contains(Permission::Elevation) {
            true => control.union(Capabilities::of(&[Elevate])),
            false => control,
        }
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::name)).finish()
    }
}

/// A role that every tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Everything.
    HelpDeskOperator,
    /// Everything but helping where nobody is.
    SchoolAdministrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::HelpDeskOperator, Self::SchoolAdministrator];

    /// The product's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HelpDeskOperator => "Help Desk Operator",
            Self::SchoolAdministrator => "School Administrator",
        }
    }

    /// What it holds.
    pub fn permissions(self) -> Permissions {
        let all = Permissions::of(&Permission::ALL);
        match self {
            Self::HelpDeskOperator => all,
            Self::SchoolAdministrator => Permissions(all.0 & !(1 << Permission::Unattended as u8)),
        }
    }
}

/// How far a help desk lets its people go; each tier includes the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Sees the screen.
    One,
    /// Also takes control and elevates.
    Two,
    /// Everything.
    Three,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "Tier 1",
            Self::Two => "Tier 2",
            Self::Three => "Tier 3",
        }
    }

    /// What it holds.
    pub fn permissions(self) -> Permissions {
        use Permission::{ConnectorRead, Elevation, OfferRemoteAssistance, TakeFullControl};
        let one = [Permission::ViewScreen, OfferRemoteAssistance, ConnectorRead];
        match self {
            Self::One => Permissions::of(&one),
            Self::Two => Permissions::of(&[&one[..], &[TakeFullControl, Elevation]].concat()),
            Self::Three => Permissions::of(&Permission::ALL),
        }
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
    fn a_permission_that_is_given_twice_is_held_once() {
        for permission in Permission::ALL {
            let twice = Permissions::of(&[permission, permission]);
            assert_eq!(twice, Permissions::of(&[permission]));
        }
    }

    #[test]
    fn taking_permissions_away_never_adds_a_capability() {
        for (a, b) in every_set().flat_map(|a| every_set().map(move |b| (a, b))) {
            assert!(a.intersection(b).capabilities().is_subset(a.capabilities()));
        }
    }

    #[test]
    fn helping_needs_both_general_permissions_and_one_of_remote_help() {
        for set in every_set() {
            let names: Vec<&str> = set.iter().map(Permission::name).collect();
            let can_help = names.contains(&"RemoteTasks.OfferRemoteAssistance")
                && names.contains(&"RemoteAssistanceConnector.Read")
                && names.iter().any(|name| name.starts_with("RemoteHelp."));
            assert_eq!(set.can_help(), can_help, "{set:?}");
        }
    }

    #[test]
    fn each_capability_needs_its_permissions() {
        use Permission::{Elevation, TakeFullControl, ViewScreen};
        for set in every_set() {
            let sight = set.can_help() && set.contains(ViewScreen);
            let control = sight && set.contains(TakeFullControl);
            let elevate = control && set.contains(Elevation);
            for capability in Capability::ALL {
                let expected = match capability {
                    Capability::View | Capability::Point => sight,
                    Capability::Chat | Capability::Audio => sight,
                    Capability::Elevate => elevate,
                    _ => control,
                };
                assert_eq!(set.capabilities().contains(capability), expected, "{capability:?}");
            }
        }
    }

    #[test]
    fn a_name_means_its_permission_and_nothing_else_does() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_name(permission.name()), Some(permission));
        }
        assert_eq!(Permission::from_name("remotehelp.viewscreen"), None);
        let debug = format!("{:?}", Permissions::of(&[Permission::ViewScreen]));
        assert_eq!(debug, r#"{"RemoteHelp.ViewScreen"}"#);
    }

    #[test]
    fn roles_and_tiers_hold_what_the_product_says() {
        let all = Permissions::of(&Permission::ALL);
        let names = |set: Permissions| set.iter().map(Permission::name).collect::<Vec<_>>();
        assert_eq!(Role::HelpDeskOperator.permissions(), all);
        let school = names(Role::SchoolAdministrator.permissions());
        assert_eq!(school.len(), 5);
        assert!(!school.contains(&"RemoteHelp.Unattended"));
        let one = [
            "RemoteHelp.ViewScreen",
            "RemoteTasks.OfferRemoteAssistance",
            "RemoteAssistanceConnector.Read",
        ];
        assert_eq!(names(Tier::One.permissions()), one);
        let two = names(Tier::Two.permissions());
        assert_eq!(two.len(), 5);
        assert!(two.contains(&"RemoteHelp.TakeFullControl"));
        assert!(two.contains(&"RemoteHelp.Elevation") && one.iter().all(|p| two.contains(p)));
        assert_eq!(Tier::Three.permissions(), all);
        assert_eq!(Permissions::view_only(), Tier::One.permissions());
        assert_eq!(Role::ALL.map(Role::name), ["Help Desk Operator", "School Administrator"]);
        assert_eq!(Tier::ALL.map(Tier::name), ["Tier 1", "Tier 2", "Tier 3"]);
        for role in Role::ALL {
            assert_eq!(Permissions::of_role(role.name()), Some(role.permissions()));
        }
        for tier in Tier::ALL {
            assert_eq!(Permissions::of_role(tier.name()), Some(tier.permissions()));
        }
        assert_eq!(Permissions::of_role("help desk operator"), None);
    }
}
