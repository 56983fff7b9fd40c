//! Comparing pictures.

use farpane::frame::{FrameBuf, FrameRef, PixelFormat, Size};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// What distinguishes two pictures, for people; `None` when every pixel is the same.
pub fn difference(found: &FrameRef<'_>, expected: &FrameRef<'_>) -> Option<String> {
    if found.size() != expected.size() {
        return Some(format!("{:?} instead of {:?}", found.size(), expected.size()));
    }
    let (x, y) = found.first_difference(expected)?;
    let (is, should) = (found.rgb(x, y), expected.rgb(x, y));
    Some(format!("pixel ({x}, {y}) is {is:?} instead of {should:?}"))
}

/// As [`difference`], of the top left corner of `found` that is as large as `expected`: a screen
/// shown unscaled on a larger one.
pub(crate) fn corner_difference(found: &FrameRef<'_>, expected: &FrameRef<'_>) -> Option<String> {
    let size = expected.size();
    if size.rect().clip(found.size()) != size.rect() {
        return Some(format!("{size:?} does not fit {:?}", found.size()));
    }
    let mut corner = FrameBuf::new(size, found.format()).expect("a size that exists");
    corner.copy_from(found, size.rect());
    difference(&corner.view(), expected)
}

/// Reads a picture that the program wrote: PNG, 8 bits, RGB.
///
/// # Panics
/// When the file is missing or is something else.
pub fn read_png(path: &Path) -> FrameBuf {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().expect("a PNG");
    let mut rgb = vec![0; reader.output_buffer_size().expect("a size that fits memory")];
    let info = reader.next_frame(&mut rgb).expect("a whole PNG");
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    let size = Size::new(info.width, info.height);
    let mut picture = FrameBuf::new(size, PixelFormat::Bgrx).expect("a size that exists");
    for (y, row) in (0..info.height).zip(rgb.chunks_exact(info.line_size)) {
        let out = picture.span_mut(0, y, info.width);
        for (bgrx, rgb) in out.chunks_exact_mut(4).zip(row.chunks_exact(3)) {
            bgrx.copy_from_slice(&[rgb[2], rgb[1], rgb[0], 0]);
        }
    }
    picture
}
