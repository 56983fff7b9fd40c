//! The pointer's picture, which travels whole on a stream of its own.

use crate::{Reader, WireError, Writer};

/// The largest side of a cursor.
pub const MAX_CURSOR_PX: u64 = 256;
/// The kind under which a cursor shape travels.
pub const CURSOR_SHAPE_BLOB: u8 = 1;

/// A pointer's picture. Travels whole, on a reliable stream of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorShape {
    /// The number by which [`crate::datagram::Cursor::shape`] names it; never 0.
    pub id: u64,
    /// Pixels in a row, 1 to [`MAX_CURSOR_PX`].
    pub width: u32,
    /// Rows, 1 to [`MAX_CURSOR_PX`].
    pub height: u32,
    /// Column of the hot spot.
    pub hot_x: u32,
    /// Row of the hot spot.
    pub hot_y: u32,
    /// `width * height` pixels of blue, green, red, alpha; colours premultiplied by alpha.
    pub bgra: Vec<u8>,
}

impl CursorShape {
    /// The shape's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bgra.len() + 24);
        let mut w = Writer::new(&mut out);
        w.varint(self.id);
        for side in [self.width, self.height, self.hot_x, self.hot_y] {
            w.varint(u64::from(side));
        }
        w.bytes(&self.bgra);
        out
    }

    /// Reads a shape.
    ///
    /// # Errors
    /// A side out of range, or pixels that do not fit the size.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let mut at_least_1 = |field, bound| match r.bounded(field, bound)? {
            0 => Err(WireError::Bound { field, value: 0, bound }),
            value => Ok(value),
        };
        let id = at_least_1("shape", u64::MAX)?;
        let width = at_least_1("cursor width", MAX_CURSOR_PX)? as u32;
        let height = at_least_1("cursor height", MAX_CURSOR_PX)? as u32;
        let hot_x = r.bounded("hot x", u64::from(width) - 1)? as u32;
        let hot_y = r.bounded("hot y", u64::from(height) - 1)? as u32;
        let bgra = r.bytes((width * height * 4) as usize, "cursor pixels")?.to_vec();
        r.end()?;
        Ok(Self { id, width, height, hot_x, hot_y, bgra })
    }
}
