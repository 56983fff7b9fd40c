//! The audit log in a folder: durable before it says so, one writer, bounded, kept for a while.
//!
//! A folder holds one log: `key` (its secret key), `heads`, `lock`, and segments that are named
//! after the number of their first record. [`AuditLog`] writes, [`AuditReader`] looks at it
//! without changing anything. What stands in the files is of [`crate::policy::audit`].

mod error;
mod folder;
mod heads;
#[cfg_attr(not(test), expect(dead_code, reason = "no session writes to it"))]
mod journal;
mod key;
mod log;
mod reader;
mod recover;
mod segment;
#[cfg(test)]
mod tests;

pub use error::AuditError;
pub use log::{AuditLog, AuditOptions};
pub use reader::AuditReader;

/// Names of the files in a folder.
mod names {
    pub(super) const KEY: &str = "key";
    pub(super) const HEADS: &str = "heads";
    pub(super) const LOCK: &str = "lock";
    /// There while a cut has been made and is not yet recorded.
    pub(super) const CUT: &str = "cut";
    /// What a segment's name ends with, after 20 digits.
    pub(super) const SEGMENT: &str = ".audit";
    /// What a file is called until it is whole.
    pub(super) const UNFINISHED: &str = "unfinished";

    /// The name of the segment that begins with this record.
    pub(super) fn segment(first_sequence: u64) -> String {
        format!("{first_sequence:020}{SEGMENT}")
    }

    /// The number in a segment's name.
    pub(super) fn number(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(SEGMENT).filter(|digits| digits.len() == 20)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    }
}
