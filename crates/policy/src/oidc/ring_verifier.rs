//! The signatures of tokens by `ring`, in the form that `jsonwebtoken` takes libraries in. Three
//! algorithms are there, and nothing that signs.

use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

/// What verifies tokens that say `algorithm`, with `key`.
///
/// # Errors
/// Another algorithm than RS256, ES256 and EdDSA, or a key of another kind.
pub(super) fn verifier(
    algorithm: Algorithm,
    key: &DecodingKey,
) -> Result<Box<dyn JwtVerifier>, Error> {
    let wrong_key = || Error::from(ErrorKind::InvalidKeyFormat);
    if key.family() != algorithm.family() {
        return Err(wrong_key());
    }
    match (algorithm, key.kind()) {
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Ok(Box::new(Rsa(RsaPublicKeyComponents { n: n.clone(), e: e.clone() })))
        }
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
            Ok(Box::new(Point(algorithm, &ECDSA_P256_SHA256_FIXED, point.clone())))
        }
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(point)) => {
            Ok(Box::new(Point(algorithm, &ED25519, point.clone())))
        }
        (Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA, _) => Err(wrong_key()),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}

struct Rsa(RsaPublicKeyComponents<Vec<u8>>);

impl Verifier<Vec<u8>> for Rsa {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verdict = self.0.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature);
        verdict.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Rsa {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

struct Point(Algorithm, &'static dyn VerificationAlgorithm, Vec<u8>);

impl Verifier<Vec<u8>> for Point {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verdict = UnparsedPublicKey::new(self.1, &self.2).verify(message, signature);
        verdict.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Point {
    fn algorithm(&self) -> Algorithm {
        self.0
    }
}
