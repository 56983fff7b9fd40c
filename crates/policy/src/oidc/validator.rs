//! Validates tokens with the provider's keys, and says when it needs newer ones.

use super::claims::IdToken;
use super::error::{JwksError, TokenError};
use super::header::Header;
use super::jwks::{Jwks, Key};
use super::nonce::SessionBinding;
use super::profile::Profile;
use super::refresh::Refreshes;
use super::ring_verifier::verifier;
use crate::identity::sha256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Most bytes of a token.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Longest life of a token: a day in seconds.
pub const MAX_TOKEN_S: u64 = 86_400;
/// How long a set of keys is used, in seconds: a key that a provider has withdrawn counts for no
/// longer.
pub const MAX_KEYS_AGE_S: u64 = 86_400;

/// Validates the tokens of one provider.
///
/// After [`Verdict::KeysNeeded`], fetch the provider's keys, give them to
/// [`Validator::handle_keys`], and validate the token again. Tokens whose key is not there are
/// refused meanwhile.
#[derive(Debug)]
pub struct Validator {
    profile: Profile,
    keys: Option<(Jwks, u64)>,
    refreshes: Refreshes,
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is valid, for this session.
    Verified(Box<IdToken>),
    /// The provider may have a key that is not here. Fetch its keys.
    KeysNeeded,
}

impl Validator {
    /// Validates by `profile`, with no keys yet.
    pub fn new(profile: Profile) -> Self {
        Self { profile, keys: None, refreshes: Refreshes::default() }
    }

    /// The rules.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Takes in the provider's keys, as they were fetched at `now_s` (seconds since 1970). They
    /// replace the former ones.
    ///
    /// # Errors
    /// They are no set of keys that has one meaning; the former ones stay.
    pub fn handle_keys(&mut self, bytes: &[u8], now_s: u64) -> Result<(), JwksError> {
        self.keys = Some((Jwks::read(bytes)?, now_s));
        Ok(())
    }

    /// Validates `token` for the session of `binding` at `now_s` (seconds since 1970).
    ///
    /// # Errors
    /// Says what is wrong. No token makes it panic.
    pub fn validate(
        &mut self,
        token: &str,
        binding: &SessionBinding,
        now_s: u64,
    ) -> Result<Verdict, TokenError> {
        let parts = Parts::read(token)?;
        let header = Header::read(&parts.header)?;
        // Keys from the future were fetched before the clock was set back.
        let fresh = |at_s: u64| at_s <= now_s && now_s - at_s < MAX_KEYS_AGE_S;
        let keys = self.keys.as_ref().filter(|(_, at_s)| fresh(*at_s)).map(|(keys, _)| keys);
        let Some(key) = keys.and_then(|keys| keys.get(&header.kid)) else {
            if self.refreshes.allows(&header.kid, now_s) {
                return Ok(Verdict::KeysNeeded);
            }
            return Err(TokenError::UnknownKey { kid: header.kid });
        };
        let key = key.map_err(|problem| TokenError::Key {
            kid: header.kid.clone(),
            problem: problem.clone(),
        })?;
        parts.verify(&header, key)?;
        let hash = sha256(&[token.as_bytes()]);
        let token = IdToken::read(&parts.claims, &self.profile, &binding.nonce(), now_s, hash)?;
        Ok(Verdict::Verified(Box::new(token)))
    }
}

/// A token in compact form (RFC 7515 section 7.1).
struct Parts<'a> {
    message: &'a str,
    header: Vec<u8>,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn read(token: &'a str) -> Result<Self, TokenError> {
        let (bytes, most) = (token.len(), MAX_TOKEN_BYTES);
        if bytes > most {
            return Err(TokenError::TooLarge { bytes, most });
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Shape)?;
        let (header, claims) = message.split_once('.').ok_or(TokenError::Shape)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Shape);
        let (header, claims) = (decode(header)?, decode(claims)?);
        Ok(Self { message, header, claims, signature: decode(signature)? })
    }

    fn verify(&self, header: &Header, key: &Key) -> Result<(), TokenError> {
        if header.algorithm != key.algorithm {
            let expected = match key.algorithm {
                jsonwebtoken::Algorithm::RS256 => "RS256",
                jsonwebtoken::Algorithm::ES256 => "ES256",
                _ => "EdDSA",
            };
            return Err(TokenError::KeyAlgorithm { kid: header.kid.clone(), expected });
        }
        let verifier = verifier(key.algorithm, &key.key).map_err(|_| TokenError::Signature)?;
        let verdict = verifier.verify(self.message.as_bytes(), &self.signature);
        verdict.map_err(|_| TokenError::Signature)
    }
}
