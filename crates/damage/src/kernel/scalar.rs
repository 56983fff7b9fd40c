//! The reference: what every kernel must give, in plain code.

use super::{COLOUR_MASK, PIXEL_BYTES, Rows, SEGMENT_PX, check_edges, check_rows};

pub(super) static ROWS: Rows = Rows { compare, update, edges };

fn compare(canon: &[u8], next: &[u8], lead: usize, masks: &mut [u64]) -> bool {
    check_rows(canon, next, lead, masks);
    masks.fill(0);
    let pairs = canon.chunks_exact(PIXEL_BYTES).zip(next.chunks_exact(PIXEL_BYTES));
    for (bit, (a, b)) in (lead..).zip(pairs) {
        masks[bit / SEGMENT_PX] |= u64::from(a[..3] != b[..3]) << (bit % SEGMENT_PX);
    }
    masks.iter().any(|mask| *mask != 0)
}

fn update(canon: &mut [u8], next: &[u8], lead: usize, masks: &mut [u64]) -> bool {
    if !compare(canon, next, lead, masks) {
        return false;
    }
    let pairs = canon.chunks_exact_mut(PIXEL_BYTES).zip(next.chunks_exact(PIXEL_BYTES));
    for (bit, (a, b)) in (lead..).zip(pairs) {
        if masks[bit / SEGMENT_PX] >> (bit % SEGMENT_PX) & 1 == 1 {
            a[..3].copy_from_slice(&b[..3]);
        }
    }
    true
}

pub(super) fn edges(row: &[u8], differs: &mut [u64], greater: &mut [u64]) {
    check_edges(row, differs, greater);
    differs.fill(0);
    greater.fill(0);
    edges_from(row, 0, differs, greater);
}

/// Sets the bits from number `first` on.
pub(super) fn edges_from(row: &[u8], first: usize, differs: &mut [u64], greater: &mut [u64]) {
    for bit in first..row.len() / PIXEL_BYTES - 1 {
        let (before, here) = (colour(row, bit), colour(row, bit + 1));
        let (word, shift) = (bit / SEGMENT_PX, bit % SEGMENT_PX);
        differs[word] |= u64::from(here != before) << shift;
        greater[word] |= u64::from(here > before) << shift;
    }
}

fn colour(row: &[u8], pixel: usize) -> u32 {
    let at = pixel * PIXEL_BYTES;
    u32::from_le_bytes([row[at], row[at + 1], row[at + 2], 0]) & COLOUR_MASK
}
