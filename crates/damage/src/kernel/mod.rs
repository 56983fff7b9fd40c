//! The inner loops over rows of pixels, and the choice among them at run time.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod sse2;

use std::str::FromStr;

/// The environment variable that forces a kernel by name.
pub const KERNEL_VARIABLE: &str = "FARPANE_DAMAGE_KERNEL";

/// A set of inner loops for one instruction set. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// Plain code, the reference.
    Scalar,
    /// 16 bytes at a time; every x86-64 processor has it.
    Sse2,
    /// 32 bytes at a time.
    Avx2,
    /// 64 bytes at a time (AVX-512F and BW).
    Avx512,
    /// 16 bytes at a time; every aarch64 processor has it.
    Neon,
}

/// Why a kernel cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// No kernel has this name.
    #[error("no damage kernel is named {0:?}: expected scalar, sse2, avx2, avx512 or neon")]
    Unknown(String),
    /// This processor lacks the instructions.
    #[error(
        "this processor cannot run the damage kernel {}: use {}",
        .0.name(),
        Kernel::best().name()
    )]
    Unavailable(Kernel),
}

impl Kernel {
    const ALL: [Self; 5] = [Self::Scalar, Self::Sse2, Self::Avx2, Self::Avx512, Self::Neon];

    /// The fastest kernel of this machine, or the one that [`KERNEL_VARIABLE`] names. A value
    /// that [`Kernel::forced`] refuses has no effect here.
    pub fn detect() -> Self {
        Self::forced().ok().flatten().unwrap_or_else(Self::best)
    }

    /// The kernel that [`KERNEL_VARIABLE`] asks for; `None` when it is unset or empty.
    ///
    /// # Errors
    /// The value is no kernel's name, or this machine cannot run it.
    pub fn forced() -> Result<Option<Self>, KernelError> {
        let Some(value) = std::env::var_os(KERNEL_VARIABLE).filter(|v| !v.is_empty()) else {
            return Ok(None);
        };
        let kernel: Self = value.to_string_lossy().parse()?;
        if kernel.is_available() { Ok(Some(kernel)) } else { Err(KernelError::Unavailable(kernel)) }
    }

    /// The kernels that this machine can run, slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kernel| kernel.is_available())
    }

    /// Its name, as [`KERNEL_VARIABLE`] takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Sse2 => "sse2",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            _ => false,
        }
    }

    fn best() -> Self {
        Self::available().last().unwrap_or(Self::Scalar)
    }

    /// Its loops; those of the scalar kernel when this machine cannot run it.
    pub(crate) fn rows(self) -> &'static Rows {
        if !self.is_available() {
            return &scalar::ROWS;
        }
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => &sse2::ROWS,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => &avx2::ROWS,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => &avx512::ROWS,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => &neon::ROWS,
            _ => &scalar::ROWS,
        }
    }
}

impl FromStr for Kernel {
    type Err = KernelError;

    fn from_str(name: &str) -> Result<Self, KernelError> {
        Self::ALL
            .into_iter()
            .find(|kernel| kernel.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| KernelError::Unknown(name.to_owned()))
    }
}

/// Loops over one row of pixels. A row is cut into segments of up to [`SEGMENT_PX`] pixels, each
/// with one word in which bit `i` stands for the segment's pixel `i`.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Marks the pixels that differ in red, green or blue, and tells whether any does.
    pub(crate) compare: CompareRow,
    /// The same, and makes the first row equal where it differs.
    pub(crate) update: UpdateRow,
    /// Compares each pixel with the one before.
    pub(crate) edges: EdgesRow,
}

/// Two rows of equal length, the first pixel's bit in the first word, and
/// [`segments`] words to fill.
pub(crate) type CompareRow = fn(&[u8], &[u8], usize, &mut [u64]) -> bool;
/// As [`CompareRow`].
pub(crate) type UpdateRow = fn(&mut [u8], &[u8], usize, &mut [u64]) -> bool;
/// A row of `n + 1` pixels and two sets of `segments(n, 0)` words: bit `i` tells whether pixel
/// `i + 1` differs from pixel `i`, and whether it is greater as a little-endian number.
pub(crate) type EdgesRow = fn(&[u8], &mut [u64], &mut [u64]);

/// Pixels in a segment: the width of a tile.
pub(crate) const SEGMENT_PX: usize = 64;
/// Segments of the widest frame's row that begins with a segment.
pub(crate) const MAX_SEGMENTS: usize = farpane_frame::MAX_DIMENSION_PX as usize / SEGMENT_PX;
pub(crate) const PIXEL_BYTES: usize = 4;
/// The bytes of a pixel that are compared, as a little-endian number.
const COLOUR_MASK: u32 = 0x00ff_ffff;

/// Words for a row of `pixels` whose first pixel is number `lead` of its segment.
pub(crate) const fn segments(pixels: usize, lead: usize) -> usize {
    (lead + pixels).div_ceil(SEGMENT_PX)
}

/// Checks what the vector loops rely on: whatever a caller passes, they stay inside the slices.
#[track_caller]
fn check_rows(canon: &[u8], next: &[u8], lead: usize, masks: &[u64]) {
    assert!(canon.len() == next.len() && canon.len().is_multiple_of(PIXEL_BYTES));
    assert!(lead < SEGMENT_PX && masks.len() == segments(canon.len() / PIXEL_BYTES, lead));
}

/// As [`check_rows`], for [`EdgesRow`].
#[track_caller]
fn check_edges(row: &[u8], differs: &[u64], greater: &[u64]) {
    assert!(row.len() >= PIXEL_BYTES && row.len().is_multiple_of(PIXEL_BYTES));
    let words = segments(row.len() / PIXEL_BYTES - 1, 0);
    assert!(differs.len() == words && greater.len() == words);
}

/// Defines `compare`, `update` and `ROWS` of a vector kernel from its `segment`, `part` and
/// `edges`.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! row_kernel {
    ($feature:literal) => {
        pub(super) static ROWS: super::Rows = super::Rows { compare, update, edges };

        fn compare(canon: &[u8], next: &[u8], lead: usize, masks: &mut [u64]) -> bool {
            super::check_rows(canon, next, lead, masks);
            // SAFETY: the rows are equally long and the masks fit them (checked above); `ROWS`
            // is reachable only where `Kernel::is_available` found the instructions; without
            // COPY nothing is written through the pointer.
            unsafe { rows::<false>(canon.as_ptr().cast_mut(), next, lead, masks) }
        }

        fn update(canon: &mut [u8], next: &[u8], lead: usize, masks: &mut [u64]) -> bool {
            super::check_rows(canon, next, lead, masks);
            // SAFETY: as in `compare`, and `canon` is borrowed for writing.
            unsafe { rows::<true>(canon.as_mut_ptr(), next, lead, masks) }
        }

        /// # Safety
        /// The processor has the instructions; `canon` points to as many bytes as `next` has,
        /// writable if `COPY`; `masks` has one word for each segment.
        #[target_feature(enable = $feature)]
        unsafe fn rows<const COPY: bool>(
            canon: *mut u8,
            next: &[u8],
            lead: usize,
            masks: &mut [u64],
        ) -> bool {
            let pixels = next.len() / super::PIXEL_BYTES;
            let (mut at, mut shift, mut any) = (0, lead, 0);
            for mask in masks {
                let count = (super::SEGMENT_PX - shift).min(pixels - at);
                let from = at * super::PIXEL_BYTES;
                // SAFETY: pixels `at..at + count` are inside both rows.
                let found = unsafe {
                    let (canon, next) = (canon.add(from), next.as_ptr().add(from));
                    if count == super::SEGMENT_PX {
                        segment::<COPY>(canon, next)
                    } else {
                        part::<COPY>(canon, next, count)
                    }
                };
                *mask = found << shift;
                any |= found;
                at += count;
                shift = 0;
            }
            any != 0
        }
    };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use row_kernel;

#[cfg(test)]
mod tests;
