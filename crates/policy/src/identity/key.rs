//! Ed25519 keys (RFC 8032). One pair a session, one a device, one an authority.

use super::{hex, sha256};
use ring::rand::SecureRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of the secret half.
pub const SEED_BYTES: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// What precedes the 32 key bytes in an Ed25519 SubjectPublicKeyInfo (RFC 8410 section 4).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The points of small order, without the sign bit, in every encoding that is accepted for them.
/// One signature by such a key is a signature of any message.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes; check that getrandom is allowed")]
    NoRandomness,
    /// A public key that proves nothing: one signature by it fits any message.
    #[error("the public key is a point of small order, which proves nothing")]
    SmallOrder,
    /// Not an Ed25519 key in the form that was expected.
    #[error("not {expected}")]
    Form {
        /// What was expected.
        expected: &'static str,
    },
}

/// A key pair. The secret half is wiped on drop and in no `Debug` output. What `ring` makes of it
/// while it signs lies on the stack and is not wiped.
#[derive(Clone)]
pub struct KeyPair {
    seed: Zeroizing<[u8; SEED_BYTES]>,
    public: PublicKey,
}

impl KeyPair {
    /// Makes a new one.
    ///
    /// # Errors
    /// `random` has nothing to give.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        random.fill(&mut *seed).map_err(|_| KeyError::NoRandomness)?;
        Self::from_seed(&seed)
    }

    /// The pair of this secret half.
    ///
    /// # Errors
    /// None that any seed is known to cause.
    pub fn from_seed(seed: &[u8; SEED_BYTES]) -> Result<Self, KeyError> {
        let wrong = KeyError::Form { expected: "the seed of an Ed25519 key" };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| wrong)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| wrong)?;
        Ok(Self { seed: Zeroizing::new(*seed), public: PublicKey(public) })
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The secret half, to be stored where only its owner reads it.
    pub fn seed(&self) -> &Zeroizing<[u8; SEED_BYTES]> {
        &self.seed
    }

    /// Signs `message`.
    ///
    /// # Panics
    /// Never: the seed was accepted when the pair was made.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let pair = Ed25519KeyPair::from_seed_and_public_key(&*self.seed, &self.public.0)
            .expect("both halves belong together");
        pair.sign(message).as_ref().try_into().expect("an Ed25519 signature has 64 bytes")
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A public key, never one of small order. `Display` gives its fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads the 32 bytes of RFC 8032.
    ///
    /// # Errors
    /// A point of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        let mut unsigned = bytes;
        unsigned[31] &= 0x7f;
        if SMALL_ORDER.contains(&hex(&unsigned).as_str()) {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(bytes))
    }

    /// Reads a DER SubjectPublicKeyInfo, as QUIC gives that of the other end.
    ///
    /// # Errors
    /// Not exactly an Ed25519 one, or a point of small order.
    pub fn from_spki(spki: &[u8]) -> Result<Self, KeyError> {
        let expected = "the SubjectPublicKeyInfo of an Ed25519 key (44 bytes)";
        let bytes = spki.strip_prefix(&SPKI_PREFIX).and_then(|bytes| bytes.try_into().ok());
        Self::from_bytes(bytes.ok_or(KeyError::Form { expected })?)
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn to_spki(&self) -> [u8; 44] {
        let mut spki = [0; 44];
        spki[..12].copy_from_slice(&SPKI_PREFIX);
        spki[12..].copy_from_slice(&self.0);
        spki
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key's name in credentials: the first 16 bytes of the SHA-256 of its
    /// SubjectPublicKeyInfo.
    pub fn id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&sha256(&[&self.to_spki()])[..16]);
        id
    }

    /// Whether `signature` is this key's, of `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<_> = self.id().chunks_exact(2).map(hex).collect();
        f.write_str(&groups.join("-"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex_decode;
    use super::*;

    #[test]
    fn keys_that_prove_nothing_are_refused_with_either_sign() {
        for text in SMALL_ORDER {
            let mut bytes: [u8; 32] = hex_decode(text).unwrap();
            assert_eq!(PublicKey::from_bytes(bytes), Err(KeyError::SmallOrder));
            bytes[31] |= 0x80;
            assert_eq!(PublicKey::from_bytes(bytes), Err(KeyError::SmallOrder));
        }
    }

    #[test]
    fn a_key_comes_back_from_its_spki_and_no_other_form_is_read() {
        let key = KeyPair::from_seed(&[7; 32]).unwrap().public_key();
        let spki = key.to_spki();
        assert_eq!(PublicKey::from_spki(&spki), Ok(key));
        let mut other = spki;
        other[8] = 0x71;
        for bad in [&spki[..43], &[spki.as_slice(), &[0]].concat(), &other, &[]] {
            assert!(matches!(PublicKey::from_spki(bad), Err(KeyError::Form { .. })));
        }
    }

    #[test]
    fn the_secret_half_is_in_no_debug_output() {
        let pair = KeyPair::from_seed(&[0xab; 32]).unwrap();
        let text = format!("{pair:?}");
        assert!(!text.contains("ab, ab") && !text.contains("171") && !text.contains("abab"));
        assert!(text.contains(&pair.public_key().to_string()));
    }
}
