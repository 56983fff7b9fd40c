//! The audit log: who helped whom, when and how far, in a chain that shows what was done to it.
//!
//! A log belongs to one Ed25519 key. Its records are numbered from 1; each holds the BLAKE3 hash
//! of the one before, its own hash, and the signature of its [`SignedHead`]. The peer signs heads
//! too, so that neither side can take back what both have seen. [`Chain`] makes the bytes,
//! [`Verifier`] reads them and names what is wrong; neither touches a file or a clock.
//! `docs/audit.md` has the format byte by byte.
//!
//! No record holds a keystroke, a pixel, a word of a chat or a byte of a file.

mod action;
mod anchor;
mod chain;
mod codec;
mod entry;
mod fields;
mod finding;
mod frame;
mod head;
mod key;
mod record;
mod retention;
mod session;
mod text;
mod verify;

pub use action::{Action, Feature};
pub use anchor::Anchor;
pub use chain::{Chain, Pending};
pub use entry::{Entry, Outcome, Party, Role, SessionId};
pub use fields::end_code;
pub use finding::{Finding, Note, Observation};
pub use frame::{Frame, FrameKind, FrameReader, HEADER_BYTES, MAX_FRAME_BYTES, Piece};
pub use head::{
    CROSS_SIGNED_HEAD_BYTES, CrossSignedHead, HeadError, SIGNED_HEAD_BYTES, SignedHead,
};
pub use key::{AuditKey, Hash, KeyError, LogId, Signer};
pub use record::{Record, RecordError};
pub use retention::{DAY_US, Retention, Segment};
pub use session::{Learned, Parties};
pub use text::{MAX_TEXT_BYTES, Text, TextError};
pub use verify::{MAX_HEADS, Report, Trust, Verifier};

/// The version of the format of records and anchors.
pub const FORMAT_VERSION: u8 = 1;
