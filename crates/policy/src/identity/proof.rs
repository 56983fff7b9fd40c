//! Proofs: a credential's holder signs the connection, so the credential is of no use on another.

use super::key::{KeyPair, PublicKey, SIGNATURE_BYTES};
use std::fmt;

/// The label of the TLS exporter (RFC 9266 section 2). The context is absent.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";
/// Bytes of the TLS exporter (RFC 9266 section 2).
pub const EXPORTER_BYTES: usize = 32;
/// Bytes of a proof: its version and a signature.
pub const PROOF_BYTES: usize = 1 + SIGNATURE_BYTES;

const VERSION: u8 = 1;
/// No other signature of this product begins with it. Every field behind it has a fixed length.
const DOMAIN: &[u8] = b"farpane connection proof v1\0";

/// What both ends of one TLS connection know and nobody else. It has no `Debug` of its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Exporter([u8; EXPORTER_BYTES]);

impl Exporter {
    /// Takes what TLS exports under [`EXPORTER_LABEL`].
    ///
    /// # Errors
    /// All bytes are zero: the caller has exported nothing.
    pub fn new(bytes: [u8; EXPORTER_BYTES]) -> Result<Self, ProofError> {
        if bytes == [0; EXPORTER_BYTES] { Err(ProofError::NoExporter) } else { Ok(Self(bytes)) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8; EXPORTER_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter(..)")
    }
}

/// As what somebody signs. A proof sent back to its maker proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The person who helps, by the key of a grant or of a session.
    Helper,
    /// The person who is helped, by the key of a grant or of a session.
    Sharer,
    /// The shared machine, by the key of its certificate.
    Device,
}

impl Role {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Helper => "helper",
            Self::Sharer => "sharer",
            Self::Device => "device",
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Helper => 1,
            Self::Sharer => 2,
            Self::Device => 3,
        }
    }
}

/// What a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofInput {
    /// As what the signer takes part.
    pub role: Role,
    /// SHA-256 of the grant, certificate or token that the signer shows.
    pub credential: [u8; 32],
    /// The session's id.
    pub session: [u8; 16],
    /// The connection.
    pub exporter: Exporter,
}

impl ProofInput {
    fn message(&self) -> Vec<u8> {
        let fields: [&[u8]; 5] =
            [DOMAIN, &[self.role.byte()], &self.credential, &self.session, &self.exporter.0];
        fields.concat()
    }
}

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The exporter is empty.
    #[error("the TLS exporter is all zeros: export it when the handshake is complete")]
    NoExporter,
    /// Another number of bytes than a proof has.
    #[error("a proof has {PROOF_BYTES} bytes, not {bytes}")]
    Length {
        /// How many there are.
        bytes: usize,
    },
    /// A version that is not known.
    #[error("version {version} of proofs is not known (only 1 is)")]
    Version {
        /// Which.
        version: u8,
    },
    /// Made by another key, in another role, for another credential, session or connection.
    #[error("the proof is not by this key for this role, credential, session and connection")]
    Refused,
}

/// A signature of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof([u8; SIGNATURE_BYTES]);

impl Proof {
    /// Signs with the key that the credential names.
    pub fn sign(key: &KeyPair, input: &ProofInput) -> Self {
        Self(key.sign(&input.message()))
    }

    /// Whether the holder of `key` signed exactly this.
    ///
    /// # Errors
    /// Something of it differs; which, a signature does not tell.
    pub fn verify(&self, key: &PublicKey, input: &ProofInput) -> Result<(), ProofError> {
        if key.verify(&input.message(), &self.0) { Ok(()) } else { Err(ProofError::Refused) }
    }

    /// As it goes over the wire.
    pub fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        let mut bytes = [VERSION; PROOF_BYTES];
        bytes[1..].copy_from_slice(&self.0);
        bytes
    }

    /// Reads what [`Proof::to_bytes`] writes.
    ///
    /// # Errors
    /// Another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let proof: [u8; PROOF_BYTES] =
            bytes.try_into().map_err(|_| ProofError::Length { bytes: bytes.len() })?;
        match proof.split_first() {
            Some((&VERSION, signature)) => signature
                .try_into()
                .map(Self)
                .map_err(|_| ProofError::Length { bytes: bytes.len() }),
            _ => Err(ProofError::Version { version: proof[0] }),
        }
    }
}

#[cfg(test)]
mod tests;
