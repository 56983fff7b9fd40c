//! Pixels, strides, rectangles, regions, the tile grid, a buffer pool, a canvas and NV12.
//!
//! Everything that touches a picture speaks in these types. All coordinates are pixels from the
//! top left corner; all pixels are four bytes, rows are `stride` bytes apart. The crate touches
//! no clock, no thread and no socket, and has no unsafe code.
#![forbid(unsafe_code)]

mod aligned;
mod buffer;
mod canvas;
mod geometry;
mod grid;
mod nv12;
mod pool;
mod region;

pub use buffer::{COLOURS, FrameBuf, FrameError, FrameRef, PixelFormat, same_colours};
pub use canvas::Canvas;
pub use geometry::{MAX_DIMENSION_PX, Move, Rect, Size};
pub use grid::{TILE_PX, TileGrid, TileSet};
pub use nv12::Nv12;
pub use pool::{BufferPool, Pooled};
pub use region::Region;
