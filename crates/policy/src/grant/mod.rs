//! Grants: what a tenant allows one person to do, on whose machines, and until when.

mod claims;
mod permission;
mod scope;

pub use claims::{GrantClaims, Person};

use crate::cose::{self, CredentialError, Kind};
use crate::identity::{Authority, CredentialId, Trust, sha256};

/// Most bytes of a grant.
pub const MAX_GRANT_BYTES: usize = 8 * 1024;
/// Longest life of a grant: 31 days in seconds.
pub const MAX_GRANT_S: u64 = 31 * 86_400;

const KIND: Kind = Kind { media_type: "application/farpane-grant+cwt", max_bytes: MAX_GRANT_BYTES };

/// A grant that was verified. It is worth something only with a proof by its key over the
/// connection, and only until it ends: ask again for every session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    claims: GrantClaims,
    hash: [u8; 32],
}

impl Grant {
    pub(crate) fn issue(
        authority: &Authority,
        claims: &GrantClaims,
    ) -> Result<Vec<u8>, CredentialError> {
        cose::check_tenant(authority.tenant(), &claims.tenant)?;
        claims.check()?;
        Ok(cose::seal(KIND, &claims.write(), authority.key())?)
    }

    /// Verifies a grant: signature, form, tenant, time (seconds since 1970), revocation.
    ///
    /// # Errors
    /// Says what is wrong. No bytes make it panic.
    pub fn verify(bytes: &[u8], trust: &Trust, now_s: u64) -> Result<Self, CredentialError> {
        let claims = GrantClaims::read(cose::open(KIND, bytes, trust.tenant())?)?;
        trust.check(&claims.tenant, claims.id, claims.validity, now_s)?;
        Ok(Self { claims, hash: sha256(&[bytes]) })
    }

    /// What it says.
    pub fn claims(&self) -> &GrantClaims {
        &self.claims
    }

    pub(crate) fn into_claims(self) -> GrantClaims {
        self.claims
    }

    /// Its name, by which it is revoked.
    pub fn id(&self) -> CredentialId {
        self.claims.id
    }

    /// SHA-256 of its bytes, which proofs are bound to.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Seconds from `now_s` until it ends; 0 if it has. Turn it into a monotonic deadline: the
    /// wall clock may be set back.
    pub fn remaining_s(&self, now_s: u64) -> u64 {
        self.claims.validity.expires_s.saturating_sub(now_s)
    }
}

#[cfg(test)]
mod tests;
