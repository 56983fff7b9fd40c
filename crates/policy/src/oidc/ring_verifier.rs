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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_algorithms_are_verified_each_by_keys_of_its_kind() {
        let rsa = DecodingKey::from_rsa_raw_components(&[0xff; 256], &[1, 0, 1]);
        let ec = DecodingKey::from_ec_der(&[4; 65]);
        let ed = DecodingKey::from_ed_der(&[4; 32]);
        let keys = [(Algorithm::RS256, &rsa), (Algorithm::ES256, &ec), (Algorithm::EdDSA, &ed)];
        for (algorithm, key) in keys {
            for (other, _) in keys {
                let verifier = verifier(other, key).map(|verifier| verifier.algorithm());
                match other == algorithm {
                    true => assert_eq!(verifier.ok(), Some(algorithm)),
                    false => assert_eq!(*verifier.unwrap_err().kind(), ErrorKind::InvalidKeyFormat),
                }
            }
        }
        let der = DecodingKey::from_rsa_der(&[0; 256]);
        let kind = |algorithm, key| verifier(algorithm, key).map(|_| ()).unwrap_err().into_kind();
        assert_eq!(kind(Algorithm::RS256, &der), ErrorKind::InvalidKeyFormat);
        for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
            assert_eq!(kind(algorithm, &rsa), ErrorKind::UnsupportedAlgorithm);
        }
        assert_eq!(kind(Algorithm::ES384, &ec), ErrorKind::UnsupportedAlgorithm);
    }
}
