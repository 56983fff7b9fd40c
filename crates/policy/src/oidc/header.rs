//! A token's header: what it must say, and what it must not bring along.

use super::error::TokenError;
use super::{json, jwks};
use jsonwebtoken::Algorithm;
use serde_json::Value;

/// All that a header may have. `x5t` names a key as `kid` does, and is not looked at.
const MEMBERS: [&str; 4] = ["alg", "kid", "typ", "x5t"];

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: String,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, TokenError> {
        let header = json::object(bytes).map_err(TokenError::HeaderJson)?;
        if let Some(name) = header.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(TokenError::HeaderMember { name: name.clone() });
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let told = |name: &str| header.get(name).map_or("absent".into(), Value::to_string);
        let algorithm = match text("alg") {
            Some("RS256") => Algorithm::RS256,
            Some("ES256") => Algorithm::ES256,
            Some("EdDSA") => Algorithm::EdDSA,
            _ => return Err(TokenError::Algorithm { found: told("alg") }),
        };
        // Logout tokens, access tokens and the like must say what they are; ID tokens need not.
        if header.get("typ").is_some_and(|typ| typ != "JWT") {
            return Err(TokenError::Type { found: told("typ") });
        }
        let kid = text("kid").filter(|kid| jwks::is_key_id(kid)).ok_or(TokenError::KeyId)?;
        Ok(Self { algorithm, kid: kid.to_owned() })
    }
}
