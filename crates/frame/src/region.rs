//! A bounded set of pixels as rectangles, for damage hints.

use crate::{Rect, Size};

/// A superset of some pixels, as at most [`Region::MAX_RECTS`] rectangles that may overlap.
///
/// Adding is always safe: when there is no room the two rectangles whose union wastes the fewest
/// pixels are joined, so the region only ever grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    rects: Vec<Rect>,
}

impl Region {
    /// Rectangles kept apart at most; more cost more to walk than their union costs to compare.
    pub const MAX_RECTS: usize = 64;

    /// A region without pixels.
    pub const fn new() -> Self {
        Self { rects: Vec::new() }
    }

    /// The region that is one rectangle.
    pub fn from_rect(rect: Rect) -> Self {
        let mut region = Self::new();
        region.add(rect);
        region
    }

    /// Adds the pixels of `rect`.
    pub fn add(&mut self, rect: Rect) {
        if rect.is_empty() || self.rects.iter().any(|r| r.contains(rect)) {
            return;
        }
        self.rects.retain(|r| !rect.contains(*r));
        if self.rects.len() < Self::MAX_RECTS {
            self.rects.push(rect);
            return;
        }
        let waste = |r: &Rect| r.union(rect).area_px().saturating_sub(r.area_px());
        if let Some(best) = self.rects.iter_mut().min_by_key(|r| waste(r)) {
            *best = best.union(rect);
        }
    }

    /// Adds the pixels of another region.
    pub fn add_region(&mut self, other: &Self) {
        for rect in &other.rects {
            self.add(*rect);
        }
    }

    /// Drops everything outside a picture of `size`.
    pub fn clip(&mut self, size: Size) {
        for rect in &mut self.rects {
            *rect = rect.clip(size);
        }
        self.rects.retain(|r| !r.is_empty());
    }

    /// Empties the region and keeps its memory.
    pub fn clear(&mut self) {
        self.rects.clear();
    }

    /// The rectangles; they may overlap.
    pub fn rects(&self) -> &[Rect] {
        &self.rects
    }

    /// Whether no pixel is inside.
    pub fn is_empty(&self) -> bool {
        self.rects.is_empty()
    }

    /// The smallest rectangle that holds the region.
    pub fn bounds(&self) -> Rect {
        self.rects.iter().fold(Rect::default(), |a, r| a.union(*r))
    }

    /// Pixels in all rectangles, overlaps counted twice.
    pub fn area_px(&self) -> u64 {
        self.rects.iter().map(|r| r.area_px()).sum()
    }

    /// Whether `rect` shares a pixel with the region.
    pub fn intersects(&self, rect: Rect) -> bool {
        self.rects.iter().any(|r| r.intersects(rect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_region_never_forgets_a_pixel(
            rects in prop::collection::vec((0u32..500, 0u32..500, 0u32..60, 0u32..60), 0..200)
        ) {
            let mut region = Region::new();
            let rects = rects.into_iter().map(|(x, y, w, h)| Rect::new(x, y, w, h));
            let rects: Vec<_> = rects.collect();
            for r in &rects {
                region.add(*r);
                prop_assert!(region.rects().len() <= Region::MAX_RECTS);
            }
            for r in rects.iter().filter(|r| !r.is_empty()) {
                for (x, y) in [(r.x, r.y), (r.right() - 1, r.bottom() - 1)] {
                    prop_assert!(region.intersects(Rect::new(x, y, 1, 1)));
                }
                prop_assert!(region.bounds().contains(*r));
            }
        }
    }

    #[test]
    fn clipping_drops_what_is_outside() {
        let mut region = Region::from_rect(Rect::new(90, 90, 20, 20));
        region.add(Rect::new(200, 0, 5, 5));
        region.clip(Size::new(100, 100));
        assert_eq!(region.rects(), [Rect::new(90, 90, 10, 10)]);
    }
}
