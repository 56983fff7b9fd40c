//! The tenant's own authority: the key that signs grants, device certificates and revocations.

use super::device::{DeviceCertificate, DeviceClaims};
use super::key::{KeyPair, PublicKey};
use super::revocation::{self, RevocationClaims};
use crate::TenantId;
use crate::cose::CredentialError;
use crate::grant::{Grant, GrantClaims};

/// A tenant with its secret key. It signs only what its own readers would accept.
#[derive(Debug, Clone)]
pub struct Authority {
    tenant: TenantId,
    key: KeyPair,
}

impl Authority {
    /// The authority of a new tenant, whose id is made of this key.
    pub fn founding(key: KeyPair) -> Self {
        Self { tenant: TenantId::of_key(&key.public_key()), key }
    }

    /// An authority of a tenant that there is already, as after a change of keys.
    pub fn of(tenant: TenantId, key: KeyPair) -> Self {
        Self { tenant, key }
    }

    /// Whose authority it is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The key that others must know.
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// Signs a grant.
    ///
    /// # Errors
    /// No reader would accept it.
    pub fn grant(&self, claims: &GrantClaims) -> Result<Vec<u8>, CredentialError> {
        Grant::issue(self, claims)
    }

    /// Signs a device certificate.
    ///
    /// # Errors
    /// No reader would accept it.
    pub fn device(&self, claims: &DeviceClaims) -> Result<Vec<u8>, CredentialError> {
        DeviceCertificate::issue(self, claims)
    }

    /// Signs a revocation list.
    ///
    /// # Errors
    /// No reader would accept it.
    pub fn revocations(&self, claims: &RevocationClaims) -> Result<Vec<u8>, CredentialError> {
        revocation::issue(self, claims)
    }

    pub(crate) fn key(&self) -> &KeyPair {
        &self.key
    }
}
