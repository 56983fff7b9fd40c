//! The key of a log, the log's name, and hashes.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::fmt;
use std::str::FromStr;

/// A BLAKE3 hash.
pub type Hash = [u8; 32];

/// BLAKE3's contexts: the same bytes hash differently for another purpose.
const LOG_ID: &str = "farpane audit 1 log id";
const GENESIS: &str = "farpane audit 1 genesis";

/// The public half of a log's key: 32 bytes of Ed25519. `Display` and `FromStr` use 64
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditKey(pub [u8; 32]);

/// Why a key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is not written as one.
    #[error("an audit key has 64 hexadecimal digits; `farpane audit verify` prints a log's key")]
    Text,
    /// The library does not take it.
    #[error("this is no Ed25519 key")]
    Refused,
}

impl AuditKey {
    /// The name of the log that this key signs.
    pub fn log_id(&self) -> LogId {
        let hash = derive(LOG_ID, &self.0);
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        LogId(id)
    }

    /// What stands in place of a hash before the first record.
    pub(super) fn genesis(&self) -> Hash {
        derive(GENESIS, &self.0)
    }

    /// Whether `signature` is this key's for `message` in this context.
    pub(super) fn verifies(&self, context: &str, message: &[u8], signature: &[u8; 64]) -> bool {
        let whole = [context.as_bytes(), message].concat();
        UnparsedPublicKey::new(&ED25519, &self.0).verify(&whole, signature).is_ok()
    }
}

impl FromStr for AuditKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut key = [0; 32];
        let digits: Vec<u32> =
            text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>().ok_or(KeyError::Text)?;
        if digits.len() != 2 * key.len() {
            return Err(KeyError::Text);
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = (16 * pair[0] + pair[1]) as u8;
        }
        Ok(Self(key))
    }
}

impl fmt::Display for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditKey({self})")
    }
}

/// A log's name: the first 16 bytes of a hash of its key, so that nobody else can sign for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(pub [u8; 16]);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogId({self})")
    }
}

/// The secret half of a log's key.
pub struct Signer {
    pair: Ed25519KeyPair,
    key: AuditKey,
}

impl Signer {
    /// The key pair of a seed: 32 random bytes, which the caller keeps and wipes.
    ///
    /// # Errors
    /// The library does not take it.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Refused)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Refused)?;
        Ok(Self { pair, key: AuditKey(public) })
    }

    /// The public half.
    pub fn key(&self) -> AuditKey {
        self.key
    }

    pub(super) fn sign(&self, context: &str, message: &[u8]) -> [u8; 64] {
        let whole = [context.as_bytes(), message].concat();
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(&whole).as_ref());
        signature
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key", &self.key).finish_non_exhaustive()
    }
}

pub(super) fn derive(context: &str, bytes: &[u8]) -> Hash {
    *blake3::Hasher::new_derive_key(context).update(bytes).finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_from_their_text() {
        let key = Signer::from_seed(&[7; 32]).unwrap().key();
        assert_eq!(key.to_string().parse(), Ok(key));
        let text = key.to_string();
        for bad in ["", "00", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "g")] {
            assert_eq!(bad.parse::<AuditKey>(), Err(KeyError::Text), "{bad}");
        }
    }

    #[test]
    fn a_signature_is_for_one_key_context_and_message() {
        let (a, b) = (Signer::from_seed(&[1; 32]).unwrap(), Signer::from_seed(&[2; 32]).unwrap());
        let signature = a.sign("x", b"message");
        assert!(a.key().verifies("x", b"message", &signature));
        assert!(!b.key().verifies("x", b"message", &signature));
        assert!(!a.key().verifies("y", b"message", &signature));
        assert!(!a.key().verifies("x", b"massage", &signature));
        assert_ne!(a.key().log_id(), b.key().log_id());
        assert_ne!(a.key().genesis(), b.key().genesis());
    }
}
