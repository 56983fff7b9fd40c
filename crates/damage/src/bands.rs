//! Overlapping rectangles as disjoint spans of rows.

use farpane_frame::{Rect, Size};

/// The most rectangles a hint may have. The disjoint form can need the square of it, so this
/// bounds memory to about 1 MiB; `farpane_frame::Region` never has more than 64.
pub(crate) const MAX_HINT_RECTS: usize = 256;

/// A set of pixels: bands of rows, top-down, in each the same disjoint columns from left to right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bands {
    bands: Vec<Band>,
    spans: Vec<Span>,
    edges: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Band {
    top: u32,
    bottom: u32,
    first: u32,
    end: u32,
}

/// Columns `left..right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) left: u32,
    pub(crate) right: u32,
}

impl Bands {
    /// Becomes the union of `rects` inside a picture of `size`.
    pub(crate) fn rebuild(&mut self, rects: &[Rect], size: Size) {
        self.clear();
        let clipped = || rects.iter().map(|r| r.clip(size)).filter(|r| !r.is_empty());
        self.edges.extend(clipped().flat_map(|r| [r.y, r.bottom()]));
        self.edges.sort_unstable();
        self.edges.dedup();
        for i in 1..self.edges.len() {
            let (top, bottom) = (self.edges[i - 1], self.edges[i]);
            let first = self.spans.len();
            let across = clipped().filter(|r| r.y <= top && r.bottom() >= bottom);
            self.spans.extend(across.map(|r| Span { left: r.x, right: r.right() }));
            join(&mut self.spans, first);
            if self.spans.len() > first {
                let (first, end) = (first as u32, self.spans.len() as u32);
                self.bands.push(Band { top, bottom, first, end });
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bands.clear();
        self.spans.clear();
        self.edges.clear();
    }

    /// Each band's rows with its columns, top-down.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (std::ops::Range<u32>, &[Span])> {
        self.bands.iter().map(|b| (b.top..b.bottom, self.columns(b)))
    }

    /// The bands that touch rows `top..bottom`, cut to them.
    pub(crate) fn rows(
        &self,
        top: u32,
        bottom: u32,
    ) -> impl Iterator<Item = (std::ops::Range<u32>, &[Span])> {
        let first = self.bands.partition_point(|b| b.bottom <= top);
        self.bands[first..]
            .iter()
            .take_while(move |b| b.top < bottom)
            .map(move |b| (b.top.max(top)..b.bottom.min(bottom), self.columns(b)))
    }

    /// The first row of pixels and the one after the last; `None` without pixels.
    pub(crate) fn rows_bounds(&self) -> Option<(u32, u32)> {
        Some((self.bands.first()?.top, self.bands.last()?.bottom))
    }

    /// How many pixels there are.
    pub(crate) fn area_px(&self) -> u64 {
        let widths =
            |spans: &[Span]| spans.iter().map(|s| u64::from(s.right - s.left)).sum::<u64>();
        self.iter().map(|(rows, spans)| rows.len() as u64 * widths(spans)).sum()
    }

    /// The columns around (`x`, `y`) in row `y`, if that pixel is in the set.
    pub(crate) fn span_at(&self, x: u32, y: u32) -> Option<Span> {
        let (_, spans) = self.rows(y, y + 1).next()?;
        spans.iter().copied().find(|s| s.left <= x && x < s.right)
    }

    fn columns(&self, band: &Band) -> &[Span] {
        &self.spans[band.first as usize..band.end as usize]
    }
}

/// Makes the spans from number `first` on disjoint, sorted and not adjacent.
fn join(spans: &mut Vec<Span>, first: usize) {
    if spans.len() - first < 2 {
        return;
    }
    spans[first..].sort_unstable_by_key(|s| s.left);
    let mut last = first;
    for i in first + 1..spans.len() {
        if spans[i].left <= spans[last].right {
            spans[last].right = spans[last].right.max(spans[i].right);
        } else {
            last += 1;
            spans[last] = spans[i];
        }
    }
    spans.truncate(last + 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bands_hold_each_pixel_of_the_rectangles_once(
            rects in prop::collection::vec((0u32..40, 0u32..40, 0u32..20, 0u32..20), 0..12)
        ) {
            let rects: Vec<_> = rects.iter().map(|r| Rect::new(r.0, r.1, r.2, r.3)).collect();
            let size = Size::new(45, 50);
            let mut bands = Bands::default();
            bands.rebuild(&rects, size);
            let mut seen = vec![0u8; 45 * 50];
            for (rows, spans) in bands.iter() {
                for (y, span) in rows.flat_map(|y| spans.iter().map(move |s| (y, s))) {
                    (span.left..span.right).for_each(|x| seen[(y * 45 + x) as usize] += 1);
                }
            }
            for (y, x) in (0..50).flat_map(|y| (0..45).map(move |x| (y, x))) {
                let inside = rects.iter().any(|r| r.contains(Rect::new(x, y, 1, 1)));
                prop_assert_eq!(seen[(y * 45 + x) as usize], u8::from(inside));
                prop_assert_eq!(bands.span_at(x, y).is_some(), inside);
            }
        }
    }
}
