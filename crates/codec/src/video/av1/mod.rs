//! AV1 on the CPU: rav1e encodes, rav1d decodes.
//!
//! For films over links that are too slow for H.264, at some 30 times its work, and for pictures
//! at rest in full colour ([`still`]).

mod budget;
mod decoder;
mod encoder;
mod obu;
mod queue;
mod still;

pub use decoder::Av1Decoder;
pub use encoder::Av1Encoder;
pub use still::still;

use super::{Chroma, Planes, VideoError};
use farpane_frame::Size;
use rav1e::prelude::{
    ChromaSampling, ColorDescription, ColorPrimaries, EncoderConfig, MatrixCoefficients,
    PixelRange, TransferCharacteristics,
};

const NAME: &str = "AV1";

/// The largest picture of a film, either way round: it is encoded about 14 times a second on one
/// core of an AMD EPYC; see [`Av1Encoder`].
pub const LARGEST: Size = Size::new(640, 360);
/// rav1e takes no smaller ones.
const LEAST_SIDE_PX: u32 = 16;

/// What all encoders are told: a picture of `size` in BT.709, limited range.
fn config(size: Size, chroma: Chroma, speed: u8) -> EncoderConfig {
    let mut config = EncoderConfig::with_speed_preset(speed);
    (config.width, config.height) = (size.width_px as usize, size.height_px as usize);
    config.chroma_sampling = match chroma {
        Chroma::Quarter => ChromaSampling::Cs420,
        Chroma::Full => ChromaSampling::Cs444,
    };
    config.pixel_range = PixelRange::Limited;
    config.color_description = Some(ColorDescription {
        color_primaries: ColorPrimaries::BT709,
        transfer_characteristics: TransferCharacteristics::BT709,
        matrix_coefficients: MatrixCoefficients::BT709,
    });
    config
}

/// Whether pictures of `size` are encoded at all, when none larger than `largest` is.
fn check_size(size: Size, largest: Size) -> Result<(), VideoError> {
    let (long, short) = (size.width_px.max(size.height_px), size.width_px.min(size.height_px));
    let odd = !long.is_multiple_of(2) || !short.is_multiple_of(2);
    if odd || short < LEAST_SIDE_PX || long > largest.width_px || short > largest.height_px {
        return Err(VideoError::Size { found: size, largest });
    }
    Ok(())
}

/// Whether `picture` has whole planes of that size and kind.
fn check_planes(picture: &Planes<'_>, size: Size, chroma: Chroma) -> Result<(), VideoError> {
    let step = if chroma == Chroma::Quarter { 2 } else { 1 };
    let whole = |i: usize| {
        let step = if i == 0 { 1 } else { step };
        let (width, height) = (size.width_px as usize / step, size.height_px as usize / step);
        let stride = picture.strides[i];
        stride >= width && picture.data[i].len() >= stride * (height - 1) + width
    };
    let alike = picture.size == size && picture.chroma == chroma;
    if alike && (0..3).all(whole) { Ok(()) } else { Err(VideoError::Kind) }
}

fn failed(error: impl std::fmt::Display) -> VideoError {
    VideoError::Failed { what: NAME, reason: error.to_string() }
}

#[cfg(test)]
mod tests;
