//! The layout that hardware encoders take: luma, then the colour differences in pairs.

use crate::video::Planes;

/// Writes `picture`, which is whole and 4:2:0, with `pitch` bytes from row to row. `out` has
/// room for three rows of `pitch` for each two rows of the picture.
pub(super) fn write(picture: &Planes<'_>, pitch: usize, out: &mut [u8]) {
    let (width, height) = (picture.size.width_px as usize, picture.size.height_px as usize);
    let (luma, pairs) = out.split_at_mut(pitch * height);
    let rows = picture.data[0].chunks(picture.strides[0]);
    for (row, from) in luma.chunks_mut(pitch).zip(rows).take(height) {
        row[..width].copy_from_slice(&from[..width]);
    }
    let blue = picture.data[1].chunks(picture.strides[1]);
    let red = picture.data[2].chunks(picture.strides[2]);
    for (row, (blue, red)) in pairs.chunks_mut(pitch).zip(blue.zip(red)).take(height / 2) {
        for (pair, (b, r)) in row[..width].chunks_exact_mut(2).zip(blue.iter().zip(red)) {
            pair.copy_from_slice(&[*b, *r]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::Chroma;
    use farpane_frame::Size;

    #[test]
    fn rows_and_pairs_lie_at_their_pitch() {
        let size = Size::new(4, 4);
        let luma: Vec<u8> = (0..4 * 6).collect();
        let (blue, red) = ([1, 2, 0, 3, 4], [5, 6, 0, 7, 8]);
        let data = [&luma[..], &blue, &red];
        let picture = Planes { size, chroma: Chroma::Quarter, data, strides: [6, 3, 3] };
        let mut out = [99; 5 * 6];
        write(&picture, 5, &mut out);
        let expected = [
            [0, 1, 2, 3, 99],
            [6, 7, 8, 9, 99],
            [12, 13, 14, 15, 99],
            [18, 19, 20, 21, 99],
            [1, 5, 2, 6, 99],
            [3, 7, 4, 8, 99],
        ];
        assert_eq!(out, *expected.as_flattened());
    }
}
