//! Areas of consecutive palette operations that stand side by side: their indices are told row by
//! row across all of them, so that lines of text are not cut where tiles end.

use farpane_frame::{Rect, TILE_PX};
use std::ops::Range;

/// Whether `next` goes on to the right of `last`, when nothing was written in between.
pub(crate) fn goes_on(last: Rect, next: Rect) -> bool {
    last.y / TILE_PX == next.y / TILE_PX && next.x >= last.right()
}

/// Where the rows of a strip's areas lie among its indices.
#[derive(Debug)]
pub(crate) struct Rows {
    /// For each row of tiles' pixels where the next area's part of it begins.
    next: [usize; TILE_PX as usize],
    len: usize,
}

impl Rows {
    /// Of a strip of these areas.
    pub(crate) fn of(areas: impl Iterator<Item = Rect>) -> Self {
        let mut next = [0; TILE_PX as usize];
        for area in areas {
            let top = (area.y % TILE_PX) as usize;
            next[top..][..area.height as usize].iter_mut().for_each(|n| *n += area.width as usize);
        }
        let mut len = 0;
        for next in &mut next {
            len += std::mem::replace(next, len);
        }
        Self { next, len }
    }

    /// Indices of the whole strip.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the rows of the next area lie.
    pub(crate) fn take(&mut self, area: Rect) -> impl Iterator<Item = Range<usize>> + '_ {
        let (top, width) = ((area.y % TILE_PX) as usize, area.width as usize);
        self.next[top..][..area.height as usize].iter_mut().map(move |next| {
            *next += width;
            *next - width..*next
        })
    }
}

#[cfg(feature = "encoder")]
pub(crate) use encode::Strips;

#[cfg(feature = "encoder")]
mod encode {
    use super::{Rows, goes_on};
    use farpane_frame::Rect;

    /// The areas of a batch's palette operations, in strips.
    #[derive(Debug, Default)]
    pub(crate) struct Strips {
        areas: Vec<Rect>,
        /// How many areas each strip has.
        lens: Vec<usize>,
        /// The length of the operations up to the last one of these.
        ops_len: usize,
    }

    impl Strips {
        pub(crate) fn clear(&mut self) {
            self.areas.clear();
            self.lens.clear();
        }

        /// Notes an operation for `area`, before which there were `before` bytes of operations,
        /// and after which there are `after`.
        pub(crate) fn push(&mut self, area: Rect, before: usize, after: usize) {
            let last = self.areas.last().filter(|last| goes_on(**last, area));
            match self.lens.last_mut().filter(|_| last.is_some() && before == self.ops_len) {
                Some(len) => *len += 1,
                None => self.lens.push(1),
            }
            self.areas.push(area);
            self.ops_len = after;
        }

        /// Appends `indices`, which are those of one area after the other, to `out` strip by strip.
        pub(crate) fn join(&self, mut indices: &[u8], out: &mut Vec<u8>) {
            let mut areas = &self.areas[..];
            for len in &self.lens {
                let strip;
                (strip, areas) = areas.split_at(*len);
                let mut rows = Rows::of(strip.iter().copied());
                let start = out.len();
                out.resize(start + rows.len(), 0);
                for area in strip {
                    for at in rows.take(*area) {
                        let row;
                        (row, indices) = indices.split_at(at.len());
                        out[start..][at].copy_from_slice(row);
                    }
                }
            }
        }
    }
}

#[cfg(all(test, feature = "encoder"))]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_told_row_by_row_and_others_one_after_the_other() {
        let mut strips = Strips::default();
        let areas = [
            Rect::new(0, 0, 2, 2),
            // of another height, then after a gap
            Rect::new(2, 1, 1, 2),
            Rect::new(8, 0, 2, 1),
            // of another row of tiles, then to the left
            Rect::new(12, 64, 2, 1),
            Rect::new(4, 64, 1, 1),
        ];
        for (i, area) in areas.into_iter().enumerate() {
            strips.push(area, 3 * i, 3 * i + 3);
        }
        // after another operation
        strips.push(Rect::new(5, 64, 1, 2), 20, 23);
        let indices: Vec<u8> = (1..=13).collect();
        let mut joined = Vec::new();
        strips.join(&indices, &mut joined);
        assert_eq!(joined, [1, 2, 7, 8, 3, 4, 5, 6, 9, 10, 11, 12, 13]);
    }
}
