//! The pixels of one area, packed, as the encoder's kernels want them.

use farpane_frame::{FrameRef, PixelFormat, Rect};

use crate::predict::BIAS;

/// Pixels in a whole tile.
const CELL_PX: usize = 64 * 64;

/// Up to a whole tile of pixels: red, green and blue in the low 24 bits, rows without padding.
pub(crate) struct Cell {
    pixels: [u32; CELL_PX],
    planes: [[u8; CELL_PX]; 3],
    len: usize,
}

impl Cell {
    pub(crate) fn new() -> Self {
        Self { pixels: [0; CELL_PX], planes: [[0; CELL_PX]; 3], len: 0 }
    }

    pub(crate) fn pixels(&self) -> &[u32] {
        &self.pixels[..self.len]
    }

    pub(crate) fn pixels_mut(&mut self) -> &mut [u32] {
        &mut self.pixels[..self.len]
    }

    /// Green, then red and blue as the last split left them.
    pub(crate) fn planes(&self) -> [&[u8]; 3] {
        self.planes.each_ref().map(|p| &p[..self.len])
    }

    /// Takes `area`, at most a tile, out of `frame`.
    pub(crate) fn load(&mut self, frame: &FrameRef<'_>, area: Rect) {
        let width = area.width as usize;
        self.len = width * area.height as usize;
        let rows = self.pixels[..self.len].chunks_exact_mut(width);
        for (y, row) in (area.y..area.bottom()).zip(rows) {
            let span = frame.span(area.x, y, area.width);
            match frame.format() {
                PixelFormat::Rgba => load_row(span, row, |p| {
                    let [red, green, blue, _] = p.to_le_bytes();
                    u32::from_le_bytes([blue, green, red, 0])
                }),
                _ => load_row(span, row, |p| p & 0xFF_FFFF),
            }
        }
    }

    /// Fills the planes with green and the differences of red and blue from it; says whether
    /// red, and blue, equal green everywhere.
    pub(crate) fn split_differences(&mut self) -> [bool; 2] {
        let [green, red, blue] = &mut self.planes;
        let planes = green.iter_mut().zip(red).zip(blue);
        let mut differs = [0u8; 2];
        for (pixel, ((green, red), blue)) in self.pixels[..self.len].iter().zip(planes) {
            let [b, g, r, _] = pixel.to_le_bytes();
            *green = g;
            *red = r.wrapping_sub(g).wrapping_add(BIAS);
            *blue = b.wrapping_sub(g).wrapping_add(BIAS);
            differs[0] |= r ^ g;
            differs[1] |= b ^ g;
        }
        differs.map(|d| d == 0)
    }

    /// Replaces the differences by red and blue themselves.
    pub(crate) fn split_plain(&mut self) {
        let [_, red, blue] = &mut self.planes;
        for (pixel, (red, blue)) in self.pixels[..self.len].iter().zip(red.iter_mut().zip(blue)) {
            let [b, _, r, _] = pixel.to_le_bytes();
            (*red, *blue) = (r, b);
        }
    }
}

#[inline(always)]
fn load_row(span: &[u8], row: &mut [u32], convert: impl Fn(u32) -> u32) {
    for (pixel, bytes) in row.iter_mut().zip(span.as_chunks().0) {
        *pixel = convert(u32::from_le_bytes(*bytes));
    }
}
