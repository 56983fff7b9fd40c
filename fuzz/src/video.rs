//! Access units for one decoder of H.264: packets, each a unit. Whatever a unit says, a picture
//! that comes out has the size that was asked for.

use crate::{Seed, packets};
use farpane_codec::video::h264::{H264Decoder, H264Encoder, OpenH264};
use farpane_codec::video::{Chroma, Picture, VideoDecoder, VideoEncoder, VideoRate};
use farpane_frame::{FrameBuf, PixelFormat, Size};

pub(crate) const SIZE: Size = Size::new(112, 80);
pub(crate) const RATE: VideoRate = VideoRate { bits_per_s: 300_000, pictures_per_s: 30.0 };

/// Whether all of the input's units give pictures, at least one.
///
/// # Panics
/// When a picture of another size comes out.
pub fn accepts(input: &[u8]) -> bool {
    let library = OpenH264::find().expect("it is compiled in");
    shows(&mut H264Decoder::new(&library, SIZE).expect("a decoder"), input)
}

/// Whether `decoder` makes pictures of all of the input's units.
pub(crate) fn shows(decoder: &mut dyn VideoDecoder, input: &[u8]) -> bool {
    let mut out = FrameBuf::new(SIZE, PixelFormat::Bgrx).expect("the size is valid");
    let (mut any, mut all) = (false, true);
    for unit in packets::split(input) {
        any = true;
        match decoder.decode(unit) {
            Ok(Some(planes)) => {
                assert_eq!(planes.size, SIZE);
                planes.to_pixels(SIZE.rect(), &mut out, (0, 0)).expect("whole planes");
            }
            _ => all = false,
        }
    }
    any && all
}

/// A film, its first picture, and what cannot be decoded.
pub fn seeds() -> Vec<Seed> {
    seeds_of(&units())
}

pub(crate) fn seeds_of(units: &[Vec<u8>]) -> Vec<Seed> {
    let film = |units: &[Vec<u8>]| {
        let mut input = Vec::new();
        units.iter().for_each(|unit| packets::push(&mut input, unit));
        input
    };
    let cut = units[0][..units[0].len() / 2].to_vec();
    vec![
        ("film", film(units)),
        ("keyframe", film(&units[..1])),
        ("bad-no-keyframe", film(&units[1..])),
        ("bad-cut", film(&[cut])),
    ]
}

/// The units of a short film: a keyframe and what refers to it.
pub(crate) fn units() -> Vec<Vec<u8>> {
    let library = OpenH264::find().expect("it is compiled in");
    film(&mut H264Encoder::new(&library, SIZE, RATE).expect("an encoder"))
}

/// What `encoder` makes of a short film.
pub(crate) fn film(encoder: &mut dyn VideoEncoder) -> Vec<Vec<u8>> {
    let mut picture = Picture::new(SIZE, Chroma::Quarter).expect("even sides");
    let mut frame = FrameBuf::new(SIZE, PixelFormat::Bgrx).expect("the size is valid");
    (0..4u32)
        .map(|step| {
            for y in 0..SIZE.height_px {
                let row = frame.span_mut(0, y, SIZE.width_px);
                for (x, pixel) in (0u32..).zip(row.chunks_exact_mut(4)) {
                    let wave = |a: u32, b: u32| (x * a + y * b + step * 7) as u8;
                    pixel.copy_from_slice(&[wave(2, 1), wave(1, 3), wave(3, 2), 0]);
                }
            }
            picture.load(&frame.view(), (0, 0)).expect("of one size");
            let mut unit = Vec::new();
            encoder.encode(&picture.planes(), &mut unit).expect("it encodes");
            unit
        })
        .collect()
}

/// Where a picture of the film lies on a canvas.
pub(crate) fn area(x: u32, y: u32) -> farpane_frame::Rect {
    farpane_frame::Rect::new(x, y, SIZE.width_px, SIZE.height_px)
}
