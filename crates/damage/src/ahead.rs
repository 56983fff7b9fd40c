//! Asking for memory before it is read, where processors do not foresee it.

use crate::bands::Span;
use crate::kernel::PIXEL_BYTES;
use farpane_frame::FrameRef;

/// How many rows ahead the beginning of a row is asked for, and how much of it.
const AHEAD_ROWS: u32 = 3;
const AHEAD_BYTES: usize = 512;

/// Asks for a row that will be read soon: walks down narrow columns read a few lines of each page.
pub(crate) fn row(row: &[u8]) {
    prefetch::<KEEP>(row);
}

/// Rows of pixels in memory.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a> {
    pub(crate) data: &'a [u8],
    /// Bytes from one row to the next.
    pub(crate) stride: usize,
    /// The number of the first row.
    pub(crate) top: u32,
}

impl Memory<'_> {
    /// Asks for what a walk down the columns of `span` needs after row `y`, one of those before
    /// `bottom`.
    ///
    /// Processors foresee what is read in one go, and page after page, but not where a part of a
    /// row begins. So wide parts go on to the next row as if all between were read too, which
    /// takes less time than not to (two thirds for three quarters of a row); of narrow ones a few
    /// lines are asked for, rows ahead.
    pub(crate) fn after_row(self, y: u32, bottom: u32, span: Span) {
        let at = |y: u32, x: u32| (y - self.top) as usize * self.stride + x as usize * PIXEL_BYTES;
        let bytes = (span.right - span.left) as usize * PIXEL_BYTES;
        if self.stride - bytes > bytes {
            if y + AHEAD_ROWS < bottom {
                let from = at(y + AHEAD_ROWS, span.left);
                prefetch::<KEEP>(&self.data[from..from + bytes.min(AHEAD_BYTES)]);
            }
        } else if y + 1 < bottom {
            prefetch::<ONCE>(&self.data[at(y, span.right)..at(y + 1, span.left)]);
        }
    }
}

impl<'a> From<&FrameRef<'a>> for Memory<'a> {
    fn from(frame: &FrameRef<'a>) -> Self {
        Self { data: frame.data(), stride: frame.stride(), top: 0 }
    }
}

#[cfg(target_arch = "x86_64")]
mod hint {
    use std::arch::x86_64::{_MM_HINT_NTA, _MM_HINT_T0};
    pub(super) const KEEP: i32 = _MM_HINT_T0;
    /// It need not stay in caches.
    pub(super) const ONCE: i32 = _MM_HINT_NTA;
}
#[cfg(not(target_arch = "x86_64"))]
mod hint {
    pub(super) const KEEP: i32 = 0;
    pub(super) const ONCE: i32 = 1;
}
use hint::{KEEP, ONCE};

#[inline]
fn prefetch<const HINT: i32>(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        // SAFETY: every x86_64 processor has it, and it is a hint about any address.
        unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(line.as_ptr().cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}
