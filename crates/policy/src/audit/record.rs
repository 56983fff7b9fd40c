//! A record: an entry with its place in the chain.

use super::FORMAT_VERSION;
use super::codec::{Reader, Writer};
use super::entry::Entry;
use super::head::SignedHead;
use super::key::{AuditKey, Hash, LogId, derive};
use super::text::{Text, TextError};
use crate::rights::Mode;

const RECORD: &str = "farpane audit 1 record";
/// A record's own hash and the signature of its head, after what they are of.
const TRAILER_BYTES: usize = 32 + 64;

/// A record as it stands in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The hash of the record before.
    pub previous: Hash,
    /// The log that it was written for.
    pub log: LogId,
    /// Its number, from 1. What orders records is this, never a clock.
    pub sequence: u64,
    /// What it tells.
    pub entry: Entry,
    /// BLAKE3 of `previous` and of the bytes of all that follows it.
    pub hash: Hash,
    /// The log's signature of this record's head.
    pub signature: [u8; 64],
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// They end too early.
    #[error("the record ends too early")]
    Short,
    /// Something follows them.
    #[error("{bytes} bytes after the record's end")]
    Surplus {
        /// How many.
        bytes: usize,
    },
    /// They are of another version.
    #[error("format version {version}; this program knows {FORMAT_VERSION}: update it")]
    Version {
        /// Theirs.
        version: u8,
    },
    /// They hold a code that this program does not know.
    #[error("unknown code `{code}`; a newer program may know it")]
    Code {
        /// The code, readably.
        code: Text,
    },
    /// Neither there nor absent.
    #[error("flag {flag}; only 0 and 1 have a meaning")]
    Flag {
        /// The byte.
        flag: u8,
    },
    /// A set holds what this program does not know.
    #[error("capabilities {bits:#06x}; a newer program may know them")]
    Capabilities {
        /// The set, one bit a capability.
        bits: u16,
    },
    /// A mode with too few or too many capabilities.
    #[error("capabilities {bits:#06x} do not fit the mode `{mode}`")]
    Rights {
        /// The mode.
        mode: Mode,
        /// The set, one bit a capability.
        bits: u16,
    },
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A text may not stand in a record.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The hash is of other bytes.
    #[error("the hash is not of these bytes")]
    Hash,
}

impl RecordError {
    pub(super) fn unknown(code: &str) -> Self {
        Self::Code { code: Text::escaped(code) }
    }
}

impl Record {
    /// Reads the payload of a frame and checks the hash. Who signed it is left to
    /// [`SignedHead::is_genuine`] of [`Record::head`].
    ///
    /// # Errors
    /// The hash is of other bytes, or they are no record of this version.
    pub fn from_bytes(payload: &[u8]) -> Result<Self, RecordError> {
        Self::of(&Outline::from_bytes(payload)?)
    }

    pub(super) fn of(outline: &Outline<'_>) -> Result<Self, RecordError> {
        let Outline { previous, version, log, sequence, hash, signature, .. } = *outline;
        if version != FORMAT_VERSION {
            return Err(RecordError::Version { version });
        }
        let mut reader = Reader(outline.entry);
        let entry = Entry::read(&mut reader)?;
        reader.end()?;
        Ok(Self { previous, log, sequence, entry, hash, signature })
    }

    /// The payload of its frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = covered(&self.previous, self.log, self.sequence, &self.entry);
        bytes.extend(self.hash);
        bytes.extend(self.signature);
        bytes
    }

    /// Its head, if `key` is the log's.
    pub fn head(&self, key: AuditKey) -> SignedHead {
        SignedHead {
            key,
            sequence: self.sequence,
            hash: self.hash,
            time_us: self.entry.time_us,
            signature: self.signature,
        }
    }
}

/// What all versions of records have in the same place, checked against the hash.
pub(super) struct Outline<'a> {
    pub(super) previous: Hash,
    version: u8,
    pub(super) log: LogId,
    pub(super) sequence: u64,
    pub(super) time_us: u64,
    pub(super) hash: Hash,
    pub(super) signature: [u8; 64],
    entry: &'a [u8],
}

impl<'a> Outline<'a> {
    pub(super) fn from_bytes(payload: &'a [u8]) -> Result<Self, RecordError> {
        let covered = payload.len().checked_sub(TRAILER_BYTES).ok_or(RecordError::Short)?;
        let (covered, trailer) = payload.split_at(covered);
        let mut trailer = Reader(trailer);
        let (hash, signature) = (trailer.array()?, trailer.array()?);
        if derive(RECORD, covered) != hash {
            return Err(RecordError::Hash);
        }
        let mut reader = Reader(covered);
        let (previous, version) = (reader.array()?, reader.byte()?);
        let (log, sequence) = (LogId(reader.array()?), reader.number()?);
        let entry = reader.0;
        let time_us = reader.number()?;
        Ok(Self { previous, version, log, sequence, time_us, hash, signature, entry })
    }

    /// The head that its signature is of, if `key` is the log's.
    pub(super) fn head(&self, key: AuditKey) -> SignedHead {
        let Self { sequence, hash, time_us, signature, .. } = *self;
        SignedHead { key, sequence, hash, time_us, signature }
    }
}

/// The hash that a record has.
pub(super) fn hash(previous: &Hash, log: LogId, sequence: u64, entry: &Entry) -> Hash {
    derive(RECORD, &covered(previous, log, sequence, entry))
}

/// What a record's hash is of.
fn covered(previous: &Hash, log: LogId, sequence: u64, entry: &Entry) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(previous);
    writer.byte(FORMAT_VERSION);
    writer.bytes(&log.0);
    writer.number(sequence);
    entry.write(&mut writer);
    writer.0
}

#[cfg(test)]
impl Outline<'_> {
    /// A record of the same log and number with other bytes for an entry.
    pub(super) fn with_entry(&self, signer: &super::Signer, entry: &[u8]) -> Vec<u8> {
        let (sequence, time_us) = (self.sequence, self.time_us);
        let mut bytes = [&self.previous[..], &[self.version], &self.log.0].concat();
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(time_us.to_be_bytes());
        bytes.extend(entry);
        let hash = derive(RECORD, &bytes);
        bytes.extend(hash);
        bytes.extend(SignedHead::sign(signer, sequence, hash, time_us).signature);
        bytes
    }
}

#[cfg(test)]
mod tests;
