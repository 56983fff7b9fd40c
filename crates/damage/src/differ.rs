//! Comparing a captured frame with the canonical one.

use crate::apply::apply;
use crate::bands::MAX_HINT_RECTS;
use crate::kernel::Rows;
use crate::walk::{Canon, Part};
use crate::{Changes, Kernel};
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Rect, Size};

/// From so many pixels on, work is shared: below, one core is done before others have woken.
pub const SHARED_FROM_PX: u64 = 1 << 22;
/// Parts of a shared comparison, so that a thread that is done early takes another.
const PARTS_PER_THREAD: usize = 2;

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
///
/// Called on a thread of a rayon pool, it shares comparisons of [`SHARED_FROM_PX`] pixels and more
/// with the others of that pool. The pool's queue then allocates one block for about 60 of them.
#[derive(Debug)]
pub struct Differ {
    rows: &'static Rows,
}

impl Differ {
    /// A differ that uses `kernel`, or the scalar one if this machine cannot run it.
    pub fn new(kernel: Kernel) -> Self {
        Self { rows: kernel.rows() }
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
        self.walk(Canon::Read(*canon), next, out);
        Ok(())
    }

    /// As [`Differ::compare`], and makes `canon` equal to `next` inside `within` in the same
    /// pass. Tiles that do not differ are not written.
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
        self.walk(Canon::write(canon), next, out);
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
        apply(canon, next, changes, is_shared(changes.area_px()));
        Ok(())
    }

    /// Compares, here or with the other threads of the pool, what [`start`] prepared.
    fn walk(&self, canon: Canon<'_>, next: &FrameRef<'_>, out: &mut Changes) {
        let (bands, recorder) = out.parts();
        let whole = Part { rows: self.rows, canon, next, bands, recorder };
        if is_shared(bands.area_px()) {
            whole.walk_shared(rayon::current_num_threads() * PARTS_PER_THREAD);
        } else {
            whole.walk();
        }
        out.finish();
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

/// Whether work on so many pixels is for all threads of the pool that this one is of, if it is.
pub(crate) fn is_shared(pixels: u64) -> bool {
    pixels >= SHARED_FROM_PX
        && rayon::current_thread_index().is_some()
        && rayon::current_num_threads() > 1
}

fn same_shape(canon: &FrameRef<'_>, next: &FrameRef<'_>) -> Result<(), DiffError> {
    let (canon, next) = ((canon.size(), canon.format()), (next.size(), next.format()));
    if canon == next { Ok(()) } else { Err(DiffError::Mismatch { canon, next }) }
}
