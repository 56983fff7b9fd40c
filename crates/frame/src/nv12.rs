//! Pictures as video encoders take them.

use crate::{FrameError, FrameRef, Rect, Size, TILE_PX, TileGrid};

/// A picture as NV12: a plane of luma, then one of blue and red differences, a pair for each 2x2
/// pixels and sited in their middle. BT.709, limited range (16..=235 and 16..=240). Both planes
/// are padded to whole tiles by repeating the picture's edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nv12 {
    grid: TileGrid,
    data: Vec<u8>,
}

/// Luma of red, green and blue, in 16 fractional bits (ITU-R BT.709-6, section 3).
const LUMA: [i32; 3] = [11_966, 40_254, 4_064];
/// Blue difference; the three sum up to 0, so that grey has none.
const BLUE: [i32; 3] = [-6_596, -22_188, 28_784];
/// Red difference.
const RED: [i32; 3] = [28_784, -26_145, -2_639];

impl Nv12 {
    /// A picture of zeros.
    ///
    /// # Errors
    /// A side of 0 or above [`crate::MAX_DIMENSION_PX`].
    pub fn new(size: Size) -> Result<Self, FrameError> {
        if !size.is_valid() {
            return Err(FrameError::Size(size));
        }
        let grid = TileGrid::new(size);
        let pixels = grid.tiles() as usize * (TILE_PX * TILE_PX) as usize;
        Ok(Self { grid, data: vec![0; pixels / 2 * 3] })
    }

    /// The picture's size, without padding.
    pub fn size(&self) -> Size {
        self.grid.size()
    }

    /// Bytes from one row to the next, in both planes.
    pub fn pitch(&self) -> usize {
        (self.grid.columns() * TILE_PX) as usize
    }

    /// The plane of luma, then that of differences.
    pub fn planes(&self) -> (&[u8], &[u8]) {
        self.data.split_at(self.data.len() / 3 * 2)
    }

    /// Converts the tiles that `area` touches.
    ///
    /// # Panics
    /// When `from` is of another size.
    pub fn convert(&mut self, from: &FrameRef<'_>, area: Rect) {
        assert_eq!(from.size(), self.size(), "a picture of another size");
        let (pitch, luma_bytes) = (self.pitch(), self.data.len() / 3 * 2);
        let (luma, chroma) = self.data.split_at_mut(luma_bytes);
        for (tile, _) in self.grid.split(area) {
            let (column, row) = (tile % self.grid.columns(), tile / self.grid.columns());
            for y in (row * TILE_PX..(row + 1) * TILE_PX).step_by(2) {
                for x in (column * TILE_PX..(column + 1) * TILE_PX).step_by(2) {
                    let mut sum = [0; 3];
                    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                        let colour = colour_at(from, x + dx, y + dy);
                        luma[(y + dy) as usize * pitch + (x + dx) as usize] = luma_of(colour);
                        sum = std::array::from_fn(|i| sum[i] + colour[i]);
                    }
                    let at = (y / 2) as usize * pitch + x as usize;
                    chroma[at] = difference(sum, BLUE);
                    chroma[at + 1] = difference(sum, RED);
                }
            }
        }
    }
}

/// Red, green and blue; beyond the picture those of its edge.
fn colour_at(from: &FrameRef<'_>, x: u32, y: u32) -> [i32; 3] {
    let size = from.size();
    from.rgb(x.min(size.width_px - 1), y.min(size.height_px - 1)).map(i32::from)
}

fn luma_of(colour: [i32; 3]) -> u8 {
    ((dot(colour, LUMA) + (1 << 15)) >> 16) as u8 + 16
}

/// A difference of the sum of four pixels.
fn difference(sum: [i32; 3], weights: [i32; 3]) -> u8 {
    (((dot(sum, weights) + (1 << 17)) >> 18) + 128) as u8
}

fn dot(a: [i32; 3], b: [i32; 3]) -> i32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FrameBuf, PixelFormat};

    /// Luma and both differences of a picture of one colour.
    fn flat(colour: [u8; 3]) -> (u8, u8, u8) {
        let size = Size::new(3, 3);
        let mut picture = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        picture.fill(size.rect(), [colour[2], colour[1], colour[0], 0]);
        let mut video = Nv12::new(size).unwrap();
        video.convert(&picture.view(), size.rect());
        let (luma, chroma) = video.planes();
        assert!(luma.iter().all(|y| *y == luma[0]), "also in the padding");
        assert!(chroma.chunks(2).all(|pair| pair == &chroma[..2]));
        (luma[0], chroma[0], chroma[1])
    }

    #[test]
    fn colours_are_those_of_the_standard() {
        // BT.709 by its formulas, rounded.
        assert_eq!(flat([0, 0, 0]), (16, 128, 128));
        assert_eq!(flat([255, 255, 255]), (235, 128, 128));
        assert_eq!(flat([255, 0, 0]), (63, 102, 240));
        assert_eq!(flat([0, 255, 0]), (173, 42, 26));
        assert_eq!(flat([0, 0, 255]), (32, 240, 118));
        assert_eq!(flat([128, 128, 128]), (126, 128, 128));
    }

    #[test]
    fn only_the_tiles_of_the_area_are_converted() {
        let size = Size::new(130, 70);
        let mut picture = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        picture.fill(size.rect(), [255, 255, 255, 0]);
        let mut video = Nv12::new(size).unwrap();
        video.convert(&picture.view(), Rect::new(64, 0, 1, 1));
        let (luma, chroma) = video.planes();
        assert_eq!((video.pitch(), luma.len(), chroma.len()), (192, 192 * 128, 192 * 64));
        let converted = luma.iter().filter(|y| **y == 235).count();
        assert_eq!(converted, 64 * 64);
        assert_eq!((luma[63], luma[64], luma[127], luma[128]), (0, 235, 235, 0));
        assert_eq!(&chroma[62..66], [0, 0, 128, 128]);
    }
}
