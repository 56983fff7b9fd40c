//! What a machine relies on: its tenant's keys, and what it knows of revocations.

use super::CredentialId;
use super::revocation::RevocationClaims;
use super::tenant::Tenant;
use super::validity::Validity;
use crate::TenantId;
use crate::cose::{self, CredentialError};

/// How far clocks of one tenant may differ, unless said otherwise.
pub const DEFAULT_SKEW_S: u64 = 60;
/// The most that may be said.
pub const MAX_SKEW_S: u64 = 300;

/// A tenant and its newest revocation list. Without a list that still counts, no credential is
/// accepted.
#[derive(Debug, Clone)]
pub struct Trust {
    tenant: Tenant,
    known: Option<RevocationClaims>,
    skew_s: u64,
}

impl Trust {
    /// Trust in `tenant`, with no revocation list yet and a clock skew of 60 s.
    pub fn new(tenant: Tenant) -> Self {
        Self { tenant, known: None, skew_s: DEFAULT_SKEW_S }
    }

    /// Allows clocks to differ by `seconds`, but never by more than 300.
    #[must_use]
    pub fn with_skew_s(self, seconds: u64) -> Self {
        Self { skew_s: seconds.min(MAX_SKEW_S), ..self }
    }

    /// The tenant.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The newest revocation list, which may have ended.
    pub fn revocations(&self) -> Option<&RevocationClaims> {
        self.known.as_ref()
    }

    /// Takes in a revocation list; the same one again changes nothing.
    ///
    /// # Errors
    /// It is not this tenant's, does not count at `now_s` (seconds since 1970), is older than what
    /// is known, or is another one with the same number. What is known stays.
    pub fn update(&mut self, bytes: &[u8], now_s: u64) -> Result<(), CredentialError> {
        let found = RevocationClaims::verify(bytes, &self.tenant)?;
        found.validity.check_now(now_s, self.skew_s)?;
        if let Some(known) = &self.known {
            if found.number < known.number {
                let (found, known) = (found.number, known.number);
                return Err(CredentialError::OldRevocations { found, known });
            }
            if found.number == known.number && found != *known {
                return Err(CredentialError::TwoRevocations { number: found.number });
            }
        }
        self.known = Some(found);
        Ok(())
    }

    pub(crate) fn check(
        &self,
        tenant: &TenantId,
        id: CredentialId,
        validity: Validity,
        now_s: u64,
    ) -> Result<(), CredentialError> {
        cose::check_tenant(self.tenant.id(), tenant)?;
        validity.check_now(now_s, self.skew_s)?;
        let expires_s = self.known.as_ref().map_or(0, |known| known.validity.expires_s);
        match &self.known {
            Some(known) if now_s < expires_s => {
                if known.revoked.binary_search(&id).is_ok() {
                    return Err(CredentialError::Revoked { id: id.to_string() });
                }
                Ok(())
            }
            _ => Err(CredentialError::StaleRevocations { expires_s, now_s }),
        }
    }
}
