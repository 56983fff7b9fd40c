//! An administrator's name and password, from the helper's hands into the sharer's prompt.
//!
//! They are sealed with a key that only the two ends of one connection have, so that what passes
//! through buffers of the transport is ciphertext, and overwritten as soon as nobody holds them.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The label of the TLS exporter that gives the key.
pub(crate) const SEAL_LABEL: &[u8] = b"EXPORTER-farpane-credentials";
/// The longest name and password together, in bytes.
pub const MAX_SECRET_BYTES: usize = 512;
const NUMBER_BYTES: usize = 8;
const LENGTH_BYTES: usize = 2;

/// Why a secret could not be made, sent or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// No prompt takes that much.
    #[error("name and password have {bytes} bytes; at most {MAX_SECRET_BYTES} are sent")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// It was not sealed for this connection, or not as the next one.
    #[error("the credentials were not sealed by the other end of this connection")]
    Refused,
}

/// A name and a password. Copies share one memory, which is overwritten when the last goes. No
/// form of it shows what it holds.
#[derive(Clone)]
pub struct Secret {
    /// The name's length, the name, the password.
    bytes: Arc<Zeroizing<Vec<u8>>>,
}

impl Secret {
    /// Takes copies of both; the caller overwrites its own.
    ///
    /// # Errors
    /// They are too long.
    pub fn new(name: &str, password: &str) -> Result<Self, SecretError> {
        let bytes = name.len() + password.len();
        if bytes > MAX_SECRET_BYTES {
            return Err(SecretError::TooLong { bytes });
        }
        // Never grows, so that no copy is left behind.
        let mut all = Zeroizing::new(Vec::with_capacity(LENGTH_BYTES + bytes));
        all.extend_from_slice(&(name.len() as u16).to_be_bytes());
        all.extend_from_slice(name.as_bytes());
        all.extend_from_slice(password.as_bytes());
        Ok(Self { bytes: Arc::new(all) })
    }

    fn of_bytes(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
        let (name, password) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let valid = rest.len() <= MAX_SECRET_BYTES
            && str::from_utf8(name).is_ok()
            && str::from_utf8(password).is_ok();
        valid.then(|| Self { bytes: Arc::new(bytes) })
    }

    fn parts(&self) -> (&str, &str) {
        let (length, rest) = self.bytes.split_at(LENGTH_BYTES);
        let (name, password) = rest.split_at(u16::from_be_bytes([length[0], length[1]]).into());
        (str::from_utf8(name).unwrap_or_default(), str::from_utf8(password).unwrap_or_default())
    }

    /// The administrator's name.
    pub fn name(&self) -> &str {
        self.parts().0
    }

    /// The password. Hand it to the prompt and to nothing else.
    pub fn password(&self) -> &str {
        self.parts().1
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    /// Whether both are copies of one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }
}

impl Eq for Secret {}

/// The helper's half: seals one after the other.
pub(crate) struct Sealer(Counted);

/// The sharer's half: opens each once, and none that came before another.
pub(crate) struct Opener(Counted);

struct Counted {
    key: Zeroizing<[u8; 32]>,
    next: u64,
}

impl Counted {
    /// The key, and the nonce with this number.
    fn key(&self, number: u64) -> Option<(LessSafeKey, Nonce)> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &*self.key).ok()?;
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - NUMBER_BYTES..].copy_from_slice(&number.to_be_bytes());
        Some((LessSafeKey::new(key), Nonce::assume_unique_for_key(nonce)))
    }
}

impl Sealer {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(Counted { key, next: 0 })
    }

    /// The secret as only the other end can read it: its number, then ciphertext.
    pub(crate) fn seal(&mut self, secret: &Secret) -> Option<Vec<u8>> {
        let number = self.0.next;
        let (key, nonce) = self.0.key(number)?;
        self.0.next += 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(secret.bytes.len()));
        bytes.extend_from_slice(&secret.bytes);
        let aad = Aad::from(number.to_be_bytes());
        let tag = key.seal_in_place_separate_tag(nonce, aad, &mut bytes).ok()?;
        Some([&number.to_be_bytes()[..], &bytes, tag.as_ref()].concat())
    }
}

impl Opener {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(Counted { key, next: 0 })
    }

    /// Reads what the other end sealed.
    ///
    /// # Errors
    /// It did not, or it came before, or is out of bounds.
    pub(crate) fn open(&mut self, sealed: &[u8]) -> Result<Secret, SecretError> {
        let (number, sealed) =
            sealed.split_first_chunk::<NUMBER_BYTES>().ok_or(SecretError::Refused)?;
        let (number, aad) = (u64::from_be_bytes(*number), Aad::from(*number));
        if number < self.0.next || number == u64::MAX {
            return Err(SecretError::Refused);
        }
        let (key, nonce) = self.0.key(number).ok_or(SecretError::Refused)?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let opened = key.open_in_place(nonce, aad, &mut bytes);
        let plain = opened.map_err(|_| SecretError::Refused)?.len();
        self.0.next = number + 1;
        bytes.truncate(plain);
        Secret::of_bytes(bytes).ok_or(SecretError::Refused)
    }
}
