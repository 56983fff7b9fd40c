//! Whom a helper may help, as a claim: `[0]`, `[1, group...]` or `[2, device...]`.

use crate::cose::{self, CredentialError, Text};
use crate::{DeviceId, GroupId, IdError, MAX_LISTED, Scope};
use coset::cbor::Value;

const ALL: u64 = 0;
const GROUPS: u64 = 1;
const DEVICES: u64 = 2;

pub(super) fn check(scope: &Scope) -> Result<(), CredentialError> {
    match scope {
        Scope::AllDevices => Ok(()),
        Scope::Groups(groups) => {
            cose::set("scope", groups, 1, MAX_LISTED)?;
            groups.iter().try_for_each(|id| Text::Identifier.check(id.as_str(), "scope"))
        }
        Scope::Devices(devices) => {
            cose::set("scope", devices, 1, MAX_LISTED)?;
            devices.iter().try_for_each(|id| Text::Identifier.check(id.as_str(), "scope"))
        }
    }
}

pub(super) fn read(list: Vec<Value>) -> Result<Scope, CredentialError> {
    let expected = "[0], [1, group...] or [2, device...]";
    let wrong = || CredentialError::Type { claim: "scope", expected };
    let mut list = list.into_iter();
    let kind = list.next().and_then(|kind| kind.into_integer().ok());
    let kind = kind.and_then(|kind| u64::try_from(kind).ok()).ok_or_else(wrong)?;
    let ids = list.map(|id| id.into_text().map_err(|_| wrong()));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let scope = match kind {
        ALL if ids.is_empty() => Scope::AllDevices,
        GROUPS => Scope::Groups(identifiers(&ids, GroupId::new)?),
        DEVICES => Scope::Devices(identifiers(&ids, DeviceId::new)?),
        _ => return Err(wrong()),
    };
    check(&scope)?;
    Ok(scope)
}

fn identifiers<T>(
    texts: &[String],
    new: fn(&str) -> Result<T, IdError>,
) -> Result<Vec<T>, CredentialError> {
    texts.iter().map(|text| cose::identifier(text, "scope", new)).collect()
}

pub(super) fn write(scope: &Scope) -> Value {
    let (kind, ids): (_, Vec<&str>) = match scope {
        Scope::AllDevices => (ALL, Vec::new()),
        Scope::Groups(groups) => (GROUPS, groups.iter().map(GroupId::as_str).collect()),
        Scope::Devices(devices) => (DEVICES, devices.iter().map(DeviceId::as_str).collect()),
    };
    Value::Array([Value::from(kind)].into_iter().chain(ids.into_iter().map(Value::from)).collect())
}
