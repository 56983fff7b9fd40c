//! A provider's set of keys (RFC 7517). A set is refused as a whole when it is ambiguous; a key
//! that cannot be used only makes tokens by it fail.

use super::error::{JwksError, KeyProblem};
use super::json;
use crate::identity::PublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

/// Most bytes of a set.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;
/// Most keys of a set.
pub const MAX_KEYS: usize = 64;
/// Longest `kid` in characters.
pub const MAX_KEY_ID_CHARS: usize = 128;
/// Smallest RSA modulus in bits.
pub const MIN_RSA_BITS: usize = 2048;
/// Largest RSA modulus in bits: what `ring` verifies.
pub const MAX_RSA_BITS: usize = 8192;

/// 65,537, the exponent that every provider uses.
const RSA_EXPONENT: &[u8] = &[1, 0, 1];
/// Bytes of a coordinate of P-256 and of an Ed25519 key.
const POINT_BYTES: usize = 32;
/// Members that only private and symmetric keys have (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A set of keys, each with its own name.
#[derive(Debug)]
pub(super) struct Jwks(Vec<(String, Result<Key, KeyProblem>)>);

/// A key that verifies tokens of one algorithm.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl Jwks {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, JwksError> {
        if bytes.len() > MAX_JWKS_BYTES {
            return Err(JwksError::TooLarge { bytes: bytes.len(), most: MAX_JWKS_BYTES });
        }
        let set = json::object(bytes)?;
        let list = set.get("keys").and_then(Value::as_array).ok_or(JwksError::Shape)?;
        let count = list.len();
        if count == 0 || count > MAX_KEYS {
            return Err(JwksError::Count { count, most: MAX_KEYS });
        }
        let mut keys: Vec<(String, _)> = Vec::with_capacity(count);
        for (at, key) in list.iter().enumerate() {
            let key = key.as_object().ok_or(JwksError::Shape)?;
            let kid = key.get("kid").and_then(Value::as_str).filter(|kid| is_key_id(kid));
            let kid = kid.ok_or(JwksError::KeyId { at })?.to_owned();
            if keys.iter().any(|(known, _)| *known == kid) {
                return Err(JwksError::TwoKeys { kid });
            }
            keys.push((kid, read_key(key)));
        }
        Ok(Self(keys))
    }

    /// The key of this name, or why it verifies nothing.
    pub(super) fn get(&self, kid: &str) -> Option<Result<&Key, &KeyProblem>> {
        self.0.iter().find(|(known, _)| known == kid).map(|(_, key)| key.as_ref())
    }
}

pub(super) fn is_key_id(kid: &str) -> bool {
    !kid.is_empty() && kid.len() <= MAX_KEY_ID_CHARS && kid.bytes().all(|b| b.is_ascii_graphic())
}

fn read_key(key: &Map<String, Value>) -> Result<Key, KeyProblem> {
    if PRIVATE.iter().any(|member| key.contains_key(*member)) {
        return Err(KeyProblem::Private);
    }
    if key.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err(KeyProblem::Use);
    }
    if let Some(operations) = key.get("key_ops") {
        let list = operations.as_array().ok_or(KeyProblem::Use)?;
        if !list.iter().any(|operation| operation == "verify") {
            return Err(KeyProblem::Use);
        }
    }
    let text = |part: &str| key.get(part).and_then(Value::as_str);
    let (algorithm, name, key_of): (_, _, fn(&Map<String, Value>) -> _) =
        match (text("kty"), text("crv")) {
            (Some("RSA"), _) => (Algorithm::RS256, "RS256", rsa),
            (Some("EC"), Some("P-256")) => (Algorithm::ES256, "ES256", p256),
            (Some("OKP"), Some("Ed25519")) => (Algorithm::EdDSA, "EdDSA", ed25519),
            _ => return Err(KeyProblem::Type),
        };
    if key.get("alg").is_some_and(|alg| alg != name) {
        return Err(KeyProblem::Algorithm { expected: name });
    }
    Ok(Key { algorithm, key: key_of(key)? })
}

fn rsa(key: &Map<String, Value>) -> Result<DecodingKey, KeyProblem> {
    let (n, e) = (part(key, "n")?, part(key, "e")?);
    // RFC 7518 section 6.3.1.1: no zero bytes in front.
    let first = n.first().filter(|first| **first != 0).ok_or(KeyProblem::Form { part: "n" })?;
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(KeyProblem::RsaBits { bits });
    }
    if e != RSA_EXPONENT {
        return Err(KeyProblem::RsaExponent);
    }
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

fn p256(key: &Map<String, Value>) -> Result<DecodingKey, KeyProblem> {
    let mut point = vec![4]; // uncompressed (SEC 1 section 2.3.3)
    for name in ["x", "y"] {
        let coordinate = part(key, name)?;
        if coordinate.len() != POINT_BYTES {
            return Err(KeyProblem::Form { part: name });
        }
        point.extend(coordinate);
    }
    Ok(DecodingKey::from_ec_der(&point))
}

fn ed25519(key: &Map<String, Value>) -> Result<DecodingKey, KeyProblem> {
    let wrong = KeyProblem::Form { part: "x" };
    let x: [u8; POINT_BYTES] = part(key, "x")?.try_into().map_err(|_| wrong.clone())?;
    let key = PublicKey::from_bytes(x).map_err(|_| wrong)?;
    Ok(DecodingKey::from_ed_der(key.as_bytes()))
}

fn part(key: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, KeyProblem> {
    let text = key.get(name).and_then(Value::as_str);
    let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes.ok_or(KeyProblem::Form { part: name })
}
