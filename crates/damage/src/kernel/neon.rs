//! 16 bytes (four pixels) at a time; every aarch64 processor has it.

use super::{COLOUR_MASK, PIXEL_BYTES, SEGMENT_PX, check_edges, row_kernel, scalar};
use std::arch::aarch64::*;

row_kernel!("neon");

const LANES: usize = 4;
/// Vectors whose bits are gathered together.
const GROUP: usize = 4;
const GROUP_PX: usize = GROUP * LANES;

/// # Safety
/// A whole segment can be read at both pointers, and written at `canon` if `COPY`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn segment<const COPY: bool>(canon: *mut u8, next: *const u8) -> u64 {
    let mut any = vdupq_n_u32(0);
    for i in 0..SEGMENT_PX / LANES {
        // SAFETY: vector `i` is inside the segment.
        let (a, b) = unsafe { (load(canon, i * LANES), load(next, i * LANES)) };
        any = vorrq_u32(any, veorq_u32(a, b));
    }
    if vmaxvq_u32(vandq_u32(any, vdupq_n_u32(COLOUR_MASK))) == 0 {
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { groups::<COPY>(canon, next, SEGMENT_PX / GROUP_PX) }
}

/// # Safety
/// As [`segment`], for `count` pixels.
#[target_feature(enable = "neon")]
unsafe fn part<const COPY: bool>(canon: *mut u8, next: *const u8, count: usize) -> u64 {
    // SAFETY: the groups are among the first `count` pixels.
    let mut mask = unsafe { groups::<COPY>(canon, next, count / GROUP_PX) };
    for pixel in count / GROUP_PX * GROUP_PX..count {
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

/// A bit for each pixel that differs, of `count` groups.
///
/// # Safety
/// The groups can be read at both pointers, and written at `canon` if `COPY`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn groups<const COPY: bool>(canon: *mut u8, next: *const u8, count: usize) -> u64 {
    let colours = vdupq_n_u32(COLOUR_MASK);
    let mut mask = 0;
    for group in 0..count {
        let mut lanes = [vdupq_n_u32(0); GROUP];
        for (i, lanes) in lanes.iter_mut().enumerate() {
            let pixel = group * GROUP_PX + i * LANES;
            // SAFETY: these four pixels are in a group.
            let (a, b) = unsafe { (load(canon, pixel), load(next, pixel)) };
            *lanes = vtstq_u32(veorq_u32(a, b), colours);
            if COPY && vmaxvq_u32(*lanes) != 0 {
                // SAFETY: as above, and `canon` may be written.
                unsafe { vst1q_u8(canon.add(pixel * PIXEL_BYTES), vreinterpretq_u8_u32(b)) };
            }
        }
        mask |= u64::from(bits(lanes)) << (group * GROUP_PX);
    }
    mask
}

fn edges(row: &[u8], differs: &mut [u64], greater: &mut [u64]) {
    check_edges(row, differs, greater);
    let groups = (row.len() / PIXEL_BYTES - 1) / GROUP_PX;
    differs.fill(0);
    greater.fill(0);
    for group in 0..groups {
        // SAFETY: of the row's pixels but one, `groups` whole groups can be made, so this one
        // and the one a pixel further are in the row; every aarch64 processor has NEON.
        let (unequal, higher) = unsafe { edge_group(row.as_ptr(), group * GROUP_PX) };
        let (word, shift) = (group * GROUP_PX / SEGMENT_PX, group * GROUP_PX % SEGMENT_PX);
        differs[word] |= u64::from(unequal) << shift;
        greater[word] |= u64::from(higher) << shift;
    }
    scalar::edges_from(row, groups * GROUP_PX, differs, greater);
}

/// The edges before the sixteen pixels that follow `pixel`.
///
/// # Safety
/// Seventeen pixels from `pixel` on can be read.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn edge_group(row: *const u8, pixel: usize) -> (u16, u16) {
    let colours = vdupq_n_u32(COLOUR_MASK);
    let (mut unequal, mut higher) = ([vdupq_n_u32(0); GROUP], [vdupq_n_u32(0); GROUP]);
    for i in 0..GROUP {
        // SAFETY: the caller's promise.
        let (before, here) =
            unsafe { (load(row, pixel + i * LANES), load(row, pixel + i * LANES + 1)) };
        let (before, here) = (vandq_u32(before, colours), vandq_u32(here, colours));
        unequal[i] = vmvnq_u32(vceqq_u32(before, here));
        higher[i] = vcgtq_u32(here, before);
    }
    (bits(unequal), bits(higher))
}

/// A bit for each of sixteen lanes that are all ones or all zeros.
#[inline]
#[target_feature(enable = "neon")]
fn bits(lanes: [uint32x4_t; GROUP]) -> u16 {
    let low = vcombine_u16(vmovn_u32(lanes[0]), vmovn_u32(lanes[1]));
    let high = vcombine_u16(vmovn_u32(lanes[2]), vmovn_u32(lanes[3]));
    // Byte `i` of either half stands for bit `i`.
    let weights = vcreate_u8(0x8040_2010_0804_0201);
    let low = vaddv_u8(vand_u8(vmovn_u16(low), weights));
    let high = vaddv_u8(vand_u8(vmovn_u16(high), weights));
    u16::from(high) << 8 | u16::from(low)
}

/// # Safety
/// Four pixels from `pixel` on can be read.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load(at: *const u8, pixel: usize) -> uint32x4_t {
    // SAFETY: the caller's promise.
    vreinterpretq_u32_u8(unsafe { vld1q_u8(at.add(pixel * PIXEL_BYTES)) })
}
