//! The permissions of a grant, as a claim: their names in ascending order.

use crate::cose::{self, CredentialError};
use crate::permission::{Permission, Permissions};

pub(super) fn check(permissions: Permissions) -> Result<(), CredentialError> {
    cose::length("permissions", permissions.iter().count(), 1, Permission::ALL.len())
}

/// Reads names of which each is a permission's, once and in ascending order.
pub(super) fn read(names: &[String]) -> Result<Permissions, CredentialError> {
    let permissions = names.iter().map(|name| {
        let unknown = || CredentialError::UnknownPermission { name: name.clone() };
        Permission::from_name(name).ok_or_else(unknown)
    });
    let permissions = permissions.collect::<Result<Vec<_>, _>>()?;
    cose::set("permissions", names, 1, Permission::ALL.len())?;
    Ok(Permissions::of(&permissions))
}

pub(super) fn names(permissions: Permissions) -> Vec<&'static str> {
    let mut names: Vec<_> = permissions.iter().map(Permission::name).collect();
    names.sort_unstable();
    names
}
