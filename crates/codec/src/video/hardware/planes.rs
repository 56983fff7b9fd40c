//! Pictures on their way to an encoder on another thread.

use crate::video::{Chroma, Planes, VideoError};
use farpane_frame::Size;

/// Checks that `picture` is of that size and kind, and has all its rows.
///
/// # Errors
/// [`VideoError::Kind`] if not.
pub(super) fn check(picture: &Planes<'_>, size: Size, chroma: Chroma) -> Result<(), VideoError> {
    let whole = (0..3).all(|plane| {
        let (width, height) = extent(size, chroma, plane);
        let (data, stride) = (picture.data[plane], picture.strides[plane]);
        let needed = stride.checked_mul(height - 1).and_then(|rows| rows.checked_add(width));
        stride >= width && needed.is_some_and(|needed| data.len() >= needed)
    });
    let fits = picture.size == size && picture.chroma == chroma && size.is_valid() && whole;
    if fits { Ok(()) } else { Err(VideoError::Kind) }
}

/// A picture of one's own, without gaps between the rows.
#[derive(Debug)]
pub(super) struct OwnedPicture {
    size: Size,
    chroma: Chroma,
    data: [Vec<u8>; 3],
}

impl OwnedPicture {
    /// An empty one.
    pub(super) fn new(size: Size, chroma: Chroma) -> Self {
        Self { size, chroma, data: [Vec::new(), Vec::new(), Vec::new()] }
    }

    /// Takes in `picture`, which [`check`] let through for the same size and kind.
    pub(super) fn load(&mut self, picture: &Planes<'_>) {
        for (plane, own) in self.data.iter_mut().enumerate() {
            let (width, height) = extent(self.size, self.chroma, plane);
            own.clear();
            for row in picture.data[plane].chunks(picture.strides[plane]).take(height) {
                own.extend_from_slice(&row[..width]);
            }
        }
    }

    /// The planes.
    pub(super) fn planes(&self) -> Planes<'_> {
        Planes {
            size: self.size,
            chroma: self.chroma,
            data: self.data.each_ref().map(Vec::as_slice),
            strides: [0, 1, 2].map(|plane| extent(self.size, self.chroma, plane).0),
        }
    }
}

/// The bytes of a row, and the rows, of a plane.
fn extent(size: Size, chroma: Chroma, plane: usize) -> (usize, usize) {
    let (width, height) = (size.width_px as usize, size.height_px as usize);
    match (plane, chroma) {
        (0, _) | (_, Chroma::Full) => (width, height),
        (_, Chroma::Quarter) => (width.div_ceil(2), height.div_ceil(2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(4, 2);

    #[test]
    fn a_picture_loses_the_gaps_between_its_rows() {
        let (luma, blue, red) = ([1, 2, 3, 4, 0, 5, 6, 7, 8], [9, 10], [11, 12, 0]);
        let data = [&luma[..], &blue, &red];
        let mut own = OwnedPicture::new(SIZE, Chroma::Quarter);
        for _ in 0..2 {
            let picture = Planes { size: SIZE, chroma: Chroma::Quarter, data, strides: [5, 2, 3] };
            assert_eq!(check(&picture, SIZE, Chroma::Quarter), Ok(()));
            own.load(&picture);
            let planes = own.planes();
            assert_eq!(planes.data, [&[1, 2, 3, 4, 5, 6, 7, 8][..], &[9, 10], &[11, 12]]);
            assert_eq!(check(&planes, SIZE, Chroma::Quarter), Ok(()));
        }
    }

    #[test]
    fn pictures_of_another_kind_are_refused() {
        let (luma, half) = ([0; 8], [0; 2]);
        let picture = Planes {
            size: SIZE,
            chroma: Chroma::Quarter,
            data: [&luma[..], &half, &half],
            strides: [4, 2, 2],
        };
        assert_eq!(check(&picture, SIZE, Chroma::Quarter), Ok(()));
        let full = Planes { chroma: Chroma::Full, data: [&luma; 3], strides: [4; 3], ..picture };
        assert_eq!(check(&full, SIZE, Chroma::Full), Ok(()));
        let refused = [
            full,
            Planes { size: Size::new(2, 2), ..picture },
            Planes { data: [&luma[..7], &half, &half], ..picture },
            Planes { data: [&luma[..], &half[..1], &half], ..picture },
            Planes { data: [&luma[..], &half, &[]], ..picture },
            Planes { strides: [3, 2, 2], ..picture },
            Planes { strides: [4, 0, 2], ..picture },
            Planes { strides: [usize::MAX, 2, 2], ..picture },
        ];
        for other in refused {
            assert_eq!(check(&other, SIZE, Chroma::Quarter), Err(VideoError::Kind), "{other:?}");
        }
    }
}
