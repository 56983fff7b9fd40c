//! 64 bytes (sixteen pixels) at a time; comparisons give bits at once.

use super::{COLOUR_MASK, PIXEL_BYTES, SEGMENT_PX, check_edges, row_kernel};
use std::arch::x86_64::*;

row_kernel!("avx512f,avx512bw");

const LANES: usize = 16;
const VECTORS: usize = SEGMENT_PX / LANES;

/// # Safety
/// A whole segment can be read at both pointers, and written at `canon` if `COPY`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn segment<const COPY: bool>(canon: *mut u8, next: *const u8) -> u64 {
    let mut mask = 0;
    for i in 0..VECTORS {
        // SAFETY: vector `i` is inside the segment.
        let (a, b) = unsafe { (load(canon, i), load(next, i)) };
        mask |= u64::from(differing(a, b)) << (i * LANES);
    }
    if COPY && mask != 0 {
        for i in 0..VECTORS {
            // SAFETY: as above, and `canon` may be written.
            unsafe { _mm512_storeu_si512(canon.cast::<__m512i>().add(i), load(next, i)) };
        }
    }
    mask
}

/// # Safety
/// As [`segment`], for `count` pixels.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn part<const COPY: bool>(canon: *mut u8, next: *const u8, count: usize) -> u64 {
    let mut mask = 0;
    for i in 0..count.div_ceil(LANES) {
        let lanes = lanes(count - i * LANES);
        // SAFETY: only lanes that stand for pixels below `count` are read or written.
        unsafe {
            let to = canon.cast::<i32>().add(i * LANES);
            let a = _mm512_maskz_loadu_epi32(lanes, to);
            let b = _mm512_maskz_loadu_epi32(lanes, next.cast::<i32>().add(i * LANES));
            let found = differing(a, b);
            if COPY && found != 0 {
                _mm512_mask_storeu_epi32(to, lanes, b);
            }
            mask |= u64::from(found) << (i * LANES);
        }
    }
    mask
}

fn edges(row: &[u8], differs: &mut [u64], greater: &mut [u64]) {
    check_edges(row, differs, greater);
    // SAFETY: `ROWS` is reachable only where `Kernel::is_available` found the instructions; the
    // words fit the row (checked above).
    unsafe { edges_avx512(row, differs, greater) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn edges_avx512(row: &[u8], differs: &mut [u64], greater: &mut [u64]) {
    let edges = row.len() / PIXEL_BYTES - 1;
    for (word, (differs, greater)) in differs.iter_mut().zip(greater.iter_mut()).enumerate() {
        (*differs, *greater) = (0, 0);
        let count = (edges - word * SEGMENT_PX).min(SEGMENT_PX);
        for i in 0..count.div_ceil(LANES) {
            let lanes = lanes(count - i * LANES);
            let from = (word * SEGMENT_PX + i * LANES) * PIXEL_BYTES;
            // SAFETY: only lanes are read that stand for an edge: pixel `i` and the one after
            // are in the row.
            let (before, here) = unsafe {
                let at = row.as_ptr().add(from).cast::<i32>();
                (_mm512_maskz_loadu_epi32(lanes, at), _mm512_maskz_loadu_epi32(lanes, at.add(1)))
            };
            let before = _mm512_and_si512(before, colours());
            let here = _mm512_and_si512(here, colours());
            let unequal = _mm512_cmpneq_epi32_mask(before, here);
            *differs |= u64::from(unequal) << (i * LANES);
            let higher = _mm512_cmpgt_epi32_mask(here, before);
            *greater |= u64::from(higher) << (i * LANES);
        }
    }
}

/// # Safety
/// Vector `i` from `at` can be read.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn load(at: *const u8, i: usize) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe { _mm512_loadu_si512(at.cast::<__m512i>().add(i)) }
}

/// A bit for each pixel that differs.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn differing(a: __m512i, b: __m512i) -> u16 {
    _mm512_test_epi32_mask(_mm512_xor_si512(a, b), colours())
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn colours() -> __m512i {
    _mm512_set1_epi32(COLOUR_MASK as i32)
}

/// Selects the first `count` lanes.
#[inline]
fn lanes(count: usize) -> __mmask16 {
    if count >= LANES { !0 } else { (1 << count) - 1 }
}
