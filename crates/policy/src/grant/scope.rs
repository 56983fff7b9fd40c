//! Whom a helper may help.

use crate::cose::{self, CredentialError, Text};
use crate::identity::{DeviceClaims, MAX_GROUPS};
use coset::cbor::Value;

/// Most devices that a grant names.
const MAX_DEVICES: usize = 64;

/// Whose machines a grant is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HelpScope {
    /// Every enrolled device of the tenant. Those that are not enrolled must be named.
    AllDevices,
    /// Devices in any of these groups: 1 to 64, in ascending order.
    Groups(Vec<String>),
    /// These devices, by id: 1 to 64, in ascending order.
    Devices(Vec<String>),
}

const ALL: u64 = 0;
const GROUPS: u64 = 1;
const DEVICES: u64 = 2;

impl HelpScope {
    /// Whether `device` is within it. The device's tenant is checked elsewhere.
    pub fn covers(&self, device: &DeviceClaims) -> bool {
        match self {
            Self::AllDevices => device.device.enrolled,
            Self::Groups(groups) => device.groups.iter().any(|group| groups.contains(group)),
            Self::Devices(ids) => ids.contains(&device.device.id),
        }
    }

    pub(crate) fn check(&self) -> Result<(), CredentialError> {
        let (ids, most) = match self {
            Self::AllDevices => return Ok(()),
            Self::Groups(groups) => (groups, MAX_GROUPS),
            Self::Devices(devices) => (devices, MAX_DEVICES),
        };
        cose::set("scope", ids, 1, most)?;
        ids.iter().try_for_each(|id| Text::Identifier.check(id, "scope"))
    }

    /// Reads `[0]`, `[1, group...]` or `[2, device...]`.
    pub(crate) fn read(list: Vec<Value>) -> Result<Self, CredentialError> {
        let expected = "[0], [1, group...] or [2, device...]";
        let wrong = || CredentialError::Type { claim: "scope", expected };
        let mut list = list.into_iter();
        let kind = list.next().and_then(|kind| kind.into_integer().ok());
        let kind = kind.and_then(|kind| u64::try_from(kind).ok()).ok_or_else(wrong)?;
        let ids = list.map(|id| id.into_text().map_err(|_| wrong()));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let scope = match kind {
            ALL if ids.is_empty() => Self::AllDevices,
            GROUPS => Self::Groups(ids),
            DEVICES => Self::Devices(ids),
            _ => return Err(wrong()),
        };
        scope.check()?;
        Ok(scope)
    }

    pub(crate) fn write(&self) -> Value {
        let (kind, ids): (_, &[String]) = match self {
            Self::AllDevices => (ALL, &[]),
            Self::Groups(groups) => (GROUPS, groups),
            Self::Devices(devices) => (DEVICES, devices),
        };
        let ids = ids.iter().map(|id| Value::from(id.as_str()));
        Value::Array([Value::from(kind)].into_iter().chain(ids).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::device_claims;

    #[test]
    fn all_devices_are_the_enrolled_ones_and_others_are_named() {
        let mut device = device_claims();
        let groups =
            |names: &[&str]| HelpScope::Groups(names.iter().map(|n| n.to_string()).collect());
        let by_id = HelpScope::Devices(vec![device.device.id.clone()]);
        assert!(HelpScope::AllDevices.covers(&device) && by_id.covers(&device));
        assert!(groups(&["berlin", "x"]).covers(&device) && !groups(&["x"]).covers(&device));
        device.device.enrolled = false;
        assert!(!HelpScope::AllDevices.covers(&device) && by_id.covers(&device));
        device.device.id.push('x');
        assert!(!by_id.covers(&device));
        device.groups.clear();
        assert!(!groups(&["berlin"]).covers(&device));
    }
}
