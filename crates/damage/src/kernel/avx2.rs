//! 32 bytes (eight pixels) at a time.

use super::{COLOUR_MASK, PIXEL_BYTES, SEGMENT_PX, check_edges, row_kernel, scalar};
use std::arch::x86_64::*;

row_kernel!("avx2");

const LANES: usize = 8;
const VECTORS: usize = SEGMENT_PX / LANES;

/// # Safety
/// A whole segment can be read at both pointers, and written at `canon` if `COPY`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn segment<const COPY: bool>(canon: *mut u8, next: *const u8) -> u64 {
    let mut any = _mm256_setzero_si256();
    for i in 0..VECTORS {
        // SAFETY: vector `i` is inside the segment.
        let (a, b) = unsafe { (load(canon, i), load(next, i)) };
        any = _mm256_or_si256(any, _mm256_xor_si256(a, b));
    }
    if _mm256_testz_si256(any, _mm256_set1_epi32(COLOUR_MASK as i32)) == 1 {
        return 0;
    }
    let mut mask = 0;
    for i in 0..VECTORS {
        // SAFETY: as above.
        let (a, b) = unsafe { (load(canon, i), load(next, i)) };
        let found = differing(a, b);
        if COPY && found != 0 {
            // SAFETY: as above, and `canon` may be written.
            unsafe { _mm256_storeu_si256(canon.cast::<__m256i>().add(i), b) };
        }
        mask |= u64::from(found) << (i * LANES);
    }
    mask
}

/// # Safety
/// As [`segment`], for `count` pixels.
#[target_feature(enable = "avx2")]
unsafe fn part<const COPY: bool>(canon: *mut u8, next: *const u8, count: usize) -> u64 {
    let mut mask = 0;
    for i in 0..count.div_ceil(LANES) {
        let lanes = lanes(count - i * LANES);
        // SAFETY: only lanes that stand for pixels below `count` are read or written.
        unsafe {
            let to = canon.cast::<i32>().add(i * LANES);
            let a = _mm256_maskload_epi32(to, lanes);
            let b = _mm256_maskload_epi32(next.cast::<i32>().add(i * LANES), lanes);
            let found = differing(a, b);
            if COPY && found != 0 {
                _mm256_maskstore_epi32(to, lanes, b);
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
    unsafe { edges_avx2(row, differs, greater) }
}

#[target_feature(enable = "avx2")]
fn edges_avx2(row: &[u8], differs: &mut [u64], greater: &mut [u64]) {
    let mask = _mm256_set1_epi32(COLOUR_MASK as i32);
    let vectors = (row.len() / PIXEL_BYTES - 1) / LANES;
    let words = differs.iter_mut().zip(greater.iter_mut()).enumerate();
    for (word, (differs, greater)) in words {
        (*differs, *greater) = (0, 0);
        for i in 0..(vectors - (word * VECTORS).min(vectors)).min(VECTORS) {
            let from = (word * SEGMENT_PX + i * LANES) * PIXEL_BYTES;
            // SAFETY: of the row's pixels but one, `vectors` whole vectors can be made, so this
            // one and the one a pixel further are in the row.
            let (before, here) = unsafe {
                let at = row.as_ptr().add(from);
                (load(at, 0), load(at.add(PIXEL_BYTES), 0))
            };
            let (before, here) = (_mm256_and_si256(before, mask), _mm256_and_si256(here, mask));
            let unequal = !movemask(_mm256_cmpeq_epi32(before, here));
            *differs |= u64::from(unequal) << (i * LANES);
            let higher = movemask(_mm256_cmpgt_epi32(here, before));
            *greater |= u64::from(higher) << (i * LANES);
        }
    }
    scalar::edges_from(row, vectors * LANES, differs, greater);
}

/// # Safety
/// Vector `i` from `at` can be read.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(at: *const u8, i: usize) -> __m256i {
    // SAFETY: the caller's promise.
    unsafe { _mm256_loadu_si256(at.cast::<__m256i>().add(i)) }
}

/// A bit for each pixel that differs.
#[inline]
#[target_feature(enable = "avx2")]
fn differing(a: __m256i, b: __m256i) -> u8 {
    let difference =
        _mm256_and_si256(_mm256_xor_si256(a, b), _mm256_set1_epi32(COLOUR_MASK as i32));
    !movemask(_mm256_cmpeq_epi32(difference, _mm256_setzero_si256()))
}

#[inline]
#[target_feature(enable = "avx2")]
fn movemask(lanes: __m256i) -> u8 {
    _mm256_movemask_ps(_mm256_castsi256_ps(lanes)) as u8
}

/// Selects the first `count` lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn lanes(count: usize) -> __m256i {
    let numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_cmpgt_epi32(_mm256_set1_epi32(count.min(LANES) as i32), numbers)
}
