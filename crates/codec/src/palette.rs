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
pub(crate) use encode::{NewColour, Palette, index_bits, pack};

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

    /// Lists of the colour table: two a colour keep them short.
    const LISTS: usize = 2 * MAX_COLOURS;

    /// The end of a list.
    const END: u16 = MAX_COLOURS as u16;

    /// Colours that were used in so many cells before are replaced last.
    const LATELY: u32 = 8;

    /// A colour that a cell brings, and how many places of the palette are left as they are
    /// before it takes one.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct NewColour {
        pub(crate) colour: u32,
        pub(crate) skipped: u8,
    }

    /// The colours met lately, each in its place until another takes it.
    #[derive(Debug)]
    pub(crate) struct Palette {
        colours: [u32; MAX_COLOURS],
        /// The cell that used each colour last.
        used: [u32; MAX_COLOURS],
        /// Places taken so far, from the first on.
        taken: usize,
        /// The place after the one that was given away last.
        hand: u8,
        cell: u32,
        /// Whether the cell at hand found all places used lately: they stay so while it lasts.
        all_lately: bool,
        /// The first place of each list of colours with the same hash, and what follows a place.
        heads: Box<[u16; LISTS]>,
        next: [u16; MAX_COLOURS],
        /// What the cell at hand replaced: the place, and its colour if it had one.
        replaced: Vec<(u8, Option<u32>)>,
        /// The colours that the cell at hand brings, in order, and the places they came to first.
        sorted: Vec<(u32, u8)>,
    }

    impl Palette {
        pub(crate) fn new() -> Self {
            Self {
                colours: [0; MAX_COLOURS],
                used: [0; MAX_COLOURS],
                taken: 0,
                hand: 0,
                cell: 0,
                all_lately: false,
                heads: Box::new([END; LISTS]),
                next: [END; MAX_COLOURS],
                replaced: Vec::with_capacity(MAX_COLOURS),
                sorted: Vec::with_capacity(MAX_COLOURS),
            }
        }

        /// Places taken so far.
        pub(crate) fn taken(&self) -> usize {
            self.taken
        }

        pub(crate) fn clear(&mut self) {
            self.heads.fill(END);
            (self.taken, self.hand, self.cell) = (0, 0, 0);
        }

        /// Appends the place of each pixel's colour to `out`, and what the palette had not to
        /// `new`. False, with all of these as before, when that would be more than `limit`
        /// colours, or when one cell has more than fit.
        pub(crate) fn map(
            &mut self,
            pixels: &[u32],
            limit: usize,
            out: &mut Vec<u8>,
            new: &mut Vec<NewColour>,
        ) -> bool {
            let (at, brought, taken, hand) = (out.len(), new.len(), self.taken, self.hand);
            self.cell += 1;
            self.all_lately = false;
            self.replaced.clear();
            out.resize(at + pixels.len(), 0);
            let (indices, mut x) = (&mut out[at..], 0);
            while x < pixels.len() {
                let run = run_len(&pixels[x..]);
                let Some(place) = self.place(pixels[x], limit, new) else {
                    self.undo(taken, hand);
                    out.truncate(at);
                    new.truncate(brought);
                    return false;
                };
                indices[x..x + run].fill(place);
                x += run;
            }
            self.sort(&mut out[at..], &mut new[brought..]);
            true
        }

        /// Puts what a cell brought into order, in which it takes fewer bytes than in the order in
        /// which it was met. The places that it took stay the same.
        fn sort(&mut self, indices: &mut [u8], new: &mut [NewColour]) {
            if new.is_sorted_by_key(|new| order(new.colour)) {
                return;
            }
            let mut sorted = std::mem::take(&mut self.sorted);
            let places = || self.replaced.iter().map(|(place, _)| *place);
            sorted.clear();
            sorted.extend(new.iter().map(|new| new.colour).zip(places()));
            sorted.sort_unstable_by_key(|(colour, _)| order(*colour));
            let mut moved: [u8; MAX_COLOURS] = std::array::from_fn(|place| place as u8);
            for (((colour, from), to), new) in sorted.iter().zip(places()).zip(new) {
                moved[usize::from(*from)] = to;
                new.colour = *colour;
            }
            indices.iter_mut().for_each(|index| *index = moved[usize::from(*index)]);
            sorted.iter().for_each(|(colour, from)| self.unlink(*from, *colour));
            for (colour, from) in &sorted {
                self.link(moved[usize::from(*from)], *colour, list_of(*colour));
            }
            self.sorted = sorted;
        }

        /// The place of `colour`, a new one while `limit` allows.
        #[inline(always)]
        fn place(&mut self, colour: u32, limit: usize, new: &mut Vec<NewColour>) -> Option<u8> {
            let list = list_of(colour);
            let mut at = self.heads[list];
            while at != END && self.colours[usize::from(at)] != colour {
                at = self.next[usize::from(at)];
            }
            if at == END {
                at = u16::from(self.take_place(colour, list, limit, new)?);
            }
            self.used[usize::from(at)] = self.cell;
            Some(at as u8)
        }

        #[cold]
        fn take_place(
            &mut self,
            colour: u32,
            list: usize,
            limit: usize,
            new: &mut Vec<NewColour>,
        ) -> Option<u8> {
            if self.replaced.len() >= limit {
                return None;
            }
            let place = self.vacant()?;
            let old = (usize::from(place) < self.taken).then(|| self.colours[usize::from(place)]);
            if let Some(old) = old {
                self.unlink(place, old);
            }
            self.taken = self.taken.max(usize::from(place) + 1);
            self.link(place, colour, list);
            self.replaced.push((place, old));
            new.push(NewColour { colour, skipped: place.wrapping_sub(self.hand) });
            self.hand = place.wrapping_add(1);
            Some(place)
        }

        /// The next place that was not used lately, or at least not by this cell.
        fn vacant(&mut self) -> Option<u8> {
            if self.taken < MAX_COLOURS {
                return Some(self.taken as u8);
            }
            if !self.all_lately {
                let place = self.unused_for(LATELY);
                if place.is_some() {
                    return place;
                }
                self.all_lately = true;
            }
            self.unused_for(1)
        }

        /// The next place, from the hand on, that as many cells have not used.
        fn unused_for(&self, cells: u32) -> Option<u8> {
            let (before, from_hand) = self.used.split_at(usize::from(self.hand));
            let unused = |used: &u32| *used + cells <= self.cell;
            let next = from_hand.iter().position(unused).map(|i| self.hand + i as u8);
            next.or_else(|| before.iter().position(unused).map(|i| i as u8))
        }

        fn link(&mut self, place: u8, colour: u32, list: usize) {
            let head = &mut self.heads[list];
            (self.colours[usize::from(place)], self.next[usize::from(place)]) = (colour, *head);
            *head = u16::from(place);
        }

        fn unlink(&mut self, place: u8, colour: u32) {
            let (list, next) = (list_of(colour), self.next[usize::from(place)]);
            let mut at = self.heads[list];
            if at == u16::from(place) {
                self.heads[list] = next;
                return;
            }
            while self.next[usize::from(at)] != u16::from(place) {
                at = self.next[usize::from(at)];
            }
            self.next[usize::from(at)] = next;
        }

        /// Puts back what the cell at hand replaced.
        fn undo(&mut self, taken: usize, hand: u8) {
            while let Some((place, old)) = self.replaced.pop() {
                self.unlink(place, self.colours[usize::from(place)]);
                if let Some(old) = old {
                    self.link(place, old, list_of(old));
                }
            }
            (self.taken, self.hand) = (taken, hand);
        }
    }

    /// What colours that a cell brings are in order of: green, then red, then blue.
    fn order(colour: u32) -> u32 {
        let [blue, green, red, _] = colour.to_le_bytes();
        u32::from_le_bytes([blue, red, green, 0])
    }

    fn list_of(colour: u32) -> usize {
        // Fibonacci hashing: the high bits of the product mix all bits of the colour.
        (colour.wrapping_mul(0x9E37_79B1) >> 23) as usize % LISTS
    }

    /// How many pixels from the first on have its colour.
    #[inline(always)]
    fn run_len(pixels: &[u32]) -> usize {
        let colour = pixels[0];
        let differs = |part: &[u32]| part.iter().fold(0, |all, p| all | (p ^ colour)) != 0;
        let mut run = 1;
        while run < pixels.len().min(4) {
            if pixels[run] != colour {
                return run;
            }
            run += 1;
        }
        while pixels.get(run..run + 8).is_some_and(|part| !differs(part)) {
            run += 8;
        }
        run + pixels[run..].iter().take_while(|p| **p == colour).count()
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
            cells in prop::collection::vec(prop::collection::vec(0u32..400, 1..300), 1..20),
            limit in 1usize..=MAX_COLOURS,
        ) {
            let (mut palette, mut out, mut new) = (Palette::new(), Vec::new(), Vec::new());
            // what a decoder has
            let (mut places, mut hand) = ([u32::MAX; MAX_COLOURS], 0u8);
            for cell in cells {
                // spread over the colour space, so that hashes differ
                let cell: Vec<u32> = cell.iter().map(|c| (c * 0x9E37) & 0xFF_FFFF).collect();
                let (at, brought) = (out.len(), new.len());
                let mut distinct = cell.clone();
                distinct.sort_unstable();
                distinct.dedup();
                let unknown = distinct.iter().filter(|c| !places.contains(c)).count();
                let mapped = palette.map(&cell, limit, &mut out, &mut new);
                prop_assert!(mapped || unknown.min(distinct.len()) > 0);
                if !mapped {
                    prop_assert_eq!((out.len(), new.len()), (at, brought));
                    continue;
                }
                for NewColour { colour, skipped } in &new[brought..] {
                    hand = hand.wrapping_add(*skipped);
                    places[usize::from(hand)] = *colour;
                    hand = hand.wrapping_add(1);
                }
                let back = out[at..].iter().map(|i| places[usize::from(*i)]);
                prop_assert!(back.eq(cell.iter().copied()));
                prop_assert!(new.len() - brought <= limit);
            }
        }
    }

    #[test]
    fn an_index_beyond_the_palette_is_refused() {
        assert_eq!(check(&[0, 3, 1], 4), Ok(()));
        assert_eq!(check(&[0, 4, 1], 4), Err(DecodeError::Colour { found: 4, colours: 4 }));
    }
}
