//! Walking over the pixels to compare, in one thread or in several.

use crate::ahead::Memory;
use crate::bands::{Bands, Span};
use crate::bits::next_bit;
use crate::changes::Recorder;
use crate::kernel::{MAX_SEGMENTS, PIXEL_BYTES, Rows, SEGMENT_PX, segments};
use farpane_frame::{FrameBuf, FrameRef, Rect, TILE_PX};
use std::ops::Range;

/// The canonical frame, or the rows of it that a [`Part`] has.
pub(crate) enum Canon<'a> {
    /// It is only compared.
    Read(FrameRef<'a>),
    /// It becomes equal.
    Write(Target<'a>),
}

/// Rows that are written to.
pub(crate) struct Target<'a> {
    /// The rows, padding included.
    data: &'a mut [u8],
    /// Bytes from one to the next.
    stride: usize,
    /// The number of the first.
    top: u32,
}

/// Rows of tiles to compare.
pub(crate) struct Part<'a> {
    pub(crate) rows: &'static Rows,
    pub(crate) canon: Canon<'a>,
    pub(crate) next: &'a FrameRef<'a>,
    pub(crate) bands: &'a Bands,
    pub(crate) recorder: Recorder<'a>,
}

/// How often it is looked whether tiles have more to tell.
const TOLD_ROWS: u32 = 8;

/// What differs in a row, a word for each tile.
type Masks = [u64; MAX_SEGMENTS];

impl<'a> Part<'a> {
    /// Compares and records, in this thread.
    pub(crate) fn walk(mut self) {
        let (all, bands, mut masks) = (self.recorder.rows(), self.bands, [0; MAX_SEGMENTS]);
        for (rows, spans) in bands.rows(all.start, all.end) {
            let mut top = rows.start;
            while top < rows.end {
                let bottom = rows.end.min((top / TILE_PX + 1) * TILE_PX);
                spans.iter().for_each(|span| self.walk_strip(top, bottom, *span, &mut masks));
                top = bottom;
            }
        }
    }

    /// Compares what of a row of tiles is between two rows and two columns. Where all so far
    /// changed from edge to edge, the last row comes next: if it did too, a tile has nothing more
    /// to tell.
    fn walk_strip(&mut self, top: u32, bottom: u32, span: Span, masks: &mut Masks) {
        let (mut told, mut is_last_compared) = (Told::default(), false);
        for y in top..bottom {
            if is_last_compared && y + 1 == bottom {
                return;
            }
            if told.run(span.left, span.right) == (true, span.right) {
                return self.copy_rows(y..bottom - 1, span);
            }
            let looks = (y - top).is_multiple_of(TOLD_ROWS) && y + 1 < bottom;
            let (mut left, mut seems_told) = (span.left, false);
            while left < span.right {
                let (is_told, right) = told.run(left, span.right);
                if is_told {
                    self.copy_rows(y..y + 1, Span { left, right });
                } else if self.compare_row(y, left, right, masks) && looks {
                    if is_last_compared {
                        let area = Rect::from_edges(left, top, right, bottom);
                        self.told_tiles(area, masks).for_each(|tile| told.insert(tile));
                    } else {
                        let area = Rect::from_edges(left, top, right, y + 1);
                        seems_told |= self.told_tiles(area, masks).next().is_some();
                    }
                }
                left = right;
            }
            if seems_told {
                self.compare_row(bottom - 1, span.left, span.right, masks);
                is_last_compared = true;
                let area = Rect::from_edges(span.left, top, span.right, bottom);
                self.told_tiles(area, masks).for_each(|tile| told.insert(tile));
            }
            Memory::from(self.next).after_row(y, bottom, span);
            self.canon.memory().after_row(y, bottom, span);
        }
    }

    /// Compares and records a row of pixels; whether any differs.
    fn compare_row(&mut self, y: u32, left: u32, right: u32, masks: &mut Masks) -> bool {
        let (width, lead) = (right - left, left as usize % SEGMENT_PX);
        let masks = &mut masks[..segments(width as usize, lead)];
        let next = self.next.span(left, y, width);
        let differs = match &mut self.canon {
            Canon::Read(canon) => {
                (self.rows.compare)(canon.span(left, y, width), next, lead, masks)
            }
            Canon::Write(canon) => {
                (self.rows.update)(canon.span(left, y, width), next, lead, masks)
            }
        };
        if differs {
            self.recorder.add(left, y, masks);
        }
        differs
    }

    /// Makes rows of pixels equal, unless the canonical frame is only compared.
    fn copy_rows(&mut self, rows: Range<u32>, Span { left, right }: Span) {
        let Canon::Write(canon) = &mut self.canon else { return };
        let (next, width) = (self.next, right - left);
        for y in rows {
            canon.span(left, y, width).copy_from_slice(next.span(left, y, width));
        }
    }

    /// The columns of tiles, among those that `masks` say showed a difference, that have nothing
    /// more to tell about what of them is in `area`, which is in one row of tiles.
    fn told_tiles(&self, area: Rect, masks: &Masks) -> impl Iterator<Item = u32> {
        let columns = area.x / TILE_PX..area.right().div_ceil(TILE_PX);
        let tiles = masks.iter().zip(columns).filter(|(mask, _)| **mask != 0);
        tiles.map(|(_, column)| column).filter(move |column| {
            let left = area.x.max(column * TILE_PX);
            let right = area.right().min((column + 1) * TILE_PX);
            self.recorder.knows(Rect::from_edges(left, area.y, right, area.bottom()))
        })
    }

    /// Compares and records in about `parts` parts, by the threads of the current pool.
    pub(crate) fn walk_shared(self, parts: usize) {
        if parts < 2 {
            return self.walk();
        }
        match self.halves() {
            Ok((upper, lower)) => {
                let half = parts / 2;
                rayon::join(|| upper.walk_shared(half), || lower.walk_shared(parts - half));
            }
            Err(single) => single.walk(),
        }
    }

    /// Two parts; itself when it has a single row of tiles.
    fn halves(self) -> Result<(Self, Self), Self> {
        let Self { rows, canon, next, bands, recorder } = self;
        let (upper, lower) = match recorder.halves() {
            Ok(halves) => halves,
            Err(recorder) => return Err(Self { rows, canon, next, bands, recorder }),
        };
        let (above, below) = canon.split(lower.rows().start);
        let part = |canon, recorder| Self { rows, canon, next, bands, recorder };
        Ok((part(above, upper), part(below, lower)))
    }
}

impl<'a> Canon<'a> {
    /// A frame that becomes equal.
    pub(crate) fn write(frame: &'a mut FrameBuf) -> Self {
        let stride = frame.stride();
        Self::Write(Target { data: frame.data_mut(), stride, top: 0 })
    }

    fn memory(&self) -> Memory<'_> {
        match self {
            Self::Read(canon) => canon.into(),
            Self::Write(Target { data, stride, top }) => {
                Memory { data, stride: *stride, top: *top }
            }
        }
    }

    /// What is above row `y`, and the rest.
    fn split(self, y: u32) -> (Self, Self) {
        match self {
            Self::Read(canon) => (Self::Read(canon), Self::Read(canon)),
            Self::Write(Target { data, stride, top }) => {
                let (above, below) = data.split_at_mut((y - top) as usize * stride);
                let part = |data, top| Self::Write(Target { data, stride, top });
                (part(above, top), part(below, y))
            }
        }
    }
}

impl Target<'_> {
    /// `width` pixels of row `y` from column `x` on.
    fn span(&mut self, x: u32, y: u32, width: u32) -> &mut [u8] {
        let at = (y - self.top) as usize * self.stride + x as usize * PIXEL_BYTES;
        &mut self.data[at..at + width as usize * PIXEL_BYTES]
    }
}

/// The tiles of a row of tiles that have nothing more to tell: their part of the strip is changed
/// from edge to edge, whatever is in between.
#[derive(Default)]
struct Told {
    tiles: [u64; MAX_SEGMENTS / 64],
    any: bool,
}

impl Told {
    fn insert(&mut self, column: u32) {
        self.tiles[column as usize / 64] |= 1 << (column % 64);
        self.any = true;
    }

    /// Whether the tile of pixel column `left` is among them, and where, at most at `right`, one
    /// begins of which the contrary holds.
    fn run(&self, left: u32, right: u32) -> (bool, u32) {
        if !self.any {
            return (false, right);
        }
        let tile = (left / TILE_PX) as usize;
        let is_told = self.tiles[tile / 64] >> (tile % 64) & 1 == 1;
        let other = next_bit(&self.tiles, tile, if is_told { !0 } else { 0 });
        (is_told, other.map_or(right, |tile| right.min(tile as u32 * TILE_PX)))
    }
}
