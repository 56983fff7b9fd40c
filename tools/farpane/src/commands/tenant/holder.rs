//! Whose key a credential is for.

use anyhow::{Context, Result};
use farpane_policy::identity::{KeyPair, PublicKey};
use ring::rand::SystemRandom;

#[derive(clap::Args)]
pub(crate) struct Holder {
    /// The holder's Ed25519 public key, 64 hexadecimal digits; its secret half need then never
    /// leave the holder's machine. When absent, a pair is made.
    #[arg(long, value_name = "HEX")]
    public_key: Option<String>,
}

impl Holder {
    /// The public key, and the pair if it was made here.
    pub(crate) fn key(&self) -> Result<(PublicKey, Option<KeyPair>)> {
        let Some(text) = &self.public_key else {
            let pair = KeyPair::generate(&SystemRandom::new())?;
            return Ok((pair.public_key(), Some(pair)));
        };
        let bytes = bytes(text).context("--public-key: give 64 hexadecimal digits")?;
        Ok((PublicKey::from_bytes(bytes).context("--public-key")?, None))
    }
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}
