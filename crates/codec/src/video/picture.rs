//! Pixels to planes of luma and colour differences, and back: ITU-R BT.709, limited range.

use super::VideoError;
use farpane_frame::{FrameBuf, FrameRef, Rect, Size};
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImage, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix,
};

/// How many colour differences there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chroma {
    /// A pair for each 2x2 pixels, as most video has: 4:2:0.
    Quarter,
    /// A pair for each pixel: 4:4:4.
    Full,
}

/// A picture in planes: luma (16 to 235), blue and red differences (16 to 240, 128 is none).
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Width and height of the luma plane.
    pub size: Size,
    /// How many colour differences there are.
    pub chroma: Chroma,
    /// Luma, blue difference, red difference, row by row from the top.
    pub data: [&'a [u8]; 3],
    /// Bytes from one row to the next in each plane.
    pub strides: [usize; 3],
}

impl Planes<'_> {
    /// Turns the `area` of this picture, which begins at whole pairs of colour differences, into
    /// pixels of `out`, where pixel `at` is the area's left upper one.
    ///
    /// # Errors
    /// The planes are shorter than they must be, or either area does not fit.
    pub fn to_pixels(
        &self,
        area: Rect,
        out: &mut FrameBuf,
        at: (u32, u32),
    ) -> Result<(), VideoError> {
        let fits = self.size.rect().contains(area)
            && out.size().rect().contains(Rect { x: at.0, y: at.1, ..area });
        if area.is_empty() || !fits {
            return Err(VideoError::Kind);
        }
        let (stride, row_bytes) = (out.stride(), area.width as usize * 4);
        let data = out.data_mut();
        let from = at.1 as usize * stride + at.0 as usize * 4;
        let (whole, rest) = whole_rows(area.height, stride, data.len() - from);
        if whole > 0 {
            let pixels = &mut data[from..from + whole as usize * stride];
            self.turn(Rect { height: whole, ..area }, pixels, stride)?;
        }
        if rest > 0 {
            let mut pixels = vec![0; rest as usize * row_bytes];
            let last = Rect { y: area.y + whole, height: rest, ..area };
            self.turn(last, &mut pixels, row_bytes)?;
            let rows = data[from + whole as usize * stride..].chunks_mut(stride);
            for (row, pixels) in rows.zip(pixels.chunks_exact(row_bytes)) {
                row[..row_bytes].copy_from_slice(pixels);
            }
        }
        Ok(())
    }

    fn turn(&self, area: Rect, pixels: &mut [u8], stride: usize) -> Result<(), VideoError> {
        let image = self.image(area).ok_or(VideoError::Kind)?;
        let turn = match self.chroma {
            Chroma::Quarter => yuv::yuv420_to_bgra,
            Chroma::Full => yuv::yuv444_to_bgra,
        };
        let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt709);
        turn(&image, pixels, stride as u32, range, matrix).map_err(|_| VideoError::Kind)
    }

    /// The planes from the left upper corner of `area` on, which lies on a whole pair.
    fn image(&self, area: Rect) -> Option<YuvPlanarImage<'_, u8>> {
        let step = if self.chroma == Chroma::Quarter { 2 } else { 1 };
        let plane = |i: usize, step: u32| {
            let (x, y) = ((area.x / step) as usize, (area.y / step) as usize);
            self.data[i].get(y * self.strides[i] + x..)
        };
        if !area.x.is_multiple_of(step) || !area.y.is_multiple_of(step) {
            return None;
        }
        Some(YuvPlanarImage {
            y_plane: plane(0, 1)?,
            y_stride: self.strides[0] as u32,
            u_plane: plane(1, step)?,
            u_stride: self.strides[1] as u32,
            v_plane: plane(2, step)?,
            v_stride: self.strides[2] as u32,
            width: area.width,
            height: area.height,
        })
    }
}

/// A picture that is made of pixels, for an encoder.
#[derive(Clone, Debug)]
pub struct Picture {
    size: Size,
    chroma: Chroma,
    planes: [Vec<u8>; 3],
}

impl Picture {
    /// A black picture.
    ///
    /// # Errors
    /// A side of 0, an odd one, or one above [`farpane_frame::MAX_DIMENSION_PX`].
    pub fn new(size: Size, chroma: Chroma) -> Result<Self, VideoError> {
        let odd = !size.width_px.is_multiple_of(2) || !size.height_px.is_multiple_of(2);
        if odd || !size.is_valid() {
            let side = farpane_frame::MAX_DIMENSION_PX;
            return Err(VideoError::Size { found: size, largest: Size::new(side, side) });
        }
        let luma = size.area_px() as usize;
        let difference = if chroma == Chroma::Quarter { luma / 4 } else { luma };
        let planes = [vec![16; luma], vec![128; difference], vec![128; difference]];
        Ok(Self { size, chroma, planes })
    }

    /// Its size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Takes in what `frame` shows from pixel `at` on.
    ///
    /// # Errors
    /// The picture reaches beyond the frame.
    pub fn load(&mut self, frame: &FrameRef<'_>, at: (u32, u32)) -> Result<(), VideoError> {
        let area = Rect { x: at.0, y: at.1, ..self.size.rect() };
        if !frame.size().rect().contains(area) {
            return Err(VideoError::Kind);
        }
        let (stride, row_bytes) = (frame.stride(), area.width as usize * 4);
        let data = &frame.data()[at.1 as usize * stride + at.0 as usize * 4..];
        let (whole, rest) = whole_rows(area.height, stride, data.len());
        if whole > 0 {
            self.turn(0, whole, &data[..whole as usize * stride], stride)?;
        }
        if rest > 0 {
            let rows = data[whole as usize * stride..].chunks(stride);
            let pixels: Vec<u8> = rows.flat_map(|row| &row[..row_bytes]).copied().collect();
            self.turn(whole, rest, &pixels, row_bytes)?;
        }
        Ok(())
    }

    /// Turns `pixels` into `rows` rows from `from` on.
    fn turn(
        &mut self,
        from: u32,
        rows: u32,
        pixels: &[u8],
        stride: usize,
    ) -> Result<(), VideoError> {
        let (width, chroma_stride) = (self.size.width_px, self.chroma_stride());
        let step = if self.chroma == Chroma::Quarter { 2 } else { 1 };
        let luma = (from * width) as usize..((from + rows) * width) as usize;
        let differences =
            (from / step) as usize * chroma_stride..((from + rows) / step) as usize * chroma_stride;
        let [y, u, v] = &mut self.planes;
        let mut image = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(&mut y[luma]),
            y_stride: width,
            u_plane: BufferStoreMut::Borrowed(&mut u[differences.clone()]),
            u_stride: chroma_stride as u32,
            v_plane: BufferStoreMut::Borrowed(&mut v[differences]),
            v_stride: chroma_stride as u32,
            width,
            height: rows,
        };
        let turn = match self.chroma {
            Chroma::Quarter => yuv::bgra_to_yuv420,
            Chroma::Full => yuv::bgra_to_yuv444,
        };
        let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt709);
        let mode = YuvConversionMode::Balanced;
        turn(&mut image, pixels, stride as u32, range, matrix, mode).map_err(|_| VideoError::Kind)
    }

    /// The planes.
    pub fn planes(&self) -> Planes<'_> {
        let chroma_stride = self.chroma_stride();
        Planes {
            size: self.size,
            chroma: self.chroma,
            data: self.planes.each_ref().map(Vec::as_slice),
            strides: [self.size.width_px as usize, chroma_stride, chroma_stride],
        }
    }

    fn chroma_stride(&self) -> usize {
        let width = self.size.width_px as usize;
        if self.chroma == Chroma::Quarter { width / 2 } else { width }
    }
}

/// How many of `rows` rows are whole to the end of their stride when `bytes` bytes are left, and
/// how many are not, in whole pairs: `yuv` leaves out a pair that is not whole, without a word.
fn whole_rows(rows: u32, stride: usize, bytes: usize) -> (u32, u32) {
    if rows as usize * stride <= bytes {
        return (rows, 0);
    }
    let rest = if rows.is_multiple_of(2) { 2 } else { 1 };
    (rows - rest, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_frame::PixelFormat;

    const SIZE: Size = Size::new(64, 32);

    fn flat(colour: [u8; 3]) -> FrameBuf {
        let mut frame = FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap();
        frame.fill(SIZE.rect(), [colour[2], colour[1], colour[0], 0]);
        frame
    }

    #[test]
    fn colours_are_those_of_the_standard() {
        // Red, green, blue, and what BT.709's formulas make of them, rounded.
        let known = [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
        ];
        for chroma in [Chroma::Quarter, Chroma::Full] {
            for (colour, expected) in known {
                let mut picture = Picture::new(SIZE, chroma).unwrap();
                picture.load(&flat(colour).view(), (0, 0)).unwrap();
                for (plane, expected) in picture.planes().data.iter().zip(expected) {
                    let off = plane.iter().map(|v| v.abs_diff(expected)).max().unwrap();
                    assert!(off <= 1, "{colour:?}: {} for {expected}", plane[0]);
                }
            }
        }
    }

    #[test]
    fn pixels_come_back_at_their_place_and_nowhere_else() {
        let mut frame = flat([200, 30, 60]);
        frame.fill(Rect::new(20, 8, 8, 8), [250, 250, 250, 0]);
        let places = [
            ((16, 4), Rect::new(4, 2, 9, 11), (40, 20)),
            ((32, 16), Rect::new(0, 0, 32, 16), (32, 16)),
            ((30, 2), Rect::new(0, 2, 32, 13), (0, 19)),
        ];
        let cases = places.iter().flat_map(|p| [(p, Chroma::Quarter), (p, Chroma::Full)]);
        for ((from, area, to), chroma) in cases {
            let mut picture = Picture::new(Size::new(32, 16), chroma).unwrap();
            picture.load(&frame.view(), *from).unwrap();
            let mut out = flat([1, 2, 3]);
            picture.planes().to_pixels(*area, &mut out, *to).unwrap();
            for (x, y) in (0..SIZE.height_px).flat_map(|y| (0..64).map(move |x| (x, y))) {
                let at = Rect { x: to.0, y: to.1, ..*area };
                let written = at.contains(Rect::new(x, y, 1, 1));
                let expected = match written {
                    true => {
                        let (x, y) = (x - to.0 + area.x + from.0, y - to.1 + area.y + from.1);
                        frame.view().rgb(x, y)
                    }
                    false => [1, 2, 3],
                };
                let found = out.view().rgb(x, y);
                let off = found.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max().unwrap();
                let near = if written { 3 } else { 0 };
                assert!(off <= near, "{chroma:?} {x} {y}: {found:?} for {expected:?}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let odd = Picture::new(Size::new(31, 16), Chroma::Quarter);
        assert!(matches!(odd, Err(VideoError::Size { .. })));
        assert!(Picture::new(Size::new(0, 16), Chroma::Full).is_err());
        let mut picture = Picture::new(Size::new(32, 16), Chroma::Quarter).unwrap();
        assert_eq!(picture.load(&flat([0; 3]).view(), (33, 0)), Err(VideoError::Kind));
        let (planes, mut out) = (picture.planes(), flat([0; 3]));
        let refused = [
            (Rect::new(0, 0, 33, 2), (0, 0)),
            (Rect::new(0, 0, 2, 2), (63, 0)),
            (Rect::new(1, 0, 2, 2), (0, 0)),
            (Rect::new(0, 0, 0, 2), (0, 0)),
        ];
        for (area, at) in refused {
            assert_eq!(planes.to_pixels(area, &mut out, at), Err(VideoError::Kind), "{area:?}");
        }
        let short = Planes { data: [&[], &[], &[]], ..planes };
        assert!(short.to_pixels(Rect::new(0, 0, 8, 8), &mut out, (0, 0)).is_err());
    }
}
