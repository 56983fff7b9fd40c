//! Pictures at rest.

use super::queue::fill;
use super::{check_planes, check_size, config, failed};
use crate::video::{Chroma, LARGEST_STILL, Planes, VideoError};
use rav1e::prelude::{Config, Context};

/// Encodes one picture in full colour as a temporal unit of its own, which
/// [`super::Av1Decoder`] decodes.
///
/// `quantizer` is AV1's index, from 1 (nearly exact; rav1e has no exact mode) to 255; `speed` is
/// rav1e's, 10 is the fastest.
///
/// Five photographs of 450x300 to 640x427 pixels, on a busy core of an AMD EPYC, on average:
///
/// | | bytes | ms | SSIMULACRA2 |
/// |---|---|---|---|
/// | exact tiles | 314,000 | 8 | 100 |
/// | speed 10, quantiser 30 | 93,000 | 420 | 88 |
/// | speed 10, quantiser 60 | 58,000 | 320 | 83 |
/// | speed 10, quantiser 100 | 36,000 | 260 | 76 |
/// | speed 8, quantiser 60 | 46,000 | 1,160 | 84 |
/// | OpenH264's keyframe, 4:2:0 | 27,000 | 11 | 66 |
///
/// # Errors
/// The planes are not [`Chroma::Full`], or odd, smaller than 16 or larger than
/// [`LARGEST_STILL`].
pub fn still(picture: &Planes<'_>, quantizer: u8, speed: u8) -> Result<Vec<u8>, VideoError> {
    check_size(picture.size, LARGEST_STILL)?;
    check_planes(picture, picture.size, Chroma::Full)?;
    let mut config = config(picture.size, Chroma::Full, speed);
    config.still_picture = true;
    config.quantizer = usize::from(quantizer.max(1));
    let config = Config::new().with_encoder_config(config);
    let mut context: Context<u8> = config.new_context().map_err(failed)?;
    let mut frame = context.new_frame();
    fill(&mut frame, picture);
    context.send_frame(frame).map_err(failed)?;
    context.flush();
    Ok(context.receive_packet().map_err(failed)?.data)
}
