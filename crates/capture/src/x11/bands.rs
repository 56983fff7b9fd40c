//! Few rectangles to fetch for many that changed.

use farpane_frame::{Rect, Size};

/// Most requests for one frame; beyond it the cheapest neighbours are fetched as one.
pub(super) const MAX_BANDS: usize = 16;

/// What one more request costs, in pixels that could be copied in that time (some 8 us under
/// Xvfb on one core, at 8 GB/s).
const REQUEST_COST_PX: u64 = 16_000;

/// Joins `rects` into at most [`MAX_BANDS`] that cover them; the whole picture as one when half
/// of it would be fetched anyway. Everything is clipped to `size`.
pub(super) fn coalesce(rects: &[Rect], size: Size, bands: &mut Vec<Rect>) {
    bands.clear();
    for rect in rects.iter().map(|r| r.clip(size)).filter(|r| !r.is_empty()) {
        add(bands, rect);
    }
    // A band that grew may now be worth joining with one that came before it.
    let mut last = usize::MAX;
    while bands.len() < last {
        last = bands.len();
        for _ in 0..last {
            let band = bands.remove(0);
            add(bands, band);
        }
    }
    let total: u64 = bands.iter().map(|b| b.area_px()).sum();
    if total * 2 > size.area_px() {
        bands.clear();
        bands.push(size.rect());
    }
}

fn add(bands: &mut Vec<Rect>, rect: Rect) {
    let full = bands.len() >= MAX_BANDS;
    let waste = |b: Rect| b.union(rect).area_px().saturating_sub(b.area_px() + rect.area_px());
    match bands.iter_mut().min_by_key(|b| waste(**b)) {
        Some(best) if waste(*best) <= REQUEST_COST_PX => *best = best.union(rect),
        Some(best) if full => *best = best.union(rect),
        _ => bands.push(rect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: Size = Size::new(1920, 1080);

    fn bands(rects: &[Rect]) -> Vec<Rect> {
        let mut out = Vec::new();
        coalesce(rects, SIZE, &mut out);
        out
    }

    #[test]
    fn near_rectangles_are_fetched_together_and_far_ones_apart() {
        let (a, b) = (Rect::new(0, 0, 64, 64), Rect::new(80, 10, 64, 64));
        assert_eq!(bands(&[a, b]), [a.union(b)]);
        let far = Rect::new(1800, 1000, 64, 64);
        assert_eq!(bands(&[a, far]).len(), 2);
    }

    #[test]
    fn most_of_the_picture_is_fetched_as_the_whole() {
        let halves = [Rect::new(0, 0, 1920, 300), Rect::new(0, 600, 1920, 300)];
        assert_eq!(bands(&halves), [SIZE.rect()]);
        assert!(bands(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn bands_cover_every_rectangle_and_are_few(
            rects in prop::collection::vec((0u32..2000, 0u32..1200, 0u32..90, 0u32..90), 0..80)
        ) {
            let rects: Vec<_> =
                rects.into_iter().map(|(x, y, w, h)| Rect::new(x, y, w, h)).collect();
            let bands = bands(&rects);
            prop_assert!(bands.len() <= MAX_BANDS);
            prop_assert!(bands.iter().map(|b| b.area_px()).sum::<u64>() <= SIZE.area_px());
            for rect in rects.iter().map(|r| r.clip(SIZE)) {
                prop_assert!(rect.is_empty() || bands.iter().any(|b| b.contains(rect)));
            }
        }
    }
}
