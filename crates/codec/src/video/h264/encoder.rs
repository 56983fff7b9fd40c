//! Pictures in, access units out.

use super::{NAME, OpenH264, failed};
use crate::video::{Capabilities, Chroma, Planes, Unit, VideoCodec, VideoEncoder};
use crate::video::{VideoError, VideoRate};
use farpane_frame::Size;
use openh264::Timestamp;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, QpRange, RateControlMode,
    UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264_sys2::{
    ENCODER_OPTION, ENCODER_OPTION_BITRATE, ENCODER_OPTION_FRAME_RATE, ENCODER_OPTION_MAX_BITRATE,
    SBitrateInfo, SPATIAL_LAYER_0, SPATIAL_LAYER_ALL,
};

/// What level 5.2 allows OpenH264.
const LARGEST: Size = Size::new(3840, 2160);
/// The coarsest quantisation.
const MOST_QP: u8 = 51;
/// The finest quantisation at so many bits a pixel and more. OpenH264 takes 28 at most for its
/// first picture, which makes 60 KB of 1280x720 whatever the rate; a bound that is coarser where
/// bits are few makes it fit. A bound of 0 would make it take a range of its own; below 12 it
/// clips. Finer than 20 nobody sees: what rests becomes exact anyway.
const LEAST_QP: [(f64, u8); 5] = [(0.12, 20), (0.06, 28), (0.03, 34), (0.015, 38), (0.0, 42)];
/// A rate that allows a bound finer by this much is worth another keyframe.
const QP_STEP: u8 = 8;
/// So are so many pictures in a row that left this share of their bits unused: the bound keeps
/// them from looking better. Six steps of it double the bits.
const SPARE_PICTURES: u32 = 10;
const SPARE_SHARE: f64 = 0.5;
const SPARE_QP_STEP: u8 = 6;
/// Pictures of fewer pixels are encoded on one thread: waking another costs more than it saves.
const SLICES_FROM_PX: u64 = 1_500_000;
/// Less than this OpenH264 does not take.
const LEAST_BITS_PER_S: u32 = 50_000;

/// Encodes the pictures of one region as H.264, constrained baseline.
///
/// Camera mode at low complexity, without adaptive quantisation and background detection: on a
/// film of 1280x720 that takes 6.5 ms a picture of one core here, and at 8.5 Mbit/s it looks
/// better (SSIMULACRA2 of 61 to 69 against 53 to 61 with both). Screen mode takes 10.7 ms for the
/// same, skips blocks of text for ever once their quantisation is about 26, and is not needed:
/// text is coded exactly. There are no periodic keyframes, and none at scene changes.
pub struct H264Encoder {
    library: OpenH264,
    encoder: Encoder,
    size: Size,
    rate: VideoRate,
    least_qp: u8,
    /// Pictures in a row that left bits unused.
    spare: u32,
    /// The time given to OpenH264 with the next picture, whose rate control counts in it.
    time_ms: f64,
}

impl H264Encoder {
    /// An encoder of pictures of `size`.
    ///
    /// # Errors
    /// The size is odd, smaller than 16 or larger than 3840x2160 pixels (either way round), or
    /// the library cannot be had.
    pub fn new(library: &OpenH264, size: Size, rate: VideoRate) -> Result<Self, VideoError> {
        let (long, short) = (size.width_px.max(size.height_px), size.width_px.min(size.height_px));
        let odd = !long.is_multiple_of(2) || !short.is_multiple_of(2);
        if odd || short < 16 || long > LARGEST.width_px || short > LARGEST.height_px {
            return Err(VideoError::Size { found: size, largest: LARGEST });
        }
        let least_qp = least_qp(size, rate);
        let (encoder, library) = (Self::open(library, size, rate, least_qp)?, library.clone());
        Ok(Self { library, encoder, size, rate, least_qp, spare: 0, time_ms: 0.0 })
    }

    fn open(
        library: &OpenH264,
        size: Size,
        rate: VideoRate,
        least_qp: u8,
    ) -> Result<Encoder, VideoError> {
        let threads = if size.area_px() < SLICES_FROM_PX { 1 } else { 2 };
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::Low)
            .adaptive_quantization(false)
            .background_detection(false)
            .scene_change_detect(false)
            .rate_control_mode(RateControlMode::Bitrate)
            .skip_frames(true)
            .bitrate(BitRate::from_bps(rate.bits_per_s.max(LEAST_BITS_PER_S)))
            .max_frame_rate(FrameRate::from_hz(rate.pictures_per_s))
            .qp(QpRange::new(least_qp, MOST_QP))
            .num_threads(threads)
            .vui(VuiConfig::bt709());
        Encoder::with_api_config(library.api()?, config).map_err(failed)
    }

    /// Begins anew with another bound, which nothing else changes: the next picture is a keyframe.
    fn reopen(&mut self, least_qp: u8) -> Result<(), VideoError> {
        self.encoder = Self::open(&self.library, self.size, self.rate, least_qp)?;
        (self.least_qp, self.spare) = (least_qp, 0);
        Ok(())
    }

    /// Notes how many bits a picture took; lowers the bound when it is what keeps them few.
    fn spend(&mut self, unit: Unit, bits: usize) -> Result<(), VideoError> {
        let given = f64::from(self.rate.bits_per_s) / f64::from(self.rate.pictures_per_s.max(1.0));
        let spare = !unit.keyframe && (bits as f64) < given * (1.0 - SPARE_SHARE);
        self.spare = if spare { self.spare + 1 } else { 0 };
        let (finest, bound) = (LEAST_QP[0].1, self.least_qp.saturating_sub(SPARE_QP_STEP));
        if self.spare >= SPARE_PICTURES && self.least_qp > finest {
            self.reopen(bound.max(finest))?;
        }
        Ok(())
    }

    /// Sets an option of the library.
    #[allow(unsafe_code)]
    fn set<T>(&mut self, option: ENCODER_OPTION, mut value: T) -> Result<(), VideoError> {
        // SAFETY: the encoder lives, and `T` is what the library documents for this option: it
        // copies the value during the call. Rates are no parameter that the wrapper relies on.
        let result = unsafe { self.encoder.raw_api().set_option(option, (&raw mut value).cast()) };
        if result == 0 { Ok(()) } else { Err(failed(format!("option {option} gives {result}"))) }
    }
}

/// The finest quantisation for pictures of `size` at `rate`.
fn least_qp(size: Size, rate: VideoRate) -> u8 {
    let pixels_per_s = size.area_px() as f64 * f64::from(rate.pictures_per_s.max(1.0));
    let bits = f64::from(rate.bits_per_s) / pixels_per_s;
    LEAST_QP.iter().find(|(from, _)| bits >= *from).map_or(MOST_QP, |(_, qp)| *qp)
}

impl VideoEncoder for H264Encoder {
    fn capabilities(&self) -> Capabilities {
        let (codec, chroma) = (VideoCodec::H264, Chroma::Quarter);
        Capabilities { codec, chroma, largest: LARGEST, hardware: false }
    }

    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError> {
        if picture.size != self.size || picture.chroma != Chroma::Quarter {
            return Err(VideoError::Kind);
        }
        let [y, u, v] = picture.data;
        let sides = (self.size.width_px as usize, self.size.height_px as usize);
        let strides = (picture.strides[0], picture.strides[1], picture.strides[2]);
        let enough = |plane: &[u8], stride: usize, (width, height): (usize, usize)| {
            stride >= width && plane.len() >= stride * height
        };
        let half = (sides.0 / 2, sides.1 / 2);
        let all = enough(y, strides.0, sides) && enough(u, strides.1, half);
        if !all || !enough(v, strides.2, half) {
            return Err(VideoError::Kind);
        }
        let source = YUVSlices::new((y, u, v), sides, strides);
        let at = Timestamp::from_millis(self.time_ms as u64);
        self.time_ms += 1e3 / f64::from(self.rate.pictures_per_s.max(1.0));
        let stream = self.encoder.encode_at(&source, at).map_err(failed)?;
        let before = out.len();
        stream.write_vec(out);
        let keyframe = stream.frame_type() == FrameType::IDR;
        let unit = (out.len() > before).then_some(Unit { keyframe });
        if let Some(unit) = unit {
            self.spend(unit, (out.len() - before) * 8)?;
        }
        Ok(unit)
    }

    fn request_keyframe(&mut self) {
        self.encoder.force_intra_frame();
    }

    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError> {
        if rate == self.rate {
            return Ok(());
        }
        let least_qp = least_qp(self.size, rate);
        if self.time_ms == 0.0 || least_qp + QP_STEP <= self.least_qp {
            // Options can be set only from the first picture on, and that bound only before.
            self.rate = rate;
            return self.reopen(least_qp);
        }
        let bits = rate.bits_per_s.max(LEAST_BITS_PER_S) as i32;
        let (all, most) = (
            SBitrateInfo { iLayer: SPATIAL_LAYER_ALL, iBitrate: bits },
            SBitrateInfo { iLayer: SPATIAL_LAYER_0, iBitrate: bits },
        );
        // The most of the one layer must never be below its target.
        if rate.bits_per_s > self.rate.bits_per_s {
            self.set(ENCODER_OPTION_MAX_BITRATE, most)?;
            self.set(ENCODER_OPTION_BITRATE, all)?;
        } else {
            self.set(ENCODER_OPTION_BITRATE, all)?;
            self.set(ENCODER_OPTION_MAX_BITRATE, most)?;
        }
        self.set(ENCODER_OPTION_FRAME_RATE, rate.pictures_per_s)?;
        self.rate = rate;
        Ok(())
    }
}

impl std::fmt::Debug for H264Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(NAME).field("size", &self.size).field("rate", &self.rate).finish()
    }
}
