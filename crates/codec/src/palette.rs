//! The colours that consecutive cells share, and packing of indices into bits.

use crate::DecodeError;

/// Colours in a palette at most: an index is a byte.
pub(crate) const MAX_COLOURS: usize = 256;

/// Unpacks indices of 1, 2, 4 or 8 bits, lowest bits first. There may be up to seven more than
/// were packed, all 0.
pub(crate) fn unpack(packed: &[u8], bits: u32, out: &mut Vec<u8>) {
    out.clear();
    match bits {
        1 => unpack_by::<8>(packed, out),
        2 => unpack_by::<4>(packed, out),
        4 => unpack_by::<2>(packed, out),
        _ => out.extend_from_slice(packed),
    }
}

fn unpack_by<const PER_BYTE: usize>(packed: &[u8], out: &mut Vec<u8>) {
    let bits = 8 / PER_BYTE;
    let mask = ((1u16 << bits) - 1) as u8;
    out.resize(packed.len() * PER_BYTE, 0);
    for (byte, out) in packed.iter().zip(out.chunks_exact_mut(PER_BYTE)) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = byte >> (i * bits) & mask;
        }
    }
}

/// Checks that every index names one of `colours` colours.
pub(crate) fn check(indices: &[u8], colours: usize) -> Result<(), DecodeError> {
    let largest = indices.iter().fold(0, |a, i| a.max(*i));
    if usize::from(largest) < colours {
        return Ok(());
    }
    Err(DecodeError::Colour { found: largest, colours })
}

#[cfg(feature = "encoder")]
pub(crate) use encode::{Palette, index_bits, pack};

#[cfg(feature = "encoder")]
mod encode {
    use super::MAX_COLOURS;

    /// The fewest bits, of 1, 2, 4 and 8, that tell `colours` colours apart.
    pub(crate) fn index_bits(colours: usize) -> u32 {
        match colours {
            0..=2 => 1,
            3..=4 => 2,
            5..=16 => 4,
            _ => 8,
        }
    }

    /// Packs indices of `bits` bits each, lowest bits first, the last byte filled with 0.
    pub(crate) fn pack<'a>(indices: &'a [u8], bits: u32, out: &'a mut Vec<u8>) -> &'a [u8] {
        out.clear();
        match bits {
            1 => pack_by::<8>(indices, out),
            2 => pack_by::<4>(indices, out),
            4 => pack_by::<2>(indices, out),
            _ => return indices,
        }
        out
    }

    fn pack_by<const PER_BYTE: usize>(indices: &[u8], out: &mut Vec<u8>) {
        let bits = 8 / PER_BYTE;
        let join = |part: &[u8]| {
            part.iter().enumerate().fold(0u8, |byte, (i, index)| byte | index << (i * bits))
        };
        let whole = indices.chunks_exact(PER_BYTE);
        let rest = whole.remainder();
        out.extend(whole.map(join));
        if !rest.is_empty() {
            out.push(join(rest));
        }
    }

    /// Slots of the colour table: four per colour keep probes short.
    const SLOTS: usize = 4 * MAX_COLOURS;

    /// No colour: colours have 24 bits.
    const EMPTY: u32 = u32::MAX;

    /// The colours met so far, numbered in order of appearance.
    #[derive(Debug)]
    pub(crate) struct Palette {
        /// Colour and number by hash, open addressing. Entries leave in the reverse order of
        /// their coming only, so that no probe is cut short.
        table: Box<[(u32, u8); SLOTS]>,
        colours: Vec<u32>,
    }

    impl Palette {
        pub(crate) fn new() -> Self {
            Self { table: Box::new([(EMPTY, 0); SLOTS]), colours: Vec::with_capacity(MAX_COLOURS) }
        }

        pub(crate) fn colours(&self) -> &[u32] {
            &self.colours
        }

        pub(crate) fn clear(&mut self) {
            self.truncate(0);
        }

        fn truncate(&mut self, colours: usize) {
            while self.colours.len() > colours {
                if let Some(colour) = self.colours.pop() {
                    let slot = self.slot(colour);
                    self.table[slot] = (EMPTY, 0);
                }
            }
        }

        /// The slot of `colour`, or the empty one where it belongs.
        #[inline(always)]
        fn slot(&self, colour: u32) -> usize {
            // Fibonacci hashing: the high bits of the product mix all bits of the colour.
            let mut slot = (colour.wrapping_mul(0x9E37_79B1) >> 22) as usize % SLOTS;
            while self.table[slot].0 != colour && self.table[slot].0 != EMPTY {
                slot = (slot + 1) % SLOTS;
            }
            slot
        }

        /// Appends the number of each pixel's colour to `out`, and new colours to the palette.
        /// False, with both unchanged, when the palette would exceed `limit` colours.
        pub(crate) fn map(&mut self, pixels: &[u32], limit: usize, out: &mut Vec<u8>) -> bool {
            let (known, at) = (self.colours.len(), out.len());
            debug_assert!(limit <= MAX_COLOURS);
            out.resize(at + pixels.len(), 0);
            let (mut last, mut number) = (EMPTY, 0u8);
            for (pixel, index) in pixels.iter().zip(&mut out[at..]) {
                if *pixel != last {
                    last = *pixel;
                    match self.number(last, limit) {
                        Some(found) => number = found,
                        None => {
                            self.truncate(known);
                            out.truncate(at);
                            return false;
                        }
                    }
                }
                *index = number;
            }
            true
        }

        /// The number of `colour`, a new one while the palette has fewer than `limit`.
        #[inline(always)]
        fn number(&mut self, colour: u32, limit: usize) -> Option<u8> {
            let slot = self.slot(colour);
            if self.table[slot].0 == EMPTY {
                if self.colours.len() >= limit {
                    return None;
                }
                self.table[slot] = (colour, self.colours.len() as u8);
                self.colours.push(colour);
            }
            Some(self.table[slot].1)
        }
    }
}

#[cfg(all(test, feature = "encoder"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_indices_come_back(
            bits in prop::sample::select(vec![1u32, 2, 4, 8]),
            mut indices in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            for i in &mut indices {
                *i &= ((1u32 << bits) - 1) as u8;
            }
            let (mut packed, mut back) = (Vec::new(), Vec::new());
            unpack(pack(&indices, bits, &mut packed), bits, &mut back);
            prop_assert!(back.len() - indices.len() < 8);
            prop_assert_eq!(&back[..indices.len()], &indices[..]);
            prop_assert!(back[indices.len()..].iter().all(|i| *i == 0));
        }

        #[test]
        fn a_cell_is_mapped_wholly_or_not_at_all(
            cells in prop::collection::vec(prop::collection::vec(0u32..400, 1..300), 1..8),
            limit in 1usize..=MAX_COLOURS,
        ) {
            let (mut palette, mut out) = (Palette::new(), Vec::new());
            for cell in cells {
                // spread over the colour space, so that hashes differ
                let cell: Vec<u32> = cell.iter().map(|c| (c * 0x9E37) & 0xFF_FFFF).collect();
                let (before, at) = (palette.colours().to_vec(), out.len());
                let mut new = cell.clone();
                new.sort_unstable();
                new.dedup();
                new.retain(|c| !before.contains(c));
                let fits = before.len() + new.len() <= limit.max(before.len());
                prop_assert_eq!(palette.map(&cell, limit, &mut out), fits);
                if fits {
                    let back = out[at..].iter().map(|i| palette.colours()[usize::from(*i)]);
                    prop_assert!(back.eq(cell.iter().copied()));
                } else {
                    prop_assert_eq!(palette.colours(), &before[..]);
                    prop_assert_eq!(out.len(), at);
                }
            }
        }
    }

    #[test]
    fn an_index_beyond_the_palette_is_refused() {
        assert_eq!(check(&[0, 3, 1], 4), Ok(()));
        assert_eq!(check(&[0, 4, 1], 4), Err(DecodeError::Colour { found: 4, colours: 4 }));
    }
}
