//! What a segment begins with: where in the chain it stands, signed, so that a log is verifiable
//! from its first kept record on.

use super::FORMAT_VERSION;
use super::codec::{Reader, Writer};
use super::key::{AuditKey, Hash, Signer};
use super::record::RecordError;

const ANCHOR: &str = "farpane audit 1 anchor";

/// The place of a segment in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The log's key.
    pub key: AuditKey,
    /// The number of the segment's first record.
    pub first_sequence: u64,
    /// The hash of the record before it.
    pub previous: Hash,
    /// When the segment was begun, in microseconds since 1970 (UTC).
    pub time_us: u64,
    /// The log's signature.
    pub signature: [u8; 64],
}

impl Anchor {
    pub(super) fn sign(signer: &Signer, first_sequence: u64, previous: Hash, time_us: u64) -> Self {
        let key = signer.key();
        let mut anchor = Self { key, first_sequence, previous, time_us, signature: [0; 64] };
        anchor.signature = signer.sign(ANCHOR, &anchor.signed());
        anchor
    }

    /// Whether the log's own key signed it.
    pub fn is_genuine(&self) -> bool {
        self.key.verifies(ANCHOR, &self.signed(), &self.signature)
    }

    /// Reads the payload of a frame. Checks no signature.
    ///
    /// # Errors
    /// It is no anchor of this version.
    pub fn from_bytes(payload: &[u8]) -> Result<Self, RecordError> {
        let mut reader = Reader(payload);
        let version = reader.byte()?;
        if version != FORMAT_VERSION {
            return Err(RecordError::Version { version });
        }
        let anchor = Self {
            key: AuditKey(reader.array()?),
            first_sequence: reader.number()?,
            previous: reader.array()?,
            time_us: reader.number()?,
            signature: reader.array()?,
        };
        reader.end()?;
        Ok(anchor)
    }

    /// The payload of its frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.signed();
        bytes.extend(self.signature);
        bytes
    }

    fn signed(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.byte(FORMAT_VERSION);
        writer.bytes(&self.key.0);
        writer.number(self.first_sequence);
        writer.bytes(&self.previous);
        writer.number(self.time_us);
        writer.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_come_back_and_no_changed_bit_passes() {
        let signer = Signer::from_seed(&[1; 32]).unwrap();
        let anchor = Anchor::sign(&signer, 17, [4; 32], 5);
        let bytes = anchor.to_bytes();
        assert_eq!(Anchor::from_bytes(&bytes), Ok(anchor));
        assert!(anchor.is_genuine());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(!Anchor::from_bytes(&changed).is_ok_and(|anchor| anchor.is_genuine()));
            assert!(Anchor::from_bytes(&bytes[..at]).is_err());
        }
        println!("audit: {} negative cases: anchors", 2 * bytes.len());
    }
}
