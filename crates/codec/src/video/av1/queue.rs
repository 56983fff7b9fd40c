//! A rav1e that gives each picture's unit at once.
//!
//! rav1e begins to encode a picture when it has four more, also with `low_latency`, and none of
//! its settings changes that (xiph/rav1e #2267). It reads a picture's pixels when it encodes it,
//! though; before that it only makes a small copy, to guess motion from. So all places of its
//! queue hold one and the same frame, and each picture is written into that frame just before it
//! is encoded. What is guessed of the motion is then that of the picture before, which costs
//! nothing that could be measured: 320x240 of a film at one quantizer took 4.0 KB and 15.5 ms a
//! unit at 41.6 dB, against 4.1 KB, 17.6 ms and 41.5 dB with rav1e's delay. Sending each picture
//! five times, which would give it at once as well, took 48.7 ms; keyframes alone 8.5 KB.

use super::failed;
use crate::video::{Planes, VideoError};
use rav1e::prelude::{Config, Context, EncoderConfig, EncoderStatus, Frame, FrameType};
use std::sync::Arc;

/// Places that rav1e may want to be filled before it encodes; it wants five.
const MOST_AHEAD: u32 = 16;

/// An encoder whose queue is filled with one frame.
pub(super) struct Queue {
    context: Context<u8>,
    frame: Arc<Frame<u8>>,
    encoded: u64,
}

impl Queue {
    pub(super) fn new(config: EncoderConfig) -> Result<Self, VideoError> {
        let config = Config::new().with_encoder_config(config);
        let context: Context<u8> = config.new_context().map_err(failed)?;
        let frame = Arc::new(context.new_frame());
        Ok(Self { context, frame, encoded: 0 })
    }

    /// Encodes a picture of the configured size and kind: its unit, and whether it is a keyframe.
    pub(super) fn encode(&mut self, picture: &Planes<'_>) -> Result<(Vec<u8>, bool), VideoError> {
        self.write(picture);
        for _ in 0..MOST_AHEAD {
            self.context.send_frame(Arc::clone(&self.frame)).map_err(failed)?;
            match self.context.receive_packet() {
                Ok(packet) if packet.input_frameno == self.encoded => {
                    self.encoded += 1;
                    return Ok((packet.data, packet.frame_type == FrameType::KEY));
                }
                Ok(packet) => {
                    let (found, wanted) = (packet.input_frameno, self.encoded);
                    return Err(failed(format!("picture {found} came for {wanted}")));
                }
                Err(EncoderStatus::NeedMoreData) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(failed("pictures are kept back"))
    }

    #[allow(unsafe_code)]
    fn write(&mut self, picture: &Planes<'_>) {
        // SAFETY: the pointer comes from an `Arc` that lives, and nothing reads or writes the
        // frame meanwhile: only the context has clones of the `Arc` (packets, which have too, are
        // dropped in `encode`), and it reads the frame only during its calls, which need
        // `&mut self` and have joined all their threads when they return.
        let frame = unsafe { &mut *Arc::as_ptr(&self.frame).cast_mut() };
        fill(frame, picture);
    }
}

/// Writes `picture` into a frame of its size, and what lies around it.
pub(super) fn fill(frame: &mut Frame<u8>, picture: &Planes<'_>) {
    let (width, height) = (picture.size.width_px as usize, picture.size.height_px as usize);
    for (i, plane) in frame.planes.iter_mut().enumerate() {
        let (columns, rows) = (width >> plane.cfg.xdec, height >> plane.cfg.ydec);
        let stride = plane.cfg.stride;
        let pairs = plane.data_origin_mut().chunks_mut(stride);
        let pairs = pairs.zip(picture.data[i].chunks(picture.strides[i]));
        pairs.take(rows).for_each(|(to, from)| to[..columns].copy_from_slice(&from[..columns]));
        plane.pad(width, height);
    }
}
