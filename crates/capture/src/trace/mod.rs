//! A recorded desktop: a file of timed changes.
//!
//! ```text
//! file    = magic[8] version:u16 zstd(record*)
//! record  = kind:u8 pause_us:u32 body       (pause since the record before; little endian)
//! 1 size  = width:u16 height:u16            (a new generation: all black)
//! 2 frame = count:u16 {x:u16 y:u16 width:u16 height:u16}*count {blue green red}*pixels
//! 3 cursor = x:i32 y:i32 flags:u8 [serial:u64 width:u16 height:u16 hot_x:u16 hot_y:u16 bgra]
//! ```
//! Flags: 1 visible, 2 a shape follows. The records are one zstd stream, whose window of
//! 2^[`WINDOW_LOG`] bytes lets a repeated picture cost next to nothing.

mod error;
mod reader;
mod writer;

pub use error::TraceError;
pub use reader::{TraceReader, TraceRecord};
pub use writer::TraceWriter;

/// How every trace begins.
const MAGIC: [u8; 8] = *b"FARPTRC\n";
/// The version that this program writes and reads.
const VERSION: u16 = 1;

const KIND_SIZE: u8 = 1;
const KIND_FRAME: u8 = 2;
const KIND_CURSOR: u8 = 3;

const FLAG_VISIBLE: u8 = 1;
const FLAG_SHAPE: u8 = 2;

/// The binary logarithm of how far back repeats are found: 8 MiB, a whole screen. A reader
/// refuses more, so it needs no more memory than this and the picture.
const WINDOW_LOG: u32 = 23;

/// The most pixels of a recorded picture: 8K, so that a damaged file cannot ask for more memory
/// than the largest desktop needs (133 MB).
pub const MAX_TRACE_PX: u64 = 7680 * 4320;

#[cfg(test)]
mod tests;
