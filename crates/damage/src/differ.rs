//! Comparing a captured frame with the canonical one.

use crate::bands::MAX_HINT_RECTS;
use crate::kernel::{MAX_SEGMENTS, Rows, SEGMENT_PX, segments};
use crate::{Changes, Kernel};
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Rect, Size};

/// Why two frames cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// The canonical frame has another size or format: reshape it, and take all for changed.
    #[error("the canonical frame is {canon:?} but the new one {next:?}: reshape the canonical one")]
    Mismatch {
        /// Of the canonical frame.
        canon: (Size, PixelFormat),
        /// Of the new frame.
        next: (Size, PixelFormat),
    },
    /// The hint has too many rectangles.
    #[error("a hint of {0} rectangles, at most {MAX_HINT_RECTS}: join them in a Region first")]
    Hint(usize),
}

/// Compares frames and keeps one canonical frame up to date. A pixel has changed when its red,
/// green or blue did.
///
/// All of it costs time in proportion to the hinted area, and nothing is allocated once frames
/// and hints stop growing.
#[derive(Debug)]
pub struct Differ {
    rows: &'static Rows,
    masks: Vec<u64>,
}

impl Differ {
    /// A differ that uses `kernel`, or the scalar one if this machine cannot run it.
    pub fn new(kernel: Kernel) -> Self {
        Self { rows: kernel.rows(), masks: vec![0; MAX_SEGMENTS] }
    }

    /// Fills `out` with the changes of `next` against `canon`. Only the pixels inside `within`
    /// are read; rectangles may overlap and may leave the frame.
    ///
    /// # Errors
    /// Frames of unequal size or format, or more than 256 rectangles; `out` is then empty.
    pub fn compare(
        &mut self,
        canon: &FrameRef<'_>,
        next: &FrameRef<'_>,
        within: &[Rect],
        out: &mut Changes,
    ) -> Result<(), DiffError> {
        start(canon, next, within, out)?;
        let (rows, masks) = (self.rows, &mut self.masks);
        each_span(out, masks, |x, y, width, lead, masks| {
            (rows.compare)(canon.span(x, y, width), next.span(x, y, width), lead, masks)
        });
        Ok(())
    }

    /// As [`Differ::compare`], and makes `canon` equal to `next` inside `within` in the same
    /// pass. Memory that does not differ is not written.
    ///
    /// # Errors
    /// As [`Differ::compare`]; `canon` is then unchanged.
    pub fn update(
        &mut self,
        canon: &mut FrameBuf,
        next: &FrameRef<'_>,
        within: &[Rect],
        out: &mut Changes,
    ) -> Result<(), DiffError> {
        start(&canon.view(), next, within, out)?;
        let (rows, masks) = (self.rows, &mut self.masks);
        each_span(out, masks, |x, y, width, lead, masks| {
            (rows.update)(canon.span_mut(x, y, width), next.span(x, y, width), lead, masks)
        });
        Ok(())
    }

    /// Copies what [`Differ::compare`] found into `canon`.
    ///
    /// # Errors
    /// Frames of a size other than the compared ones, or of unequal format; `canon` is then
    /// unchanged.
    pub fn apply(
        &mut self,
        canon: &mut FrameBuf,
        next: &FrameRef<'_>,
        changes: &Changes,
    ) -> Result<(), DiffError> {
        same_shape(&canon.view(), next)?;
        if changes.is_empty() {
            return Ok(());
        }
        if changes.grid().size() != next.size() {
            let canon = (changes.grid().size(), canon.format());
            return Err(DiffError::Mismatch { canon, next: (next.size(), next.format()) });
        }
        for (_, tile) in changes.iter() {
            for (rows, spans) in changes.compared().rows(tile.y, tile.bottom()) {
                for (y, span) in rows.flat_map(|y| spans.iter().map(move |s| (y, s))) {
                    let (left, right) = (span.left.max(tile.x), span.right.min(tile.right()));
                    if left < right {
                        let from = next.span(left, y, right - left);
                        canon.span_mut(left, y, right - left).copy_from_slice(from);
                    }
                }
            }
        }
        Ok(())
    }
}

fn start(
    canon: &FrameRef<'_>,
    next: &FrameRef<'_>,
    within: &[Rect],
    out: &mut Changes,
) -> Result<(), DiffError> {
    out.clear();
    same_shape(canon, next)?;
    if within.len() > MAX_HINT_RECTS {
        return Err(DiffError::Hint(within.len()));
    }
    out.start(next.size(), within);
    Ok(())
}

fn same_shape(canon: &FrameRef<'_>, next: &FrameRef<'_>) -> Result<(), DiffError> {
    let (canon, next) = ((canon.size(), canon.format()), (next.size(), next.format()));
    if canon == next { Ok(()) } else { Err(DiffError::Mismatch { canon, next }) }
}

/// Calls `row(x, y, width, lead, masks)` for each span of each row to compare, and records what
/// it marks.
fn each_span(
    out: &mut Changes,
    masks: &mut [u64],
    mut row: impl FnMut(u32, u32, u32, usize, &mut [u64]) -> bool,
) {
    let (bands, mut recorder) = out.parts();
    for (rows, spans) in bands.iter() {
        for y in rows {
            for span in spans {
                let (width, lead) = (span.right - span.left, span.left as usize % SEGMENT_PX);
                let masks = &mut masks[..segments(width as usize, lead)];
                if row(span.left, y, width, lead, masks) {
                    recorder.add(span.left, y, masks);
                }
            }
        }
    }
}
