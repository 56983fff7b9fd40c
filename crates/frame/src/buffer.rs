//! Frames: borrowed views and owned buffers of four-byte pixels.

use crate::aligned::AlignedBytes;
use crate::{Move, Rect, Size};

/// The order of a pixel's four bytes in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Blue, green, red, undefined. Two pixels are equal when their first three bytes are.
    Bgrx,
    /// Blue, green, red, alpha (not premultiplied; used for cursors).
    Bgra,
    /// Red, green, blue, alpha (what portable capture gives).
    Rgba,
}

impl PixelFormat {
    /// Whether red comes before green and blue, and not after them.
    pub fn is_red_first(self) -> bool {
        self == Self::Rgba
    }
}

/// Why a buffer cannot be seen as a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A side is 0 or above [`crate::MAX_DIMENSION_PX`].
    #[error(
        "a frame of {}x{} pixels: each side must be in 1..={}",
        .0.width_px,
        .0.height_px,
        crate::MAX_DIMENSION_PX
    )]
    Size(Size),
    /// Rows would overlap.
    #[error("a stride of {stride} bytes is shorter than a row of {row} bytes")]
    Stride {
        /// What was given.
        stride: usize,
        /// The least that the width needs.
        row: usize,
    },
    /// The memory ends before the last row does.
    #[error("{given} bytes of pixels, but the frame needs {needed}")]
    Short {
        /// What was given.
        given: usize,
        /// The least that the size and stride need.
        needed: usize,
    },
}

/// Bytes in a pixel, in every format.
const PIXEL_BYTES: usize = 4;

/// A borrowed picture.
#[derive(Clone, Copy, Debug)]
pub struct FrameRef<'a> {
    data: &'a [u8],
    size: Size,
    stride: usize,
    format: PixelFormat,
}

impl<'a> FrameRef<'a> {
    /// Sees `data` as a picture whose rows are `stride` bytes apart.
    ///
    /// # Errors
    /// A size out of range, a stride shorter than a row, or too little memory.
    pub fn new(
        data: &'a [u8],
        size: Size,
        stride: usize,
        format: PixelFormat,
    ) -> Result<Self, FrameError> {
        if !size.is_valid() {
            return Err(FrameError::Size(size));
        }
        let row = size.width_px as usize * PIXEL_BYTES;
        if stride < row {
            return Err(FrameError::Stride { stride, row });
        }
        let needed = stride
            .checked_mul(size.height_px as usize - 1)
            .and_then(|bytes| bytes.checked_add(row))
            .unwrap_or(usize::MAX);
        if data.len() < needed {
            return Err(FrameError::Short { given: data.len(), needed });
        }
        Ok(Self { data, size, stride, format })
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Bytes from one row to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Order of the bytes in a pixel.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// All bytes from the first pixel on, padding included.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The bytes of row `y`, without padding.
    ///
    /// # Panics
    /// When `y` is outside the picture.
    pub fn row(&self, y: u32) -> &'a [u8] {
        self.span(0, y, self.size.width_px)
    }

    /// The bytes of `width` pixels from (`x`, `y`) rightwards.
    ///
    /// # Panics
    /// When the span leaves the picture.
    pub fn span(&self, x: u32, y: u32, width: u32) -> &'a [u8] {
        assert!(y < self.size.height_px && x + width <= self.size.width_px, "span outside frame");
        let at = y as usize * self.stride + x as usize * PIXEL_BYTES;
        &self.data[at..at + width as usize * PIXEL_BYTES]
    }

    /// Red, green and blue of the pixel (`x`, `y`).
    ///
    /// # Panics
    /// When the pixel is outside the picture.
    pub fn rgb(&self, x: u32, y: u32) -> [u8; 3] {
        let p = self.span(x, y, 1);
        match self.format {
            PixelFormat::Bgrx | PixelFormat::Bgra => [p[2], p[1], p[0]],
            PixelFormat::Rgba => [p[0], p[1], p[2]],
        }
    }

    /// Whether both have the same size and the same red, green and blue everywhere.
    pub fn same_rgb(&self, other: &FrameRef<'_>) -> bool {
        self.size == other.size && self.first_difference(other).is_none()
    }

    /// The first pixel, row by row, whose colours differ, over the area both have.
    pub fn first_difference(&self, other: &FrameRef<'_>) -> Option<(u32, u32)> {
        let area = self.size.rect().clip(other.size);
        let alike = |y: &u32| {
            let [a, b] = [self, other].map(|frame| frame.span(0, *y, area.width));
            self.format.is_red_first() == other.format.is_red_first() && same_colours(a, b)
        };
        let (rows, columns) = (0..area.height, 0..area.width);
        rows.filter(|y| !alike(y))
            .flat_map(|y| columns.clone().map(move |x| (x, y)))
            .find(|(x, y)| self.rgb(*x, *y) != other.rgb(*x, *y))
    }

    /// The one colour that all pixels of `area` have: red, green and blue. `None` also when it is
    /// empty.
    ///
    /// # Panics
    /// When the area leaves the picture.
    pub fn uniform(&self, area: Rect) -> Option<[u8; 3]> {
        if area.is_empty() {
            return None;
        }
        let row = |y| self.span(area.x, y, area.width).as_chunks::<4>().0;
        let first = row(area.y)[0];
        let uniform = (area.y..area.bottom()).all(|y| {
            let (blocks, rest) = row(y).as_chunks::<BLOCK_PX>();
            blocks.iter().all(|block| differing(block, &[first; BLOCK_PX]) == 0)
                && rest.iter().all(|pixel| differing(&[*pixel], &[first]) == 0)
        });
        uniform.then(|| self.rgb(area.x, area.y))
    }
}

/// The bits of a pixel, read as a little-endian number, that are colours.
pub const COLOURS: u32 = u32::from_le_bytes([0xFF, 0xFF, 0xFF, 0]);

/// Pixels looked at together: their number is known to the compiler, which uses vectors.
const BLOCK_PX: usize = 16;

/// The colours' bits in which any of the pixels differ.
fn differing<const N: usize>(a: &[[u8; 4]; N], b: &[[u8; 4]; N]) -> u32 {
    let bits = |i: usize| u32::from_le_bytes(a[i]) ^ u32::from_le_bytes(b[i]);
    (0..N).fold(0, |all, i| all | bits(i)) & COLOURS
}

/// Whether two rows of pixels of the same layout, and of the same length, agree in all colours.
pub fn same_colours(a: &[u8], b: &[u8]) -> bool {
    let (a, b) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0);
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<BLOCK_PX>(), b.as_chunks::<BLOCK_PX>());
    a.iter().zip(b).all(|(a, b)| differing(a, b) == 0)
        && a_rest.iter().zip(b_rest).all(|(a, b)| differing(&[*a], &[*b]) == 0)
}

/// An owned picture. Every row begins at an address divisible by 64, so that vector kernels may
/// treat rows alike.
#[derive(Clone, Debug)]
pub struct FrameBuf {
    data: AlignedBytes,
    size: Size,
    stride: usize,
    format: PixelFormat,
}

impl FrameBuf {
    /// A black picture.
    ///
    /// # Errors
    /// A side of 0 or above [`crate::MAX_DIMENSION_PX`].
    pub fn new(size: Size, format: PixelFormat) -> Result<Self, FrameError> {
        if !size.is_valid() {
            return Err(FrameError::Size(size));
        }
        let stride = (size.width_px as usize * PIXEL_BYTES).next_multiple_of(64);
        let data = AlignedBytes::zeroed(stride * size.height_px as usize);
        Ok(Self { data, size, stride, format })
    }

    /// Becomes a picture of another size or format; its content is unspecified. Allocates only
    /// when it grows beyond what it ever held.
    ///
    /// # Errors
    /// A side of 0 or above [`crate::MAX_DIMENSION_PX`]; the buffer is then unchanged.
    pub fn reshape(&mut self, size: Size, format: PixelFormat) -> Result<(), FrameError> {
        if !size.is_valid() {
            return Err(FrameError::Size(size));
        }
        self.stride = (size.width_px as usize * PIXEL_BYTES).next_multiple_of(64);
        self.data.reshape(self.stride * size.height_px as usize);
        (self.size, self.format) = (size, format);
        Ok(())
    }

    /// Makes every byte 0: black.
    pub fn clear(&mut self) {
        self.data.fill(0);
    }

    /// The picture, borrowed.
    pub fn view(&self) -> FrameRef<'_> {
        FrameRef { data: &self.data, size: self.size, stride: self.stride, format: self.format }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Bytes from one row to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Order of the bytes in a pixel.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// All bytes, padding included.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The bytes of `width` pixels from (`x`, `y`) rightwards.
    ///
    /// # Panics
    /// When the span leaves the picture.
    pub fn span_mut(&mut self, x: u32, y: u32, width: u32) -> &mut [u8] {
        assert!(y < self.size.height_px && x + width <= self.size.width_px, "span outside frame");
        let at = y as usize * self.stride + x as usize * PIXEL_BYTES;
        &mut self.data[at..at + width as usize * PIXEL_BYTES]
    }

    /// Fills `area` with one pixel value; what lies outside the picture is left out.
    pub fn fill(&mut self, area: Rect, pixel: [u8; 4]) {
        let area = area.clip(self.size);
        for y in area.y..area.bottom() {
            for p in self.span_mut(area.x, y, area.width).chunks_exact_mut(PIXEL_BYTES) {
                p.copy_from_slice(&pixel);
            }
        }
    }

    /// Copies `area` from another picture, whatever the order of its bytes; what lies outside
    /// either is left out.
    pub fn copy_from(&mut self, from: &FrameRef<'_>, area: Rect) {
        let area = area.clip(self.size).clip(from.size);
        let swap = self.format.is_red_first() != from.format.is_red_first();
        for y in area.y..area.bottom() {
            let to = self.span_mut(area.x, y, area.width);
            to.copy_from_slice(from.span(area.x, y, area.width));
            if swap {
                to.chunks_exact_mut(PIXEL_BYTES).for_each(|pixel| pixel.swap(0, 2));
            }
        }
    }

    /// Moves pixels inside the picture, correct when source and destination overlap. A move that
    /// does not fit is ignored.
    pub fn move_within(&mut self, m: Move) {
        if !m.fits(self.size) {
            return;
        }
        let bytes = m.dst.width as usize * PIXEL_BYTES;
        let offset = |x: u32, y: u32| y as usize * self.stride + x as usize * PIXEL_BYTES;
        let mut copy_row = |i: u32| {
            let from = offset(m.src_x, m.src_y + i);
            self.data.copy_within(from..from + bytes, offset(m.dst.x, m.dst.y + i));
        };
        if m.dst.y > m.src_y {
            (0..m.dst.height).rev().for_each(&mut copy_row);
        } else {
            (0..m.dst.height).for_each(&mut copy_row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(size: Size) -> FrameBuf {
        let mut frame = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        for y in 0..size.height_px {
            for x in 0..size.width_px {
                frame.span_mut(x, y, 1).copy_from_slice(&[x as u8, y as u8, (x ^ y) as u8, 7]);
            }
        }
        frame
    }

    #[test]
    fn memory_that_is_no_frame_is_refused() {
        let (data, bgrx) = ([0u8; 64], PixelFormat::Bgrx);
        let new = |w, h, stride| FrameRef::new(&data, Size::new(w, h), stride, bgrx).map(|_| ());
        assert_eq!(new(4, 4, 16), Ok(()));
        assert_eq!(new(3, 4, 17), Ok(()), "the last row needs no padding");
        assert!(matches!(new(0, 4, 16), Err(FrameError::Size(_))));
        assert!(matches!(new(20_000, 1, 80_000), Err(FrameError::Size(_))));
        assert!(matches!(new(5, 1, 16), Err(FrameError::Stride { stride: 16, row: 20 })));
        assert!(matches!(new(4, 5, 16), Err(FrameError::Short { given: 64, needed: 80 })));
        assert!(matches!(new(1, 16_000, usize::MAX / 4), Err(FrameError::Short { .. })));
    }

    #[test]
    fn overlapping_moves_keep_the_old_pixels() {
        let size = Size::new(50, 40);
        for (dx, dy) in [(0, 3), (0, -3), (5, 0), (-5, 0), (2, 7), (-2, 7), (3, -9)] {
            let mut frame = numbered(size);
            let old = frame.clone();
            let dst = Rect::new(10, 10, 20, 20);
            let src = dst.translate(-dx, -dy).unwrap();
            frame.move_within(Move { dst, src_x: src.x, src_y: src.y });
            for y in 0..40 {
                for x in 0..50 {
                    let inside = dst.contains(Rect::new(x, y, 1, 1));
                    let (ox, oy) =
                        if inside { (x as i32 - dx, y as i32 - dy) } else { (x as i32, y as i32) };
                    assert_eq!(frame.view().rgb(x, y), old.view().rgb(ox as u32, oy as u32));
                }
            }
        }
    }

    #[test]
    fn equality_ignores_the_undefined_byte_and_finds_one_pixel() {
        let (a, mut b) = (numbered(Size::new(70, 3)), numbered(Size::new(70, 3)));
        b.span_mut(69, 2, 1)[3] = 99;
        assert!(a.view().same_rgb(&b.view()));
        b.span_mut(69, 2, 1)[0] ^= 1;
        assert_eq!(a.view().first_difference(&b.view()), Some((69, 2)));
    }

    #[test]
    fn an_area_is_uniform_when_one_colour_fills_it() {
        let mut frame = FrameBuf::new(Size::new(70, 10), PixelFormat::Bgrx).unwrap();
        let area = Rect::new(1, 2, 66, 5);
        frame.fill(area, [1, 2, 3, 4]);
        frame.span_mut(20, 3, 1)[3] = 9;
        assert_eq!(frame.view().uniform(area), Some([3, 2, 1]), "the fourth byte is no colour");
        assert_eq!(frame.view().uniform(Rect::new(0, 2, 66, 5)), None);
        assert_eq!(frame.view().uniform(Rect::default()), None);
        frame.span_mut(66, 6, 1)[0] ^= 1;
        assert_eq!(frame.view().uniform(area), None);
    }

    #[test]
    fn copying_and_filling_clip_to_the_picture() {
        let from = numbered(Size::new(30, 30));
        let mut to = FrameBuf::new(Size::new(20, 20), PixelFormat::Bgrx).unwrap();
        to.copy_from(&from.view(), Rect::new(10, 10, 100, 100));
        assert_eq!(to.view().rgb(19, 19), from.view().rgb(19, 19));
        assert_eq!(to.view().rgb(9, 10), [0, 0, 0]);
        to.fill(Rect::new(18, 0, 50, 1), [1, 2, 3, 0]);
        assert_eq!(to.view().rgb(19, 0), [3, 2, 1]);
        assert_eq!(to.view().rgb(17, 0), [0, 0, 0]);
    }
}
