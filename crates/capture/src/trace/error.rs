//! Why a trace cannot be read or written.

use farpane_frame::{Rect, Size};

/// Why a recorded desktop cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file cannot be read or written, or ends inside a record.
    #[error("the file is unusable or ends inside a record; make the recording again")]
    Io(#[from] std::io::Error),
    /// The file does not begin as a trace does.
    #[error("this is no farpane trace (it begins with {0:02x?})")]
    Magic([u8; 8]),
    /// A trace of another version.
    #[error("the trace has format version {found}, this program reads {known}; record it again")]
    Version {
        /// The file's.
        found: u16,
        /// This program's.
        known: u16,
    },
    /// A picture that is empty or larger than frames may be.
    #[error("a picture of {}x{} pixels is out of range", .0.width_px, .0.height_px)]
    Size(Size),
    /// A rectangle that is empty or leaves the picture.
    #[error(
        "the rectangle {rect:?} is not inside a picture of {}x{}",
        .size.width_px, .size.height_px
    )]
    Outside {
        /// Which.
        rect: Rect,
        /// The picture's size.
        size: Size,
    },
    /// A value that no writer writes.
    #[error("record {record}: {what}; the file is damaged")]
    Damaged {
        /// Records before it.
        record: u64,
        /// What is wrong.
        what: &'static str,
    },
}
