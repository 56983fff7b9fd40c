//! A provider with one key of each kind, which signs whatever it is told to.

use super::*;
use crate::TenantId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use std::sync::LazyLock;

pub(crate) const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
pub(crate) const APP: &str = "6cb04018-a3f5-46a7-b995-940c78f5aef3";
/// For tests only, and public.
const RSA_KEY: &[u8] = include_bytes!("../../../tests/keys/rsa-2048.pk8");

pub(crate) const SIGNERS: [Signer; 3] = [Signer::Rsa, Signer::P256, Signer::Ed25519];

/// The provider's keys, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    Rsa,
    P256,
    Ed25519,
}

static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::from_pkcs8(RSA_KEY).unwrap());
static P256: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap()
});

impl Signer {
    pub(crate) fn algorithm(self) -> &'static str {
        match self {
            Self::Rsa => "RS256",
            Self::P256 => "ES256",
            Self::Ed25519 => "EdDSA",
        }
    }

    pub(crate) fn kid(self) -> String {
        format!("key-{}", self.algorithm())
    }

    pub(crate) fn header(self) -> Value {
        json!({ "alg": self.algorithm(), "typ": "JWT", "kid": self.kid() })
    }

    pub(crate) fn jwk(self) -> Value {
        let (kid, alg) = (self.kid(), self.algorithm());
        match self {
            Self::Rsa => {
                let PublicKeyComponents::<Vec<u8>> { n, e } = RSA.public().into();
                json!({ "kty": "RSA", "use": "sig", "alg": alg, "kid": kid,
                        "n": b64(n), "e": b64(e), "x5c": ["ignored"] })
            }
            Self::P256 => {
                let point = P256.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": kid,
                        "x": b64(&point[1..33]), "y": b64(&point[33..]) })
            }
            Self::Ed25519 => json!({ "kty": "OKP", "crv": "Ed25519", "alg": alg, "kid": kid,
                                     "key_ops": ["verify"],
                                     "x": b64(key(20).public_key().as_bytes()) }),
        }
    }

    pub(crate) fn sign(self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa => {
                let mut signature = vec![0; RSA.public().modulus_len()];
                RSA.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256 => P256.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519 => key(20).sign(message).to_vec(),
        }
    }

    /// A token with these claims.
    pub(crate) fn token(self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), &claims.to_string())
    }

    /// A token of any texts, truly signed.
    pub(crate) fn token_of(self, header: &str, claims: &str) -> String {
        self.token_of_bytes(header.as_bytes(), claims.as_bytes())
    }

    pub(crate) fn token_of_bytes(self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", b64(header), b64(claims));
        let signature = b64(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// A valid token but for one claim, which is replaced or left out.
    pub(crate) fn with(self, claim: &str, value: impl Into<Option<Value>>) -> String {
        let mut claims = claims();
        match value.into() {
            Some(value) => claims[claim] = value,
            None => drop(claims.as_object_mut().unwrap().remove(claim)),
        }
        self.token(&claims)
    }

    /// A valid token but for one member of its header.
    pub(crate) fn with_header(self, member: &str, value: impl Into<Option<Value>>) -> String {
        let mut header = self.header();
        match value.into() {
            Some(value) => header[member] = value,
            None => drop(header.as_object_mut().unwrap().remove(member)),
        }
        self.token_of(&header.to_string(), &claims().to_string())
    }
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A provider that tells of a second factor by `amr`.
pub(crate) fn profile() -> Profile {
    let issuer = format!("https://login.example/{TENANT}/v2.0");
    Profile::new(&issuer, &TenantId::new(TENANT).unwrap(), APP).unwrap()
}

pub(crate) fn entra() -> Profile {
    let entra = Profile::entra(&TenantId::new(TENANT).unwrap(), APP, "c7").unwrap();
    Profile { issuer: profile().issuer, ..entra }
}

pub(crate) fn binding() -> SessionBinding {
    SessionBinding { key: key(11).public_key(), salt: [7; 32] }
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": profile().issuer(), "tid": TENANT, "aud": APP,
        "oid": "00000000-0000-0000-66f3-3332eca7ea81", "sub": "AAAAAAAAAAAAAAIkzqFVrSaSaFHy7",
        "exp": NOW_S + 3600, "nbf": NOW_S, "iat": NOW_S, "auth_time": NOW_S - 600,
        "amr": ["pwd", "mfa"], "nonce": binding().nonce(),
        "name": "Ada Lovelace", "jobTitle": "Help desk", "companyName": "Contoso",
        "roles": ["HelpDeskOperator"], "ver": "2.0",
    })
}

pub(crate) fn jwks(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

/// A validator that knows all three keys.
pub(crate) fn validator() -> Validator {
    let mut validator = Validator::new(profile());
    validator.handle_keys(&jwks(&SIGNERS.map(Signer::jwk)), NOW_S).unwrap();
    validator
}
