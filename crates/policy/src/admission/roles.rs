//! What the roles in ID tokens mean: the tenant's own table.

use std::collections::BTreeMap;

use super::error::AdmissionError;
use crate::device::Scope;
use crate::permission::Permissions;

/// Most roles in a table.
pub const MAX_ROLES: usize = 64;

/// What a role allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRule {
    /// What its bearers may do.
    pub permissions: Permissions,
    /// Whom they may help.
    pub scope: Scope,
}

/// A table with more than [`MAX_ROLES`] roles, or with one twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a table of roles has at most {MAX_ROLES}, each once, not {count}")]
pub struct RolesError {
    /// How many there are.
    pub count: usize,
}

/// What the app roles of the tenant's directory allow, by their values in the claim `roles`.
/// Roles that are not in it allow nothing. Without any, nobody helps by a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles(BTreeMap<String, RoleRule>);

impl Roles {
    /// The table of these roles.
    ///
    /// # Errors
    /// Too many, or one twice.
    pub fn new(roles: Vec<(String, RoleRule)>) -> Result<Self, RolesError> {
        let count = roles.len();
        let table = BTreeMap::from_iter(roles);
        match count <= MAX_ROLES && table.len() == count {
            true => Ok(Self(table)),
            false => Err(RolesError { count }),
        }
    }

    /// The rule for whoever bears `roles`. Of several known ones none goes before another, so
    /// exactly one must be known.
    pub(super) fn rule(&self, roles: &[String]) -> Result<&RoleRule, AdmissionError> {
        let known: Vec<_> = roles.iter().filter_map(|role| self.0.get(role)).collect();
        match known[..] {
            [rule] => Ok(rule),
            _ => Err(AdmissionError::Roles { known: known.len() }),
        }
    }
}
