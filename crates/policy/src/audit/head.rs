//! Heads: what a log was at one moment, in 144 bytes that its key has signed, and the peer's
//! signature of them.

use super::codec::{Reader, Writer};
use super::frame::{FrameKind, frame};
use super::key::{AuditKey, Hash, LogId, Signer};
use super::record::RecordError;

const HEAD: &str = "farpane audit 1 head";
const CROSS: &str = "farpane audit 1 cross-signature";

/// Bytes of a [`SignedHead`].
pub const SIGNED_HEAD_BYTES: usize = 32 + 8 + 32 + 8 + 64;
/// Bytes of a [`CrossSignedHead`].
pub const CROSS_SIGNED_HEAD_BYTES: usize = SIGNED_HEAD_BYTES + 32 + 64;

/// A log's newest record at one moment, signed by the log's key. Whoever has it can prove that
/// the log had this record, and so all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedHead {
    /// The log's key.
    pub key: AuditKey,
    /// The record's number; 0 while there is none.
    pub sequence: u64,
    /// The record's hash.
    pub hash: Hash,
    /// The record's time, in microseconds since 1970 (UTC).
    pub time_us: u64,
    /// The log's signature.
    pub signature: [u8; 64],
}

/// A head that somebody else's log has signed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrossSignedHead {
    /// The head.
    pub head: SignedHead,
    /// The key of who has signed it too.
    pub by: AuditKey,
    /// That signature.
    pub signature: [u8; 64],
}

/// Why a head is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The bytes are none.
    #[error("{bytes} bytes are no head; {expected} would be")]
    Length {
        /// How many there are.
        bytes: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The log's key did not sign it.
    #[error("the head of record {sequence} is not signed by its log's key")]
    Forged {
        /// The record that it names.
        sequence: u64,
    },
    /// The peer's key did not sign it.
    #[error("the head of record {sequence} is not cross-signed by the key {by}")]
    WrongCrossSignature {
        /// The record that it names.
        sequence: u64,
        /// The key that should have signed.
        by: AuditKey,
    },
    /// It is of another log than was expected.
    #[error("a head of the log {log}, which is not the one that was expected")]
    OtherLog {
        /// Whose it is.
        log: LogId,
    },
    /// The log has another record there, or none.
    #[error("the head of record {sequence} is not of this log as it is; the log was forked or cut")]
    Forked {
        /// The record that it names.
        sequence: u64,
    },
}

impl SignedHead {
    pub(super) fn sign(signer: &Signer, sequence: u64, hash: Hash, time_us: u64) -> Self {
        let mut head = Self { key: signer.key(), sequence, hash, time_us, signature: [0; 64] };
        head.signature = signer.sign(HEAD, &head.signed());
        head
    }

    /// Whether the log's own key signed it.
    pub fn is_genuine(&self) -> bool {
        self.key.verifies(HEAD, &self.signed(), &self.signature)
    }

    /// Adds the signature of another log's key, after which that log's owner answers for having
    /// seen it. Look at [`SignedHead::is_genuine`] first.
    pub fn cross_sign(&self, signer: &Signer) -> CrossSignedHead {
        let signature = signer.sign(CROSS, &self.signed());
        CrossSignedHead { head: *self, by: signer.key(), signature }
    }

    /// For the wire and for files.
    pub fn to_bytes(&self) -> [u8; SIGNED_HEAD_BYTES] {
        let mut writer = Writer::default();
        writer.bytes(&self.key.0);
        writer.number(self.sequence);
        writer.bytes(&self.hash);
        writer.number(self.time_us);
        writer.bytes(&self.signature);
        let mut bytes = [0; SIGNED_HEAD_BYTES];
        bytes.copy_from_slice(&writer.0);
        bytes
    }

    /// The frame of it, for a file of heads.
    pub fn to_frame(&self) -> Vec<u8> {
        frame(FrameKind::Head, &self.to_bytes())
    }

    /// Reads what [`SignedHead::to_bytes`] wrote. Checks no signature.
    ///
    /// # Errors
    /// The length is another.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let wrong = HeadError::Length { bytes: bytes.len(), expected: SIGNED_HEAD_BYTES };
        let mut reader = Reader(bytes);
        let head = Self::read(&mut reader).map_err(|_| wrong)?;
        reader.end().map_err(|_| wrong)?;
        Ok(head)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            key: AuditKey(reader.array()?),
            sequence: reader.number()?,
            hash: reader.array()?,
            time_us: reader.number()?,
            signature: reader.array()?,
        })
    }

    /// What both signatures are of.
    fn signed(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.bytes(&self.key.log_id().0);
        writer.number(self.sequence);
        writer.bytes(&self.hash);
        writer.number(self.time_us);
        writer.0
    }
}

impl CrossSignedHead {
    /// Checks both signatures.
    ///
    /// # Errors
    /// One is not of the key that it names.
    pub fn check(&self) -> Result<(), HeadError> {
        let sequence = self.head.sequence;
        if !self.head.is_genuine() {
            return Err(HeadError::Forged { sequence });
        }
        // A log that confirms itself confirms nothing.
        let own = self.by == self.head.key;
        if own || !self.by.verifies(CROSS, &self.head.signed(), &self.signature) {
            return Err(HeadError::WrongCrossSignature { sequence, by: self.by });
        }
        Ok(())
    }

    /// For the wire and for files.
    pub fn to_bytes(&self) -> [u8; CROSS_SIGNED_HEAD_BYTES] {
        let mut bytes = [0; CROSS_SIGNED_HEAD_BYTES];
        let whole = [&self.head.to_bytes()[..], &self.by.0, &self.signature].concat();
        bytes.copy_from_slice(&whole);
        bytes
    }

    /// The frame of it, for a file of heads.
    pub fn to_frame(&self) -> Vec<u8> {
        frame(FrameKind::CrossSigned, &self.to_bytes())
    }

    /// Reads what [`CrossSignedHead::to_bytes`] wrote. Checks no signature.
    ///
    /// # Errors
    /// The length is another.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let wrong = HeadError::Length { bytes: bytes.len(), expected: CROSS_SIGNED_HEAD_BYTES };
        let mut reader = Reader(bytes);
        let head = SignedHead::read(&mut reader).map_err(|_| wrong)?;
        let by = AuditKey(reader.array().map_err(|_| wrong)?);
        let signature = reader.array().map_err(|_| wrong)?;
        reader.end().map_err(|_| wrong)?;
        Ok(Self { head, by, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_come_back_and_no_changed_bit_passes() {
        let (ours, theirs) =
            (Signer::from_seed(&[1; 32]).unwrap(), Signer::from_seed(&[2; 32]).unwrap());
        let cross = SignedHead::sign(&ours, 9, [3; 32], 1_700_000_000_000_000).cross_sign(&theirs);
        assert_eq!(cross.check(), Ok(()));
        let bytes = cross.to_bytes();
        assert_eq!(CrossSignedHead::from_bytes(&bytes), Ok(cross));
        let mut refused = 0;
        for at in 0..bytes.len() {
            let mut changed = bytes;
            changed[at] ^= 1 << (at % 8);
            assert!(CrossSignedHead::from_bytes(&changed).unwrap().check().is_err(), "byte {at}");
            assert!(CrossSignedHead::from_bytes(&bytes[..at]).is_err());
            refused += 2;
        }
        println!("audit: {refused} negative cases: heads");
    }

    #[test]
    fn a_log_cannot_confirm_itself() {
        let ours = Signer::from_seed(&[1; 32]).unwrap();
        let cross = SignedHead::sign(&ours, 1, [0; 32], 0).cross_sign(&ours);
        let expected = HeadError::WrongCrossSignature { sequence: 1, by: ours.key() };
        assert_eq!(cross.check(), Err(expected));
    }
}
