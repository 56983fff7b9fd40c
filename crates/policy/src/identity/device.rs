//! Devices: what a tenant says of a machine, and the certificate that says it.

use super::authority::Authority;
use super::key::PublicKey;
use super::trust::Trust;
use super::validity::Validity;
use super::{CredentialId, sha256};
use crate::cose::{self, Claims, ClaimsWriter, CredentialError, Kind, Text};
use crate::{DeviceId, GroupId, MAX_LISTED, Posture, TenantId};
use coset::cbor::Value;

/// Longest life of a device certificate: 398 days in seconds.
pub const MAX_DEVICE_S: u64 = 398 * 86_400;
/// Most findings of a device.
pub const MAX_FINDINGS: usize = 8;

const KIND: Kind =
    Kind { media_type: "application/farpane-device+cwt", max_bytes: crate::grant::MAX_GRANT_BYTES };

/// A machine, as the tenant knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id, of at most 128 characters.
    pub id: DeviceId,
    /// Whether the tenant manages it.
    pub enrolled: bool,
    /// Whether it keeps the tenant's rules.
    pub posture: Posture,
    /// What it does not keep, for people: at most 8 texts of at most 64 characters.
    pub findings: Vec<String>,
}

const LABEL_ID: i64 = 1;
const LABEL_ENROLLED: i64 = 2;
const LABEL_COMPLIANCE: i64 = 3;
const LABEL_FINDINGS: i64 = 4;

impl Device {
    pub(crate) fn read(value: Value) -> Result<Self, CredentialError> {
        let mut claims = Claims::read(value, "device")?;
        let posture = match claims.number(LABEL_COMPLIANCE, "compliance")? {
            0 => Posture::Unknown,
            1 => Posture::Compliant,
            2 => Posture::NotCompliant,
            _ => {
                return Err(CredentialError::Type { claim: "compliance", expected: "0, 1 or 2" });
            }
        };
        let device = Self {
            id: claims.id(LABEL_ID, "device id", DeviceId::new)?,
            enrolled: claims.flag(LABEL_ENROLLED, "enrolled")?,
            posture,
            findings: claims.texts(LABEL_FINDINGS, "findings", Text::Shown)?,
        };
        claims.finish()?;
        device.check()?;
        Ok(device)
    }

    pub(crate) fn write(&self) -> Value {
        let compliance = match self.posture {
            Posture::Unknown => 0,
            Posture::Compliant => 1,
            Posture::NotCompliant => 2,
        };
        ClaimsWriter::default()
            .with(LABEL_ID, self.id.as_str())
            .with(LABEL_ENROLLED, self.enrolled)
            .with(LABEL_COMPLIANCE, compliance)
            .with_texts(LABEL_FINDINGS, self.findings.iter().map(String::as_str))
            .finish()
    }

    pub(crate) fn check(&self) -> Result<(), CredentialError> {
        Text::Identifier.check(self.id.as_str(), "device id")?;
        cose::length("findings", self.findings.len(), 0, MAX_FINDINGS)?;
        self.findings.iter().try_for_each(|finding| Text::Shown.check(finding, "findings"))
    }
}

/// What a device certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceClaims {
    /// The certificate's own name.
    pub id: CredentialId,
    /// Whose device it is.
    pub tenant: TenantId,
    /// The device.
    pub device: Device,
    /// The groups that it is in: at most 64, in ascending order, of at most 128 characters each.
    pub groups: Vec<GroupId>,
    /// The key that the device signs with.
    pub key: PublicKey,
    /// When it counts: at most 398 days.
    pub validity: Validity,
}

impl DeviceClaims {
    fn check(&self) -> Result<(), CredentialError> {
        self.device.check()?;
        cose::set("groups", &self.groups, 0, MAX_LISTED)?;
        self.groups
            .iter()
            .try_for_each(|group| Text::Identifier.check(group.as_str(), "groups"))?;
        self.validity.check_span(MAX_DEVICE_S)
    }

    fn read(value: Value) -> Result<Self, CredentialError> {
        let mut claims = Claims::read(value, "claims")?;
        let read = Self {
            id: cose::read_id(&mut claims)?,
            tenant: cose::read_issuer(&mut claims)?,
            device: Device::read(claims.take(cose::LABEL_DEVICE, "device")?)?,
            groups: claims
                .texts(cose::LABEL_GROUPS, "groups", Text::Identifier)?
                .iter()
                .map(|group| cose::identifier(group, "groups", GroupId::new))
                .collect::<Result<_, _>>()?,
            key: cose::read_key(&mut claims)?,
            validity: Validity::read(&mut claims)?,
        };
        claims.finish()?;
        read.check()?;
        Ok(read)
    }

    fn write(&self) -> Value {
        let claims = ClaimsWriter::default()
            .with(cose::LABEL_ISSUER, self.tenant.as_str())
            .with(cose::LABEL_ID, Value::Bytes(self.id.0.to_vec()))
            .with(cose::LABEL_KEY, cose::write_key(&self.key))
            .with(cose::LABEL_DEVICE, self.device.write())
            .with_texts(cose::LABEL_GROUPS, self.groups.iter().map(GroupId::as_str));
        self.validity.write(claims).finish()
    }
}

/// A device certificate that was verified. Its life may have ended since: ask again for every
/// session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    claims: DeviceClaims,
    hash: [u8; 32],
}

impl DeviceCertificate {
    pub(crate) fn issue(
        authority: &Authority,
        claims: &DeviceClaims,
    ) -> Result<Vec<u8>, CredentialError> {
        cose::check_tenant(authority.tenant(), &claims.tenant)?;
        claims.check()?;
        Ok(cose::seal(KIND, &claims.write(), authority.key())?)
    }

    /// Verifies a certificate: signature, form, tenant, time (seconds since 1970), revocation.
    ///
    /// # Errors
    /// Says what is wrong. No bytes make it panic.
    pub fn verify(bytes: &[u8], trust: &Trust, now_s: u64) -> Result<Self, CredentialError> {
        let claims = DeviceClaims::read(cose::open(KIND, bytes, trust.tenant())?)?;
        trust.check(&claims.tenant, claims.id, claims.validity, now_s)?;
        Ok(Self { claims, hash: sha256(&[bytes]) })
    }

    /// What it says.
    pub fn claims(&self) -> &DeviceClaims {
        &self.claims
    }

    pub(crate) fn into_claims(self) -> DeviceClaims {
        self.claims
    }

    /// SHA-256 of its bytes, which proofs are bound to.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }
}
