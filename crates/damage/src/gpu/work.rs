//! Which tiles a comparison looks at, and where in them, as the shader reads it.

use crate::bands::{Bands, Span};
use farpane_frame::{Rect, TILE_PX, TileGrid};

/// Words of a piece of work.
const WORK_WORDS: u32 = 4;

/// The rectangles to compare, tile by tile.
#[derive(Debug, Default)]
pub(super) struct WorkList {
    tiles: Vec<u32>,
    parts: Vec<Part>,
}

/// A rectangle inside a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    tile: u32,
    packed: u32,
}

impl WorkList {
    /// Becomes what looks at each pixel of `bands` once.
    pub(super) fn rebuild(&mut self, grid: TileGrid, bands: &Bands) {
        self.parts.clear();
        for (rows, spans) in bands.iter() {
            for Span { left, right } in spans.iter().copied() {
                let area = Rect::from_edges(left, rows.start, right, rows.end);
                self.parts
                    .extend(grid.split(area).map(|(tile, part)| Part { tile, packed: pack(part) }));
            }
        }
        self.parts.sort_unstable();
        self.tiles.clear();
        self.tiles.extend(pieces(&self.parts).map(|parts| parts[0].tile));
    }

    /// The tiles to look at, ascending; a piece of work each.
    pub(super) fn tiles(&self) -> &[u32] {
        &self.tiles
    }

    /// What the shader reads: the pieces of work, then their rectangles.
    pub(super) fn write(&self, grid: TileGrid, words: &mut Vec<u32>) {
        let mut first = self.tiles.len() as u32 * WORK_WORDS;
        for parts in pieces(&self.parts) {
            let (tile, end) = (parts[0].tile, first + parts.len() as u32);
            words.extend([tile % grid.columns(), tile / grid.columns(), first, end]);
            first = end;
        }
        words.extend(self.parts.iter().map(|part| part.packed));
    }
}

/// The rectangles of each tile.
fn pieces(parts: &[Part]) -> impl Iterator<Item = &[Part]> {
    parts.chunk_by(|a, b| a.tile == b.tile)
}

/// The edges of a rectangle inside one tile, relative to it, a byte each.
fn pack(part: Rect) -> u32 {
    let (x, y) = (part.x % TILE_PX, part.y % TILE_PX);
    x | y << 8 | (x + part.width) << 16 | (y + part.height) << 24
}
