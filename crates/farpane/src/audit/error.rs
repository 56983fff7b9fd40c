//! Why a log cannot be written or read.

use farpane_policy::audit::{AuditKey, HeadError};
use std::io;
use std::path::{Path, PathBuf};

/// Why the audit log takes or gives nothing. A session whose event could not be recorded ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// Another program, or another part of this one, writes it.
    #[error(
        "the audit log {} is being written by {owner}: a log has one writer; give each program a \
         folder of its own, or end the other one",
        .path.display()
    )]
    Busy {
        /// The folder.
        path: PathBuf,
        /// Who, as far as is known.
        owner: String,
    },
    /// There is no room for another record. The ends of sessions have a reserve.
    #[error("no room for the audit log {}: {source}; make room, then begin again", .path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log has as many segments or heads as it may have.
    #[error(
        "the audit log {} is full ({what}); move the folder away and keep it, a new one is begun",
        .path.display()
    )]
    Limit {
        /// The folder.
        path: PathBuf,
        /// What there are too many of.
        what: &'static str,
    },
    /// A file operation failed.
    #[error("cannot {what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A link, a device or a folder stands where a file should be.
    #[error("{} is no ordinary file; links are not followed", .path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the key, or write in the folder.
    #[error(
        "others have access to {} (mode {mode:03o}): take it away (chmod go-rwx), and begin a new \
         log if they may have used it",
        .path.display()
    )]
    Exposed {
        /// The file or the folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file holds no key.
    #[error(
        "{} holds no key: move the folder away and keep it, a new log is begun",
        .path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The log is not as it was left.
    #[error(
        "the audit log {} is damaged ({reason}): `farpane audit verify` says more; move the folder \
         away and keep it, a new log is begun",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In what way.
        reason: String,
    },
    /// There is no log.
    #[error("{} holds no audit log", .path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// An earlier record could not be made durable, so nothing may follow.
    #[error("the audit log {} takes no more since a record could not be written", .path.display())]
    Ended {
        /// The folder.
        path: PathBuf,
    },
    /// The system gives no random numbers for a key.
    #[error("the system gives no random numbers for the audit log's key")]
    NoRandomness,
    /// A peer has signed a head and shown none of its own.
    #[error("the peer signed with the key {by} before it showed a head of its own log")]
    NoPeer {
        /// The key with which it says to have signed.
        by: AuditKey,
    },
    /// A peer's head or signature is not accepted.
    #[error(transparent)]
    Head(#[from] HeadError),
}

impl AuditError {
    /// What the system said, as an error of its kind.
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        // A link that is not followed, a pipe without a reader, a folder opened for writing.
        let errors = [
            rustix::io::Errno::LOOP,
            rustix::io::Errno::NXIO,
            rustix::io::Errno::ISDIR,
            rustix::io::Errno::NOTDIR,
        ];
        let errno = rustix::io::Errno::from_io_error(&source);
        if errno.is_some_and(|errno| errors.contains(&errno)) {
            return Self::NotAFile { path };
        }
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { path, source }
            }
            _ => Self::Io { what, path, source },
        }
    }
}
