//! The remote pointer, blended over the picture.

use anyhow::{Result, ensure};
use farpane_capture::CursorShape;
use farpane_frame::{FrameBuf, FrameError, FrameRef, PixelFormat, Rect, Size};
use std::sync::Arc;

/// The remote pointer at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CursorImage {
    /// Column of the hot spot in the picture; may lie outside.
    pub(crate) x: i32,
    /// Row of the hot spot in the picture; may lie outside.
    pub(crate) y: i32,
    /// The pointer's picture.
    pub(crate) shape: Arc<CursorShape>,
}

impl CursorImage {
    /// Checks that the shape's numbers agree.
    pub(super) fn check(&self) -> Result<()> {
        let CursorShape { width, height, .. } = *self.shape;
        let max = CursorShape::MAX_PX;
        ensure!(
            width <= max && height <= max,
            "a pointer of {width}x{height} pixels: at most {max}x{max} can be drawn"
        );
        let (given, needed) = (self.shape.bgra.len(), (width * height * 4) as usize);
        ensure!(
            given == needed,
            "a pointer of {width}x{height} pixels needs {needed} bytes, not {given}"
        );
        Ok(())
    }

    /// The part of a picture of `size` that the shape covers.
    pub(super) fn area(&self, size: Size) -> Rect {
        let (left, top) = self.origin();
        let edge = |at: i64, side: u32| at.clamp(0, i64::from(side)) as u32;
        let (w, h) = (size.width_px, size.height_px);
        Rect::from_edges(
            edge(left, w),
            edge(top, h),
            edge(left + i64::from(self.shape.width), w),
            edge(top + i64::from(self.shape.height), h),
        )
        .clip(size)
    }

    /// Writes the picture under the pointer, with the pointer, to `out`, which becomes as large
    /// as `area`: what [`CursorImage::area`] gave, or a part of it.
    pub(super) fn blend(
        &self,
        picture: &FrameRef<'_>,
        area: Rect,
        out: &mut FrameBuf,
    ) -> Result<(), FrameError> {
        out.reshape(Size::new(area.width, area.height), PixelFormat::Bgrx)?;
        let (left, top) = self.origin();
        let (skip_x, skip_y) =
            ((i64::from(area.x) - left) as usize, (i64::from(area.y) - top) as usize);
        let shape_stride = self.shape.width as usize * 4;
        for row in 0..area.height {
            let under = picture.span(area.x, area.y + row, area.width);
            let at = (skip_y + row as usize) * shape_stride + skip_x * 4;
            let over = &self.shape.bgra[at..at + under.len()];
            let out = out.span_mut(0, row, area.width);
            let pixels = under.chunks_exact(4).zip(over.chunks_exact(4));
            for (out, (under, over)) in out.chunks_exact_mut(4).zip(pixels) {
                let rest = 255 - u32::from(over[3]);
                for c in 0..3 {
                    let through = (u32::from(under[c]) * rest + 127) / 255;
                    out[c] = over[c].saturating_add(through as u8);
                }
            }
        }
        Ok(())
    }

    fn origin(&self) -> (i64, i64) {
        (
            i64::from(self.x) - i64::from(self.shape.hot_x),
            i64::from(self.y) - i64::from(self.shape.hot_y),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(x: i32, y: i32, bgra: &[[u8; 4]]) -> CursorImage {
        let (width, height) = (2, bgra.len() as u32 / 2);
        let bgra = bgra.concat();
        let shape = CursorShape { serial: 1, width, height, hot_x: 1, hot_y: 0, bgra };
        CursorImage { x, y, shape: Arc::new(shape) }
    }

    #[test]
    fn the_hot_spot_decides_what_is_covered() {
        let size = Size::new(10, 10);
        let pixels = [[0; 4]; 4];
        assert_eq!(cursor(5, 5, &pixels).area(size), Rect::new(4, 5, 2, 2));
        assert_eq!(cursor(0, 9, &pixels).area(size), Rect::new(0, 9, 1, 1));
        for (x, y) in [(-2, 3), (12, 3), (3, -9), (3, 10), (i32::MIN, i32::MAX)] {
            assert!(cursor(x, y, &pixels).area(size).is_empty());
        }
    }

    #[test]
    fn premultiplied_colours_go_over_the_picture() {
        let mut picture = FrameBuf::new(Size::new(10, 10), PixelFormat::Bgrx).unwrap();
        picture.fill(Rect::new(0, 0, 10, 10), [100, 200, 50, 0]);
        let over = [[9, 9, 9, 255], [0, 0, 0, 0], [10, 20, 30, 128], [0, 0, 0, 255]];
        let cursor = cursor(5, 5, &over);
        let mut out = FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx).unwrap();
        cursor.blend(&picture.view(), cursor.area(picture.size()), &mut out).unwrap();
        let view = out.view();
        assert_eq!(view.rgb(0, 0), [9, 9, 9]);
        assert_eq!(view.rgb(1, 0), [50, 200, 100], "transparent is the picture, exactly");
        assert_eq!(view.rgb(0, 1), [30 + 25, 20 + 100, 10 + 50]);
        assert_eq!(view.rgb(1, 1), [0, 0, 0]);
    }

    #[test]
    fn a_shape_whose_numbers_disagree_is_refused() {
        let mut bad = cursor(0, 0, &[[0; 4]; 4]);
        bad.check().unwrap();
        Arc::make_mut(&mut bad.shape).width = 3;
        assert!(bad.check().unwrap_err().to_string().contains("24 bytes, not 16"));
        Arc::make_mut(&mut bad.shape).width = 1 << 20;
        assert!(bad.check().is_err());
    }
}
