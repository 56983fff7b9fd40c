//! What the authority has taken back: a signed, numbered list that ends.

use super::CredentialId;
use super::authority::Authority;
use super::tenant::Tenant;
use super::validity::Validity;
use crate::TenantId;
use crate::cose::{self, Claims, ClaimsWriter, CredentialError, Kind};
use coset::cbor::Value;

/// Most credentials that a list names. Those that have ended need not be named.
pub const MAX_REVOKED: usize = 4096;
/// Longest life of a list: a week in seconds. Within it a machine without a connection accepts
/// what was revoked since.
pub const MAX_REVOCATIONS_S: u64 = 7 * 86_400;

/// 17 bytes an id, and a kilobyte around them.
const KIND: Kind =
    Kind { media_type: "application/farpane-revocations+cwt", max_bytes: 17 * MAX_REVOKED + 1024 };

const LABEL_NUMBER: i64 = -65_550;
const LABEL_REVOKED: i64 = -65_551;

/// What a revocation list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationClaims {
    /// Whose list it is.
    pub tenant: TenantId,
    /// Its number, from 1. A list replaces all with lower numbers.
    pub number: u64,
    /// What was revoked: at most 4,096, in ascending order.
    pub revoked: Vec<CredentialId>,
    /// When it counts: at most a week.
    pub validity: Validity,
}

impl RevocationClaims {
    /// Verifies a list's signature, form and tenant. Whether it still counts, and whether a newer
    /// one is known, is for [`Trust::update`](super::Trust::update).
    ///
    /// # Errors
    /// Says what is wrong. No bytes make it panic.
    pub fn verify(bytes: &[u8], tenant: &Tenant) -> Result<Self, CredentialError> {
        let mut claims = Claims::read(cose::open(KIND, bytes, tenant)?, "claims")?;
        let revoked = claims
            .list(LABEL_REVOKED, "revoked")?
            .into_iter()
            .map(|id| cose::fixed(id, "revoked", "a list of ids of 16 bytes").map(CredentialId));
        let read = Self {
            revoked: revoked.collect::<Result<_, _>>()?,
            tenant: cose::read_issuer(&mut claims)?,
            number: claims.number(LABEL_NUMBER, "number")?,
            validity: Validity::read(&mut claims)?,
        };
        claims.finish()?;
        cose::check_tenant(tenant.id(), &read.tenant)?;
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), CredentialError> {
        if self.number == 0 {
            let expected = "a whole number from 1 on";
            return Err(CredentialError::Type { claim: "number", expected });
        }
        cose::set("revoked", &self.revoked, 0, MAX_REVOKED)?;
        self.validity.check_span(MAX_REVOCATIONS_S)
    }
}

pub(crate) fn issue(
    authority: &Authority,
    claims: &RevocationClaims,
) -> Result<Vec<u8>, CredentialError> {
    cose::check_tenant(authority.tenant(), &claims.tenant)?;
    claims.check()?;
    let revoked = claims.revoked.iter().map(|id| Value::Bytes(id.0.to_vec())).collect();
    let writer = ClaimsWriter::default()
        .with(cose::LABEL_ISSUER, claims.tenant.as_str())
        .with(LABEL_NUMBER, claims.number)
        .with(LABEL_REVOKED, Value::Array(revoked));
    Ok(cose::seal(KIND, &claims.validity.write(writer).finish(), authority.key())?)
}
