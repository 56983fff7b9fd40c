//! What a look at a log brings up.

use super::key::{AuditKey, LogId};
use super::record::Record;
use std::fmt;

/// Something that is not as the log's writer left it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A record's bytes are not those that were hashed.
    Changed {
        /// Its number, by its place.
        sequence: u64,
    },
    /// A record that the log's key did not sign.
    Forged {
        /// The number that it claims.
        sequence: u64,
    },
    /// Records are missing.
    Removed {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// A record stands behind a later one.
    Reordered {
        /// Its number.
        sequence: u64,
        /// The number of the one before it in the file.
        after: u64,
    },
    /// A record stands there twice.
    Repeated {
        /// Its number.
        sequence: u64,
    },
    /// Records before the first one are missing, and no record says that they were dropped.
    StartRemoved {
        /// The first record that is there.
        first: u64,
        /// The one that should be the first.
        expected: u64,
    },
    /// The log's own key confirms a record beyond the last one.
    Truncated {
        /// The last record that is there; 0 when there is none.
        last: u64,
        /// The record that the head confirms.
        confirmed: u64,
    },
    /// The log's own key signed two different records with one number, or two histories.
    Forked {
        /// The log.
        log: LogId,
        /// The number.
        sequence: u64,
    },
    /// A head that its log's key did not sign.
    WrongHead {
        /// The record that it names.
        sequence: u64,
    },
    /// A head's second signature is not of the key that it names, or that key is none of those
    /// that the peer may have.
    WrongCrossSignature {
        /// The record that it names.
        sequence: u64,
        /// The key that it names.
        by: AuditKey,
    },
    /// A record or a segment of another log.
    OtherLog {
        /// The other log.
        log: LogId,
    },
    /// The log is not of the key that was expected.
    OtherKey {
        /// The key that it is of.
        key: AuditKey,
    },
    /// A segment's anchor is missing, is not signed by the log's key, or does not fit the records
    /// before it.
    WrongAnchor {
        /// The segment, by the number in its name.
        segment: u64,
    },
    /// Bytes that are no frame, between others.
    Unreadable {
        /// The segment, by the number in its name; `None` for the file of heads.
        segment: Option<u64>,
        /// Where they begin, in bytes.
        offset: u64,
        /// How many there are.
        bytes: u64,
    },
    /// The last record or the last head was not finished. Opening the log cuts it off and says so.
    Torn {
        /// The segment, by the number in its name; `None` for the file of heads.
        segment: Option<u64>,
        /// Where it begins, in bytes.
        offset: u64,
        /// How much of it there is.
        bytes: u64,
    },
    /// A record that the log's key signed and that this program cannot read.
    Unknown {
        /// Its number, by its place.
        sequence: u64,
        /// Why.
        reason: String,
    },
    /// There are more heads than are looked at.
    TooManyHeads {
        /// How many were looked at.
        checked: u64,
    },
    /// There is no record.
    Empty,
}

impl Finding {
    /// What it is, for scripts. A code never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::Forged { .. } => "forged",
            Self::Removed { .. } => "removed",
            Self::Reordered { .. } => "reordered",
            Self::Repeated { .. } => "repeated",
            Self::StartRemoved { .. } => "start-removed",
            Self::Truncated { .. } => "truncated",
            Self::Forked { .. } => "forked",
            Self::WrongHead { .. } => "wrong-head",
            Self::WrongCrossSignature { .. } => "wrong-cross-signature",
            Self::OtherLog { .. } => "other-log",
            Self::OtherKey { .. } => "other-key",
            Self::WrongAnchor { .. } => "wrong-anchor",
            Self::Unreadable { .. } => "unreadable",
            Self::Torn { .. } => "torn",
            Self::Unknown { .. } => "unknown",
            Self::TooManyHeads { .. } => "too-many-heads",
            Self::Empty => "empty",
        }
    }

    /// The record that it is about, if it is about one.
    pub fn sequence(&self) -> Option<u64> {
        match self {
            Self::Changed { sequence }
            | Self::Forged { sequence }
            | Self::Removed { first: sequence, .. }
            | Self::Reordered { sequence, .. }
            | Self::Repeated { sequence }
            | Self::StartRemoved { first: sequence, .. }
            | Self::Truncated { confirmed: sequence, .. }
            | Self::Forked { sequence, .. }
            | Self::WrongHead { sequence }
            | Self::WrongCrossSignature { sequence, .. }
            | Self::Unknown { sequence, .. } => Some(*sequence),
            _ => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { sequence } => write!(f, "record {sequence} was changed"),
            Self::Forged { sequence } => {
                write!(f, "record {sequence} is forged: the log's key did not sign it")
            }
            Self::Removed { first, last } if first == last => {
                write!(f, "record {first} was removed")
            }
            Self::Removed { first, last } => write!(f, "records {first} to {last} were removed"),
            Self::Reordered { sequence, after } => {
                write!(f, "record {sequence} was moved: it stands behind record {after}")
            }
            Self::Repeated { sequence } => write!(f, "record {sequence} stands there twice"),
            Self::StartRemoved { first, expected } => write!(
                f,
                "the log begins with record {first}, but no record says that those from \
                 {expected} on were dropped"
            ),
            Self::Truncated { last, confirmed } => write!(
                f,
                "the log was cut: it ends with record {last}, but a signed head confirms record \
                 {confirmed}"
            ),
            Self::Forked { log, sequence } => write!(
                f,
                "the log {log} was forked: its key signed two histories that differ at record \
                 {sequence}"
            ),
            Self::WrongHead { sequence } => {
                write!(f, "a head of record {sequence} is not signed by its log's key")
            }
            Self::WrongCrossSignature { sequence, by } => write!(
                f,
                "the cross-signature of record {sequence} that names the key {by} is wrong: it is \
                 not of that key, or that key is not the peer's"
            ),
            Self::OtherLog { log } => write!(f, "a part of another log, {log}"),
            Self::OtherKey { key } => {
                write!(f, "the log is of the key {key}, which is not the one expected")
            }
            Self::WrongAnchor { segment } => write!(
                f,
                "the anchor of segment {segment} is missing, forged or does not fit the records \
                 before it"
            ),
            Self::Unreadable { segment, offset, bytes } => {
                write!(f, "{}: {bytes} bytes from byte {offset} on are no record", Place(*segment))
            }
            Self::Torn { segment, offset, bytes } => write!(
                f,
                "{}: what begins at byte {offset} was not finished ({bytes} bytes); opening the \
                 log for writing cuts it off and records that",
                Place(*segment)
            ),
            Self::Unknown { sequence, reason } => {
                write!(f, "record {sequence} is signed but cannot be read: {reason}")
            }
            Self::TooManyHeads { checked } => {
                write!(f, "only {checked} heads were looked at; there are more")
            }
            Self::Empty => f.write_str("there is no record"),
        }
    }
}

struct Place(Option<u64>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(segment) => write!(f, "segment {segment}"),
            None => f.write_str("the heads"),
        }
    }
}

/// Something worth knowing that is in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The wall clock was set back before this record. Order is by number.
    ClockSetBack {
        /// The record.
        sequence: u64,
        /// By how much, in microseconds.
        by_us: u64,
    },
    /// The log was opened, and an unfinished record cut off, before this record.
    Cut {
        /// The record that says so.
        sequence: u64,
        /// How much was cut.
        bytes: u64,
    },
    /// Records were dropped because they were old.
    Dropped {
        /// The first that is kept.
        first_kept: u64,
    },
    /// The program that writes the log is at it: an unfinished end is no finding.
    BeingWritten,
    /// No peer has confirmed these last records: who holds the log's key could still take them
    /// back.
    Unconfirmed {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
}

impl Note {
    /// What it is, for scripts. A code never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ClockSetBack { .. } => "clock-set-back",
            Self::Cut { .. } => "cut",
            Self::Dropped { .. } => "dropped",
            Self::BeingWritten => "being-written",
            Self::Unconfirmed { .. } => "unconfirmed",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockSetBack { sequence, by_us } => write!(
                f,
                "before record {sequence} the clock was set back by {}.{:06} s",
                by_us / 1_000_000,
                by_us % 1_000_000
            ),
            Self::Cut { sequence, bytes } => write!(
                f,
                "record {sequence}: {bytes} bytes of an unfinished record were cut off after a \
                 crash"
            ),
            Self::Dropped { first_kept } => {
                write!(f, "records before {first_kept} were dropped when they had become old")
            }
            Self::BeingWritten => f.write_str("the log is being written"),
            Self::Unconfirmed { first, last } => {
                write!(f, "no peer has confirmed the records {first} to {last}")
            }
        }
    }
}

/// What a [`Verifier`](super::Verifier) tells, in the order in which it meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Something is wrong.
    Finding(Finding),
    /// Something is worth knowing.
    Note(Note),
    /// A whole record that the log's key signed.
    Record(Box<Record>),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lists are what scripts rely on: codes are added and never change.
    #[test]
    fn codes_of_findings_and_notes_are_the_documented_ones() {
        let (log, key) = (LogId([0; 16]), AuditKey([0; 32]));
        let (sequence, segment, offset, bytes) = (7, None, 0, 1);
        let findings = [
            (Finding::Changed { sequence }, "changed", Some(7)),
            (Finding::Forged { sequence }, "forged", Some(7)),
            (Finding::Removed { first: 7, last: 9 }, "removed", Some(7)),
            (Finding::Reordered { sequence, after: 9 }, "reordered", Some(7)),
            (Finding::Repeated { sequence }, "repeated", Some(7)),
            (Finding::StartRemoved { first: 7, expected: 1 }, "start-removed", Some(7)),
            (Finding::Truncated { last: 5, confirmed: 7 }, "truncated", Some(7)),
            (Finding::Forked { log, sequence }, "forked", Some(7)),
            (Finding::WrongHead { sequence }, "wrong-head", Some(7)),
            (Finding::WrongCrossSignature { sequence, by: key }, "wrong-cross-signature", Some(7)),
            (Finding::OtherLog { log }, "other-log", None),
            (Finding::OtherKey { key }, "other-key", None),
            (Finding::WrongAnchor { segment: 7 }, "wrong-anchor", None),
            (Finding::Unreadable { segment, offset, bytes }, "unreadable", None),
            (Finding::Torn { segment, offset, bytes }, "torn", None),
            (Finding::Unknown { sequence, reason: String::new() }, "unknown", Some(7)),
            (Finding::TooManyHeads { checked: 7 }, "too-many-heads", None),
            (Finding::Empty, "empty", None),
        ];
        for (finding, code, about) in findings {
            assert_eq!((finding.code(), finding.sequence()), (code, about));
        }
        let notes = [
            (Note::ClockSetBack { sequence, by_us: 1 }, "clock-set-back"),
            (Note::Cut { sequence, bytes }, "cut"),
            (Note::Dropped { first_kept: 7 }, "dropped"),
            (Note::BeingWritten, "being-written"),
            (Note::Unconfirmed { first: 7, last: 9 }, "unconfirmed"),
        ];
        notes.into_iter().for_each(|(note, code)| assert_eq!(note.code(), code));
    }
}
