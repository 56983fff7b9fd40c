//! People by OpenID Connect: ID tokens of Entra ID (and of what is federated with it), bound to
//! the key of one session, under one strict profile.
//!
//! Nothing here fetches anything. [`Validator::validate`] says when it needs the provider's keys;
//! the caller fetches them over TLS from the address that it was configured with, hands their
//! bytes to [`Validator::handle_keys`], and asks again.

mod claims;
mod error;
mod header;
mod json;
mod jwks;
mod nonce;
mod profile;
mod refresh;
mod ring_verifier;
mod validator;

pub use claims::IdToken;
pub use error::{JsonError, JwksError, KeyProblem, TokenError};
pub use jwks::{MAX_JWKS_BYTES, MAX_KEY_ID_CHARS, MAX_KEYS, MAX_RSA_BITS, MIN_RSA_BITS};
pub use nonce::{SALT_BYTES, SessionBinding};
pub use profile::{DEFAULT_MFA_AGE_S, MAX_MFA_AGE_S, Profile, ProfileError};
pub use refresh::{MAX_REFRESHES, REFRESH_S};
pub use validator::{MAX_KEYS_AGE_S, MAX_TOKEN_BYTES, MAX_TOKEN_S, Validator, Verdict};

#[cfg(test)]
pub(crate) mod tests;
