//! Claims that several kinds of credentials have.

use coset::cbor::Value;
use coset::iana;

use super::claims::{Claims, ClaimsWriter};
use super::error::CredentialError;
use crate::TenantId;
use crate::identity::{CredentialId, PublicKey};

/// `iss`: the tenant (RFC 8392 section 3.1).
pub(crate) const LABEL_ISSUER: i64 = 1;
/// `sub`: the person.
pub(crate) const LABEL_SUBJECT: i64 = 2;
/// `cti`: the credential's own name.
pub(crate) const LABEL_ID: i64 = 7;
/// `cnf`: the key of its holder (RFC 8747 section 3.1).
pub(crate) const LABEL_KEY: i64 = 8;

/// Below -65536 labels are free for private use (RFC 8392 section 9.1).
pub(crate) const LABEL_ROLE: i64 = -65_537;
pub(crate) const LABEL_PERMISSIONS: i64 = -65_538;
pub(crate) const LABEL_SCOPE: i64 = -65_539;
pub(crate) const LABEL_DEVICE: i64 = -65_540;
pub(crate) const LABEL_NAME: i64 = -65_541;
pub(crate) const LABEL_JOB_TITLE: i64 = -65_542;
pub(crate) const LABEL_COMPANY: i64 = -65_543;
pub(crate) const LABEL_GROUPS: i64 = -65_544;

/// `COSE_Key` in `cnf`.
const LABEL_COSE_KEY: i64 = 1;
const KEY_TYPE: i64 = iana::KeyParameter::Kty as i64;
const KEY_CURVE: i64 = iana::OkpKeyParameter::Crv as i64;
const KEY_X: i64 = iana::OkpKeyParameter::X as i64;
const OKP: u64 = iana::KeyType::OKP as u64;
const ED25519: u64 = iana::EllipticCurve::Ed25519 as u64;

pub(crate) fn read_id(claims: &mut Claims) -> Result<CredentialId, CredentialError> {
    claims.bytes(LABEL_ID, "cti", "16 bytes").map(CredentialId)
}

pub(crate) fn read_issuer(claims: &mut Claims) -> Result<TenantId, CredentialError> {
    let wrong = CredentialError::Type { claim: "iss", expected: "a tenant's id" };
    match claims.take(LABEL_ISSUER, "iss")? {
        Value::Text(text) => TenantId::new(&text).map_err(|_| wrong),
        _ => Err(wrong),
    }
}

/// Reads the holder's key: an Ed25519 key (RFC 9053 section 7.2) and nothing beside it.
pub(crate) fn read_key(claims: &mut Claims) -> Result<PublicKey, CredentialError> {
    let mut holder = Claims::read(claims.take(LABEL_KEY, "cnf")?, "cnf")?;
    let mut key = Claims::read(holder.take(LABEL_COSE_KEY, "cnf")?, "cnf")?;
    holder.finish()?;
    if key.number(KEY_TYPE, "kty")? != OKP || key.number(KEY_CURVE, "crv")? != ED25519 {
        return Err(CredentialError::Key);
    }
    let bytes = key.bytes(KEY_X, "x", "32 bytes")?;
    key.finish()?;
    PublicKey::from_bytes(bytes).map_err(|_| CredentialError::Key)
}

pub(crate) fn write_key(key: &PublicKey) -> Value {
    let key = ClaimsWriter::default()
        .with(KEY_TYPE, OKP)
        .with(KEY_CURVE, ED25519)
        .with(KEY_X, Value::Bytes(key.as_bytes().to_vec()))
        .finish();
    ClaimsWriter::default().with(LABEL_COSE_KEY, key).finish()
}

pub(crate) fn check_tenant(expected: &TenantId, found: &TenantId) -> Result<(), CredentialError> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(CredentialError::Tenant { expected, found })
}
