//! Who is who: keys, the tenant and its authority, devices, what was revoked, and proofs that a
//! credential's holder is at the other end of this very connection.

mod authority;
mod device;
mod key;
mod pem;
mod proof;
mod revocation;
mod tenant;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
mod validity;

pub use crate::cose::{CborError, CredentialError, EnvelopeError};
pub use authority::Authority;
pub use device::{Device, DeviceCertificate, DeviceClaims, MAX_DEVICE_S, MAX_FINDINGS};
pub use key::{KeyError, KeyPair, PublicKey, SEED_BYTES, SIGNATURE_BYTES};
pub use proof::{
    EXPORTER_BYTES, EXPORTER_LABEL, Exporter, PROOF_BYTES, Proof, ProofError, ProofInput, Role,
};
pub use revocation::{MAX_REVOCATIONS_S, MAX_REVOKED, RevocationClaims};
pub use tenant::{MAX_AUTHORITY_KEYS, Tenant, TenantError};
pub use trust::{DEFAULT_SKEW_S, MAX_SKEW_S, Trust};
pub use validity::Validity;

use std::fmt;

/// The name of one credential, 16 random bytes. `Display` gives 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId(pub [u8; 16]);

impl CredentialId {
    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        hex_decode(text).map(Self)
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialId({self})")
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn hex_decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credentials_name_comes_back_from_its_text_and_has_one_spelling() {
        let id = CredentialId(std::array::from_fn(|at| 17 * at as u8));
        let text = id.to_string();
        assert_eq!(text, "00112233445566778899aabbccddeeff");
        assert_eq!(CredentialId::parse(&text), Some(id));
        let (short, long) = (&text[1..], format!("{text}0"));
        let (upper, other) = (text.to_uppercase(), text.replace('f', "g"));
        let wide = text.replace("ff", "é");
        for bad in ["", short, &long, &upper, &other, &wide] {
            assert_eq!(CredentialId::parse(bad), None, "{bad}");
        }
    }
}
