//! The device that is helped, and whom a helper may help.

use crate::capability::Capabilities;
use crate::id::{DeviceId, GroupId, TenantId};
use crate::settings::Version;

/// Most groups or devices in one list: what one signed grant has room for.
pub const MAX_LISTED: usize = 64;

/// Whether a device keeps the tenant's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Posture {
    /// It does.
    Compliant,
    /// It does not.
    NotCompliant,
    /// Nobody has said so.
    Unknown,
}

impl Posture {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::NotCompliant => "not compliant",
            Self::Unknown => "unknown",
        }
    }

    /// Whether helper and sharer are to be warned before the sharer is asked.
    pub fn needs_warning(self) -> bool {
        self != Self::Compliant
    }
}

/// The sharer's device, from verified claims.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Device {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its own name.
    pub id: DeviceId,
    /// The groups to which it or its user belongs, at most [`MAX_LISTED`].
    pub groups: Vec<GroupId>,
    /// Whether the tenant manages it.
    pub enrolled: bool,
    /// Whether it keeps the tenant's rules.
    pub posture: Posture,
    /// What its management allows on it.
    pub allowed: Capabilities,
    /// The software that it runs.
    pub version: Version,
}

/// Whom a helper may help.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All devices that the tenant manages, and no others.
    AllDevices,
    /// Devices that belong, or whose users belong, to one of these groups; at most
    /// [`MAX_LISTED`].
    Groups(Vec<GroupId>),
    /// These devices; at most [`MAX_LISTED`].
    Devices(Vec<DeviceId>),
}

impl Scope {
    /// Whether `device` is in it. Lists that are too long hold nothing.
    pub fn covers(&self, device: &Device) -> bool {
        match self {
            Self::AllDevices => device.enrolled,
            Self::Groups(groups) => {
                groups.len() <= MAX_LISTED
                    && device.groups.len() <= MAX_LISTED
                    && device.groups.iter().any(|group| groups.contains(group))
            }
            Self::Devices(devices) => devices.len() <= MAX_LISTED && devices.contains(&device.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(enrolled: bool, groups: &[&str]) -> Device {
        Device {
            tenant: TenantId::new("t").unwrap(),
            id: DeviceId::new("d1").unwrap(),
            groups: groups.iter().map(|group| GroupId::new(group).unwrap()).collect(),
            enrolled,
            posture: Posture::Compliant,
            allowed: Capabilities::ALL,
            version: Version::default(),
        }
    }

    #[test]
    fn all_devices_are_those_that_are_enrolled() {
        assert!(Scope::AllDevices.covers(&device(true, &[])));
        assert!(!Scope::AllDevices.covers(&device(false, &[])));
    }

    #[test]
    fn a_scope_covers_only_what_it_names() {
        let group = |name| GroupId::new(name).unwrap();
        let groups = Scope::Groups(vec![group("a"), group("b")]);
        assert!(groups.covers(&device(true, &["x", "b"])));
        assert!(groups.covers(&device(false, &["a"])));
        assert!(!groups.covers(&device(true, &["x"])));
        assert!(!groups.covers(&device(true, &[])));
        assert!(!Scope::Groups(Vec::new()).covers(&device(true, &["a"])));
        let id = |name| DeviceId::new(name).unwrap();
        assert!(Scope::Devices(vec![id("d0"), id("d1")]).covers(&device(false, &[])));
        assert!(!Scope::Devices(vec![id("d0")]).covers(&device(true, &[])));
    }

    #[test]
    fn lists_that_are_too_long_hold_nothing() {
        let groups = |count| vec![GroupId::new("a").unwrap(); count];
        let devices = |count| vec![DeviceId::new("d1").unwrap(); count];
        let mut device = device(true, &["a"]);
        assert!(Scope::Groups(groups(MAX_LISTED)).covers(&device));
        assert!(!Scope::Groups(groups(MAX_LISTED + 1)).covers(&device));
        assert!(Scope::Devices(devices(MAX_LISTED)).covers(&device));
        assert!(!Scope::Devices(devices(MAX_LISTED + 1)).covers(&device));
        device.groups = groups(MAX_LISTED);
        assert!(Scope::Groups(groups(1)).covers(&device));
        device.groups = groups(MAX_LISTED + 1);
        assert!(!Scope::Groups(groups(1)).covers(&device));
    }

    #[test]
    fn whoever_is_not_known_to_comply_is_warned_about() {
        assert!(!Posture::Compliant.needs_warning());
        assert!(Posture::NotCompliant.needs_warning() && Posture::Unknown.needs_warning());
        assert_eq!(Posture::NotCompliant.name(), "not compliant");
        assert_eq!([Posture::Compliant.name(), Posture::Unknown.name()], ["compliant", "unknown"]);
    }
}
