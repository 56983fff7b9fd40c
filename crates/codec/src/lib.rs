//! Exact tile operations and video: encoders, choice by content, bounded decoders.
//!
//! A *batch* is a byte string that holds a list of operations on the helper's canvas. It is
//! decoded alone and in order; nothing in it refers to another batch except through the canvas
//! and the tile cache. [`BatchEncoder`] writes batches, [`BatchDecoder`] applies them.
//!
//! What is in motion all the time goes as video: an access unit of a stream, and which parts of
//! its picture are to be shown. [`video`] has the encoders and decoders.
//!
//! # Features
//! - `encoder` (default): [`BatchEncoder`], with the C zstd library.
//! - `native-decoder` (default): unpack with the C zstd library too, which halves the time to
//!   decode a screen (5.8 ms against 12.5 ms of one busy core, mean of ten 1080p desktops).
//! - `av1` (default): AV1 by rav1e and rav1d, compiled in; needs nasm on x86.
//! - `openh264-source` (default): H.264 by OpenH264, compiled in; needs nasm.
//! - `openh264-libloading`: H.264 by Cisco's binary of OpenH264, loaded at run time.
//! - `vulkan-video`, `nvenc`: encoders in hardware, loaded at run time; see [`video::hardware`].
//!   The build of `vulkan-video` needs a C++ compiler, and 70 s of two cores.
//!
//! Without all of these the crate is pure Rust and decodes the same batches, for wasm, but no
//! video.
//!
//! # Format, version 1
//! Integers are *varints*: groups of seven bits, lowest first, the high bit of a byte says that
//! another follows; at most 32 bits. *Signed* ones are zigzag coded: 0, -1, 1, -2 as 0, 1, 2, 3.
//!
//! ```text
//! batch     = format:u8 section(operations)
//!             [ shape:u8 section(colours) section(indices) ]   if format bit 0
//!             [ section(green) ]                               if format bit 1
//!             [ section(red) ]                                 if format bit 2
//!             [ section(blue) ]                                if format bit 3
//!             [ bytes of access units ]                        if format bit 5
//! format    = 0x10 + bits 0 to 3 and 5
//! section   = varint(raw_len * 2) raw_len bytes
//!           | varint(raw_len * 2 + 1) varint(len) len bytes of zstd blocks (RFC 8878, 3.1.1.2)
//! ```
//! The zstd blocks are those of one frame without its header, checksum and dictionary; the last
//! has Last_Block set. To use a library's decoder put the nine bytes `28 B5 2F FD A0` and
//! `raw_len` (32 bits, little endian) in front. Each section is a frame of its own. The raw
//! lengths together are at most [`MAX_RAW_BYTES`].
//!
//! Operations follow each other to the end of their section. The first byte of each:
//!
//! ```text
//! bits 0-2  kind     0 copies  1 store  2 cached  3 solid  4 palette  5 predicted  6 unit
//!                    7 video
//! bit  3    whole    1: the area is the whole tile, and no area follows
//! bits 4-5  tile     0: the last operation's tile + 1 (at first 0)   1: the same tile (not at
//!                    first)   2: a signed difference from the last tile (at first from -1)
//!                    follows   3: invalid
//! bits 6-7  by kind, else 0
//! ```
//! then the tile's difference, then the area if it is not the whole tile: three bytes, the
//! little-endian number `x | y << 6 | (width - 1) << 12 | (height - 1) << 18`, where x and y are
//! relative to the tile. Tiles are 64x64 pixels, numbered row by row, smaller at the right and
//! lower edges of the canvas; an area lies inside its tile. Then, by kind:
//!
//! - *copies* (bits 3 to 7 are 0, no tile, no area; once per batch at most): the number of moves,
//!   at most [`MAX_COPIES`]; for each x, y, width, height of the destination and, signed, how
//!   far right and down it lies from the source. All moves read the canvas as it was before the
//!   operation. Together they have at most as many pixels as the canvas.
//! - *store* (whole tile only): a slot below [`CACHE_SLOTS`]. The cache keeps the tile's pixels.
//! - *cached*: a slot. The area becomes what the stored tile has at the same offset from its top
//!   left corner.
//! - *solid*: bit 6 set: the last solid operation's colour (at first black), else blue, green and
//!   red follow, a byte each.
//! - *palette*: bit 7 set: a number of colours follows, at most 256, and that many are taken from
//!   the colours section. The palette has 256 places, none of them taken at first. A colour takes
//!   the place after the last one taken (at first the first; after the last place comes the first
//!   again), or one further on if places are skipped, but leaves no place before it empty. One
//!   index of a taken place for each pixel is taken from the indices section: row by row across
//!   all areas of a *strip*, which are those of consecutive palette operations in one row of
//!   tiles, as long as each area lies to the right of the one before. A row has the pixels of
//!   those areas that have it, from left to right.
//! - *predicted*: bit 6 set: red equals green in the whole area; bit 7: blue does. A byte
//!   follows: bits 0-1 the predictor (0 left, 1 up, 2 average, 3 gradient), bit 2 *plain*, which
//!   excludes bits 6 and 7 of the first byte. One residual for each pixel, row by row, is taken
//!   from the green section and, unless it equals green, the red and the blue section.
//!
//! - *unit* (bits 3 to 7 are 0, no tile, no area; once per batch at most): a byte for the stream,
//!   below [`MAX_STREAMS`], one for the format ([`video::VideoCodec::to_byte`]), then varints: the
//!   unit's index in the stream, how many units before it the one is that it refers to (0: a
//!   keyframe), x, y, width and height of its picture on the canvas (even sides), and the bytes
//!   of the unit (at most [`MAX_UNIT_BYTES`]), which are taken from the bytes of access units. A
//!   unit whose reference was decoded is decoded at once. One whose reference may still come is
//!   held: it is decoded as soon as that is there. One with an index that is not above the newest
//!   decoded one's is dropped. The pictures of all streams have at most twice the pixels of the
//!   canvas.
//! - *video*: the area becomes what this batch's unit shows there, BT.709 in limited range; when
//!   the unit is held, then as soon as it is decoded, unless another operation than *video*
//!   writes there meanwhile. It lies inside the unit's picture.
//!
//! `shape` has in bits 0-1 the logarithm of the bits of an index (1, 2, 4 or 8), in bit 2 whether
//! all colours are gray, and in bit 3 whether places are skipped. Indices are packed lowest bits
//! first, without gaps between areas, the last byte filled with 0. The colours section has, if
//! bit 3 is set, for each colour the number of places that it skips; then a plane of one byte for
//! each colour: green; and unless all are gray two more: red minus green, and blue minus green. A
//! byte is that value minus the one of the colour before, at first minus 0 (all mod 256).
//!
//! A residual is the plane's byte minus its prediction (mod 256). The planes are green and, as
//! *plain* says, red and blue, or red minus green plus 128 and blue minus green plus 128 (mod
//! 256). The first pixel of an area is predicted as 128, the rest of its first row as the pixel
//! to the left (L), the first of each other row as the pixel above (U), and all others by the
//! predictor: L, U, `(2 * L + U + D) >> 2`, or `min(max(L + U - C, min(L, U)), max(L, U))` where C
//! is the pixel above L, and D the one to the right of U, or U at the right edge. Only pixels of
//! the same area count.
//!
//! Every byte of every section is used up at the end. A batch writes at most twice as many pixels
//! as the canvas's tiles have, copies apart.
#![deny(unsafe_code)]

mod cache;
#[cfg(feature = "encoder")]
mod cell;
mod decoder;
#[cfg(feature = "encoder")]
mod encoder;
mod entropy;
mod error;
#[cfg(feature = "encoder")]
mod ops;
mod palette;
mod predict;
#[cfg(feature = "encoder")]
mod reduction;
mod sections;
#[cfg(feature = "encoder")]
mod stats;
mod streams;
mod strip;
pub mod video;
mod wire;

pub use cache::{CACHE_SLOTS, SLOT_BYTES};
pub use decoder::{BatchDecoder, DecodeLimits, MAX_COPIES, MAX_RAW_BYTES};
#[cfg(feature = "encoder")]
pub use encoder::BatchEncoder;
#[cfg(feature = "encoder")]
pub use entropy::Effort;
pub use error::DecodeError;
#[cfg(feature = "encoder")]
pub use reduction::{Detail, Reduction};
#[cfg(feature = "encoder")]
pub use stats::BatchStats;
pub use streams::{MAX_STREAMS, MAX_UNIT_BYTES, OpenDecoder, UnitHeader};
