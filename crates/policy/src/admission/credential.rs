//! What an end can show of itself: bytes within their bounds, not verified yet.

use super::error::PresentedError;
use super::wire::{Reader, Writer};
use crate::grant::MAX_GRANT_BYTES;
use crate::identity::{PublicKey, sha256};
use crate::oidc::SessionBinding;

/// Most bytes of a message: what a control message holds.
pub const MAX_PRESENTED_BYTES: usize = 16 * 1024 - 64;
/// Most bytes of a grant or a device certificate.
pub const MAX_CREDENTIAL_BYTES: usize = MAX_GRANT_BYTES;
/// Most bytes of an ID token: what is left of a message beside the largest certificate. Those of
/// Entra ID have one to two thousand.
pub const MAX_PRESENTED_TOKEN_BYTES: usize = 7 * 1024 + 512;

const GRANT: u8 = 1;
const TOKEN: u8 = 2;

/// What a person shows: a grant, or an ID token of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential(pub(super) Form);

/// The two kinds of a person's credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Grant(Vec<u8>),
    Token { token: String, binding: SessionBinding },
}

impl Credential {
    /// A grant, as the tenant's authority signed it.
    ///
    /// # Errors
    /// It is empty or has more than 8 KiB.
    pub fn grant(bytes: Vec<u8>) -> Result<Self, PresentedError> {
        check_length("grant", bytes.len(), MAX_CREDENTIAL_BYTES)?;
        Ok(Self(Form::Grant(bytes)))
    }

    /// An ID token, with the session's key and the salt that its nonce was made of.
    ///
    /// # Errors
    /// It is empty, has more than 7.5 KiB, or is not visible ASCII.
    pub fn token(token: String, binding: SessionBinding) -> Result<Self, PresentedError> {
        check_length("token", token.len(), MAX_PRESENTED_TOKEN_BYTES)?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PresentedError::Token);
        }
        Ok(Self(Form::Token { token, binding }))
    }

    /// SHA-256 of the grant or token, to which its proof is bound.
    pub(super) fn hash(&self) -> [u8; 32] {
        match &self.0 {
            Form::Grant(bytes) => sha256(&[bytes]),
            Form::Token { token, .. } => sha256(&[token.as_bytes()]),
        }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        match &self.0 {
            Form::Grant(bytes) => {
                to.byte(GRANT);
                to.counted(bytes);
            }
            Form::Token { token, binding } => {
                to.byte(TOKEN);
                to.bytes(binding.key.as_bytes());
                to.bytes(&binding.salt);
                to.counted(token.as_bytes());
            }
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, PresentedError> {
        match from.byte()? {
            GRANT => Self::grant(from.counted("grant", MAX_CREDENTIAL_BYTES)?.to_vec()),
            TOKEN => {
                let key = PublicKey::from_bytes(from.array()?).map_err(PresentedError::Key)?;
                let binding = SessionBinding { key, salt: from.array()? };
                let token = from.counted("token", MAX_PRESENTED_TOKEN_BYTES)?;
                let token = str::from_utf8(token).map_err(|_| PresentedError::Token)?;
                Self::token(token.to_owned(), binding)
            }
            kind => Err(PresentedError::Kind { of: "credential", kind }),
        }
    }
}

/// What a machine shows: its device certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// A device certificate, as the tenant's authority signed it.
    ///
    /// # Errors
    /// It is empty or has more than 8 KiB.
    pub fn new(bytes: Vec<u8>) -> Result<Self, PresentedError> {
        check_length("certificate", bytes.len(), MAX_CREDENTIAL_BYTES)?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 of its bytes, to which its proof is bound.
    pub(super) fn hash(&self) -> [u8; 32] {
        sha256(&[&self.0])
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.counted(&self.0);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, PresentedError> {
        Self::new(from.counted("certificate", MAX_CREDENTIAL_BYTES)?.to_vec())
    }
}

fn check_length(of: &'static str, bytes: usize, most: usize) -> Result<(), PresentedError> {
    match (1..=most).contains(&bytes) {
        true => Ok(()),
        false => Err(PresentedError::Length { of, bytes, most }),
    }
}
