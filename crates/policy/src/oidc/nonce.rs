//! What binds a token to a session: its nonce is a hash of the session's key.

use crate::identity::{PublicKey, sha256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of the salt.
pub const SALT_BYTES: usize = 32;
/// Nothing else that this product hashes begins with it.
const DOMAIN: &[u8] = b"farpane oidc nonce v1\0";

/// One session's key with a salt that was made for it. The provider sees only their hash; the
/// peer is told both, and checks that the hash is in the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionBinding {
    /// The key that signs the proof over the connection.
    pub key: PublicKey,
    /// Random bytes, new for every sign-in.
    pub salt: [u8; SALT_BYTES],
}

impl SessionBinding {
    /// The `nonce` for the authorization request: base64url of SHA-256, 43 characters.
    pub fn nonce(&self) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&[DOMAIN, self.key.as_bytes(), &self.salt]))
    }
}
