//! Pictures at rest.

use super::queue::fill;
use super::{check_planes, check_size, config, failed};
use crate::video::{Chroma, Planes, VideoError};
use rav1e::prelude::{Config, Context};

/// Encodes one picture in full colour as a temporal unit of its own, which
/// [`super::Av1Decoder`] decodes.
///
/// `quantizer` is AV1's index, from 1 (nearly exact; rav1e has no exact mode) to 255; `speed` is
/// rav1e's, 10 is the fastest.
///
/// # Errors
/// The planes are not [`Chroma::Full`], or odd, smaller than 16 or larger than
/// [`super::LARGEST`].
pub fn still(picture: &Planes<'_>, quantizer: u8, speed: u8) -> Result<Vec<u8>, VideoError> {
    check_size(picture.size)?;
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
