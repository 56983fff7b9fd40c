//! One Ed25519 key pair per session, used as a raw public key (RFC 7250).

use std::fmt;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use rustls::crypto::ring::sign::any_eddsa_type;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use zeroize::Zeroizing;

/// Length of an Ed25519 SubjectPublicKeyInfo in DER (RFC 8410 section 4).
pub const PUBLIC_KEY_BYTES: usize = 44;

/// What precedes the 32 key bytes in an Ed25519 SubjectPublicKeyInfo (RFC 8410 section 4).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What precedes the 32 seed bytes in an Ed25519 PKCS#8 v1 key (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const SEED_BYTES: usize = 32;

/// A session's own key pair.
///
/// Made fresh for every session and never written anywhere. The seed is wiped as soon as the
/// signing key exists; the expanded key lives inside `ring`, which does not wipe it on drop.
#[derive(Clone)]
pub struct Identity {
    signing: Arc<dyn SigningKey>,
    public: PublicKey,
}

/// Why no identity could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes; check that getrandom is allowed")]
    NoRandomness,
    /// The key could not be built from the random bytes.
    #[error("the key could not be built: {0}")]
    Key(String),
}

impl Identity {
    /// Makes a new key pair from the operating system's random numbers.
    pub fn generate() -> Result<Self, IdentityError> {
        let mut pkcs8 = Zeroizing::new([0u8; PKCS8_PREFIX.len() + SEED_BYTES]);
        pkcs8[..PKCS8_PREFIX.len()].copy_from_slice(&PKCS8_PREFIX);
        SystemRandom::new()
            .fill(&mut pkcs8[PKCS8_PREFIX.len()..])
            .map_err(|_| IdentityError::NoRandomness)?;
        let signing = any_eddsa_type(&PrivatePkcs8KeyDer::from(&pkcs8[..]))
            .map_err(|error| IdentityError::Key(error.to_string()))?;
        let spki = signing
            .public_key()
            .ok_or_else(|| IdentityError::Key("it has no public half".to_owned()))?;
        let public = PublicKey::from_spki(spki.as_ref())
            .ok_or_else(|| IdentityError::Key("its public half is not Ed25519".to_owned()))?;
        Ok(Self { signing, public })
    }

    /// The public half, which the other side sees and pins.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        let spki = CertificateDer::from(self.public.0.to_vec());
        Arc::new(CertifiedKey::new(vec![spki], self.signing.clone()))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("public", &self.public).finish_non_exhaustive()
    }
}

/// An Ed25519 public key as SubjectPublicKeyInfo. `Display` gives its fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; PUBLIC_KEY_BYTES]);

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo; `None` unless it is exactly an Ed25519 one.
    pub fn from_spki(spki: &[u8]) -> Option<Self> {
        let bytes: [u8; PUBLIC_KEY_BYTES] = spki.try_into().ok()?;
        bytes.starts_with(&SPKI_PREFIX).then_some(Self(bytes))
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn as_spki(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.0
    }

    /// The first 16 bytes of the key's SHA-256 as eight groups of four hexadecimal digits, for
    /// people to compare.
    pub fn fingerprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.0);
        let groups: Vec<String> = digest.as_ref()[..16]
            .chunks_exact(2)
            .map(|pair| format!("{:02x}{:02x}", pair[0], pair[1]))
            .collect();
        groups.join("-")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_identities_differ_and_survive_the_round_trip() {
        let (a, b) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        assert_ne!(a.public_key(), b.public_key());
        let again = PublicKey::from_spki(a.public_key().as_spki()).unwrap();
        assert_eq!(again, a.public_key());
        assert_eq!(again.fingerprint().len(), 8 * 4 + 7);
    }

    #[test]
    fn only_an_exact_ed25519_key_is_accepted() {
        let spki = *Identity::generate().unwrap().public_key().as_spki();
        assert!(PublicKey::from_spki(&spki[1..]).is_none());
        assert!(PublicKey::from_spki(&[&spki[..], &[0]].concat()).is_none());
        for index in 0..SPKI_PREFIX.len() {
            let mut bad = spki;
            bad[index] ^= 1;
            assert!(PublicKey::from_spki(&bad).is_none());
        }
    }

    #[test]
    fn debug_output_shows_no_private_key() {
        let text = format!("{:?}", Identity::generate().unwrap());
        assert!(text.starts_with("Identity { public: PublicKey("), "{text}");
    }
}
