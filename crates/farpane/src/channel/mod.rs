//! What goes between the two ends beside the screen: files, secrets, and rights in their own words.

mod disk;
mod files;
mod inbox;
mod outbox;
mod rights;
mod room;
mod secret;
#[cfg(test)]
mod tests;

pub use disk::{ArrivingFile, open_file};
pub use files::{FileEvent, FileId, FileProblem, MAX_FILES};
pub(crate) use files::{Files, Gate, Tell};
pub(crate) use rights::{posture_byte, posture_of, reach_of, rights_of, wire_reach, wire_rights};
pub(crate) use room::BlobRoom;
pub use secret::{MAX_SECRET_BYTES, Secret, SecretError};
pub(crate) use secret::{Opener, SEAL_LABEL, Sealer};
