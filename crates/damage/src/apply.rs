//! Copying what a comparison found.

use crate::Changes;
use crate::ahead::Memory;
use crate::bands::Span;
use crate::kernel::{MAX_SEGMENTS, PIXEL_BYTES};
use farpane_frame::{FrameBuf, FrameRef, Rect, TILE_PX};
use rayon::prelude::*;
use std::ops::Range;

/// Changed pixels of a row that are not farther apart are copied together, with what was compared
/// between them and is equal.
const JOINED_PX: u32 = TILE_PX;

/// Copies the changed rectangle of each tile, as far as it was compared, from `next` to `canon`.
/// `shared` lets the threads of the current pool take part.
pub(crate) fn apply(canon: &mut FrameBuf, next: &FrameRef<'_>, changes: &Changes, shared: bool) {
    let stride = canon.stride();
    let strip_bytes = stride * TILE_PX as usize;
    let copy = |(row, data): (usize, &mut [u8])| {
        let top = row as u32 * TILE_PX;
        Strip { data, stride, top }.copy(next, changes);
    };
    if shared {
        canon.data_mut().par_chunks_mut(strip_bytes).enumerate().for_each(copy);
    } else {
        canon.data_mut().chunks_mut(strip_bytes).enumerate().for_each(copy);
    }
}

/// The pixels of a row of tiles.
struct Strip<'a> {
    data: &'a mut [u8],
    stride: usize,
    /// The number of the first row of pixels.
    top: u32,
}

impl Strip<'_> {
    /// Copies its changes, row by row.
    fn copy(&mut self, next: &FrameRef<'_>, changes: &Changes) {
        let mut areas = [Rect::default(); MAX_SEGMENTS];
        let mut all = Rect::default();
        let mut count = 0;
        for area in changes.rects_of_row(self.top / TILE_PX) {
            areas[count] = area;
            all = all.union(area);
            count += 1;
        }
        if count == 0 {
            return;
        }
        let columns = Span { left: all.x, right: all.right() };
        for (rows, spans) in changes.compared().rows(all.y, all.bottom()) {
            for y in rows {
                for run in spans.iter().flat_map(|span| runs(&areas[..count], y, *span)) {
                    let from = next.span(run.start, y, run.end - run.start);
                    let at = (y - self.top) as usize * self.stride;
                    self.data[at + run.start as usize * PIXEL_BYTES..][..from.len()]
                        .copy_from_slice(from);
                }
                Memory::from(next).after_row(y, all.bottom(), columns);
                let Self { data, stride, top } = self;
                Memory { data, stride: *stride, top: *top }.after_row(y, all.bottom(), columns);
            }
        }
    }
}

/// What of row `y` and of `span` is in `areas`, which go from left to right; what is not far apart
/// is joined.
fn runs(areas: &[Rect], y: u32, span: Span) -> impl Iterator<Item = Range<u32>> {
    let parts = areas.iter().filter(move |area| area.y <= y && y < area.bottom());
    let mut parts = parts
        .map(move |area| span.left.max(area.x)..span.right.min(area.right()))
        .filter(|part| !part.is_empty())
        .peekable();
    std::iter::from_fn(move || {
        let mut run = parts.next()?;
        while let Some(part) = parts.next_if(|part| part.start <= run.end + JOINED_PX) {
            run.end = part.end;
        }
        Some(run)
    })
}
