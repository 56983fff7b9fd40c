//! Why a batch cannot be decoded.

use farpane_frame::{PixelFormat, Rect};

/// What is wrong with a batch. Operations before the bad one may have been applied; nothing
/// outside the canvas is ever touched. The areas the batch should have written are stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The first byte names a format that this decoder does not know.
    #[error(
        "batch format {found:#04x}: 0x10 to 0x1f or 0x30 to 0x3f are known; the sender is of \
             another version"
    )]
    Format {
        /// The byte that came.
        found: u8,
    },
    /// The canvas is not in blue, green, red order.
    #[error("a canvas in {0:?}: decode into Bgrx or Bgra")]
    Canvas(PixelFormat),
    /// The batch is longer than the limit.
    #[error("a batch of {found} bytes: at most {limit} are accepted")]
    Long {
        /// Bytes that came.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The bytes end inside a value.
    #[error("the batch ends early: {needed} bytes expected, {left} left")]
    Truncated {
        /// Bytes the value needs.
        needed: usize,
        /// Bytes there are.
        left: usize,
    },
    /// An integer is longer than 32 bits.
    #[error("an integer of more than 32 bits")]
    Varint,
    /// The sections would unpack to more than the limit.
    #[error("sections of {found} bytes unpacked: at most {limit} are accepted")]
    Raw {
        /// Bytes announced so far.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A packed section is not valid zstd, or not of the length announced.
    #[error("a section that does not unpack to the {expected} bytes announced")]
    Section {
        /// Bytes announced.
        expected: usize,
    },
    /// Bytes are left over after the last operation.
    #[error("{bytes} bytes left over after the last operation")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// An operation of an unknown kind, or with bits set that have no meaning.
    #[error("unknown operation {found:#04x}")]
    Operation {
        /// The operation's first byte.
        found: u8,
    },
    /// A tile outside the canvas.
    #[error("tile {found}: the canvas has {tiles}")]
    Tile {
        /// The tile named.
        found: u32,
        /// Tiles of the canvas.
        tiles: u32,
    },
    /// An area that leaves its tile or the canvas.
    #[error("area {0:?} does not fit")]
    Area(Rect),
    /// More or larger copies than a canvas can need.
    #[error("copies of more pixels than the canvas has, or more than {limit} of them")]
    Copies {
        /// Copies allowed in one batch.
        limit: usize,
    },
    /// A cache slot outside the cache, or one that holds nothing as large as the area asked for.
    #[error("cache slot {slot} does not hold the area asked for")]
    Slot {
        /// The slot named.
        slot: u32,
    },
    /// More colours at once than a palette has places, or one that leaves places empty.
    #[error("{colours} colours for a palette: at most 256 are accepted, none beyond a gap")]
    Palette {
        /// How many, or how many would have to come before.
        colours: usize,
    },
    /// An index beyond the palette.
    #[error("colour {found} of a palette of {colours}")]
    Colour {
        /// The largest index in the area.
        found: u8,
        /// Colours in the palette.
        colours: usize,
    },
    /// A video stream or a format that this decoder does not know.
    #[error("video stream {stream} in format {codec}: the sender is of another version")]
    Stream {
        /// The stream named.
        stream: u8,
        /// The number of the format.
        codec: u8,
    },
    /// An access unit that is longer than the limit.
    #[error("an access unit of {bytes} bytes: at most {} are accepted", crate::MAX_UNIT_BYTES)]
    Unit {
        /// Bytes announced for the unit.
        bytes: u32,
    },
    /// An unknown predictor.
    #[error("unknown predictor {found}")]
    Predictor {
        /// The number that came.
        found: u8,
    },
    /// The operations write more than any useful batch does.
    #[error("operations of more than {limit} pixels in one batch")]
    Work {
        /// Pixels allowed.
        limit: u64,
    },
}
