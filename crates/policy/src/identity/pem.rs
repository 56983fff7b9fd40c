//! Keys as text: PKCS#8 in PEM (RFC 8410 section 7, RFC 7468), which other programs read too.

use super::key::{KeyError, KeyPair, SEED_BYTES};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// What precedes the 32 seed bytes in an Ed25519 PKCS#8 v1 key.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

impl KeyPair {
    /// The key as PEM, to be stored where only its owner reads it. Wiped on drop.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let mut der = Zeroizing::new([0; PKCS8_PREFIX.len() + SEED_BYTES]);
        der[..PKCS8_PREFIX.len()].copy_from_slice(&PKCS8_PREFIX);
        der[PKCS8_PREFIX.len()..].copy_from_slice(&**self.seed());
        let body = Zeroizing::new(STANDARD.encode(der.as_slice()));
        Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", &*body))
    }

    /// Reads what [`KeyPair::to_pem`] writes.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let expected = "a PEM file with an Ed25519 private key (PKCS#8)";
        let wrong = KeyError::Form { expected };
        let body = text.trim().strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END));
        let der = STANDARD.decode(body.ok_or(wrong)?.trim()).map(Zeroizing::new);
        let der = der.map_err(|_| wrong)?;
        let seed = der.strip_prefix(&PKCS8_PREFIX).ok_or(wrong)?;
        let seed = Zeroizing::new(<[u8; SEED_BYTES]>::try_from(seed).map_err(|_| wrong)?);
        Self::from_seed(&seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_other_texts_are_refused() {
        let pair = KeyPair::from_seed(&[9; 32]).unwrap();
        let pem = pair.to_pem();
        assert_eq!(KeyPair::from_pem(&pem).unwrap().public_key(), pair.public_key());
        let bad = ["", "x", BEGIN, END, &pem[1..], &pem[..70], &pem.replace("MC4", "MC5")];
        for text in bad {
            assert!(matches!(KeyPair::from_pem(text), Err(KeyError::Form { .. })), "{text}");
        }
    }
}
