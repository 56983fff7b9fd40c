//! 16 bytes (four pixels) at a time.

use super::{COLOUR_MASK, PIXEL_BYTES, SEGMENT_PX, check_edges, row_kernel, scalar};
use std::arch::x86_64::*;

row_kernel!("sse2");

const LANES: usize = 4;
const VECTORS: usize = SEGMENT_PX / LANES;

/// # Safety
/// A whole segment can be read at both pointers, and written at `canon` if `COPY`.
#[inline]
#[target_feature(enable = "sse2")]
unsafe fn segment<const COPY: bool>(canon: *mut u8, next: *const u8) -> u64 {
    let mut any = _mm_setzero_si128();
    for i in 0..VECTORS {
        // SAFETY: vector `i` is inside the segment.
        let (a, b) = unsafe { (load(canon, i), load(next, i)) };
        any = _mm_or_si128(any, _mm_xor_si128(a, b));
    }
    if differing(any, _mm_setzero_si128()) == 0 {
        return 0;
    }
    let mut mask = 0;
    for i in 0..VECTORS {
        // SAFETY: vector `i` is inside the segment.
        mask |= unsafe { vector::<COPY>(canon, next, i) };
    }
    mask
}

/// # Safety
/// As [`segment`], for `count` pixels.
#[target_feature(enable = "sse2")]
unsafe fn part<const COPY: bool>(canon: *mut u8, next: *const u8, count: usize) -> u64 {
    let mut mask = 0;
    for i in 0..count / LANES {
        // SAFETY: vector `i` is among the first `count` pixels.
        mask |= unsafe { vector::<COPY>(canon, next, i) };
    }
    for pixel in count / LANES * LANES..count {
        // SAFETY: `pixel` is below `count`; a pixel's address need not be aligned.
        unsafe {
            let to = canon.cast::<u32>().add(pixel);
            let (a, b) = (to.read_unaligned(), next.cast::<u32>().add(pixel).read_unaligned());
            if (a ^ b) & COLOUR_MASK != 0 {
                mask |= 1 << pixel;
                if COPY {
                    to.write_unaligned(b);
                }
            }
        }
    }
    mask
}

fn edges(row: &[u8], differs: &mut [u64], greater: &mut [u64]) {
    check_edges(row, differs, greater);
    let mask = COLOUR_MASK as i32;
    let whole = (row.len() / PIXEL_BYTES - 1) / SEGMENT_PX;
    for word in 0..whole {
        let (mut equal_bits, mut greater_bits) = (0u64, 0u64);
        for i in 0..VECTORS {
            let from = (word * SEGMENT_PX + i * LANES) * PIXEL_BYTES;
            // SAFETY: segment `word` is whole, so one pixel more than it holds is in the row;
            // every x86-64 processor has SSE2.
            let (equal, higher) = unsafe {
                let at = row.as_ptr().add(from);
                let mask = _mm_set1_epi32(mask);
                let before = _mm_and_si128(load(at, 0), mask);
                let here = _mm_and_si128(load(at.add(PIXEL_BYTES), 0), mask);
                (movemask(_mm_cmpeq_epi32(before, here)), movemask(_mm_cmpgt_epi32(here, before)))
            };
            equal_bits |= equal << (i * LANES);
            greater_bits |= higher << (i * LANES);
        }
        differs[word] = !equal_bits;
        greater[word] = greater_bits;
    }
    differs[whole..].fill(0);
    greater[whole..].fill(0);
    scalar::edges_from(row, whole * SEGMENT_PX, differs, greater);
}

/// # Safety
/// Vector `i` can be read at both pointers, and written at `canon` if `COPY`.
#[inline]
#[target_feature(enable = "sse2")]
unsafe fn vector<const COPY: bool>(canon: *mut u8, next: *const u8, i: usize) -> u64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (a, b) = (load(canon, i), load(next, i));
        let found = differing(a, b);
        if COPY && found != 0 {
            _mm_storeu_si128(canon.cast::<__m128i>().add(i), b);
        }
        found << (i * LANES)
    }
}

/// # Safety
/// Vector `i` from `at` can be read.
#[inline]
#[target_feature(enable = "sse2")]
unsafe fn load(at: *const u8, i: usize) -> __m128i {
    // SAFETY: the caller's promise.
    unsafe { _mm_loadu_si128(at.cast::<__m128i>().add(i)) }
}

/// A bit for each pixel that differs.
#[inline]
#[target_feature(enable = "sse2")]
fn differing(a: __m128i, b: __m128i) -> u64 {
    let difference = _mm_and_si128(_mm_xor_si128(a, b), _mm_set1_epi32(COLOUR_MASK as i32));
    movemask(_mm_cmpeq_epi32(difference, _mm_setzero_si128())) ^ 0xf
}

#[inline]
#[target_feature(enable = "sse2")]
fn movemask(lanes: __m128i) -> u64 {
    _mm_movemask_ps(_mm_castsi128_ps(lanes)) as u64
}
