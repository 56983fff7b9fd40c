//! NVIDIA's encoder, NVENC, by way of CUDA: pictures come from the CPU's memory.
//!
//! The crate `nvenc` 0.1 cannot do this on Linux: it opens sessions with OpenGL only, cannot ask
//! for a keyframe or change the rate, and prints. So the little of the interface that is needed is
//! bound here, from NVIDIA's header.

#[allow(unsafe_code, reason = "calls a driver in C")]
mod driver;
#[cfg(test)]
#[allow(unsafe_code, reason = "stands in for a driver in C")]
mod fake;
mod layout;
#[allow(unsafe_code, reason = "calls a driver in C")]
mod session;

use super::Backend;
use super::backend::{Opened, capabilities};
use super::{nv12, planes};
use crate::video::{Capabilities, Chroma, Planes, Unit, VideoEncoder, VideoError, VideoRate};
use driver::Driver;
use farpane_frame::Size;
use layout::{
    CHANGES_RATE, CONSTANT_RATE, Config, H264, HIGH_PROFILE, IDR, INFINITE, Initialize, KEYFRAME,
    LARGEST_AND_SMALLEST, LOW_LATENCY, PRESET,
};
use session::Session;
use std::sync::Arc;

/// The rate holds over this many pictures: keyframes are small, and sharpen in some pictures.
const RATE_PICTURES: f64 = 4.0;
/// More devices are not tried.
const DEVICES: i32 = 8;

/// `zeroReorderDelay` of `NV_ENC_RC_PARAMS`
const NO_DELAY: u32 = 1 << 9;
/// `enableLookahead`, `enableNonRefP` and `enableExtLookahead` of `NV_ENC_RC_PARAMS`
const DELAYS: u32 = 1 << 5 | 1 << 10 | 1 << 16;
/// `repeatSPSPPS` of `NV_ENC_CONFIG_H264`
const REPEAT_PARAMETERS: u32 = 1 << 12;
/// `disableSPSPPS`, `enableIntraRefresh`, `enableLTR` and `enableFillerDataInsertion` of
/// `NV_ENC_CONFIG_H264`
const UNWANTED: u32 = 1 << 7 | 1 << 10 | 1 << 14 | 1 << 17;

pub(super) fn open(size: Size, rate: VideoRate) -> Result<Opened, VideoError> {
    let driver = Driver::load().map_err(|reason| Backend::Nvenc.unavailable(reason))?;
    open_with(&driver, size, rate)
}

/// Opens an encoder on the first device that has one.
fn open_with(driver: &Arc<Driver>, size: Size, rate: VideoRate) -> Result<Opened, VideoError> {
    let unavailable = |reason| Backend::Nvenc.unavailable(reason);
    let devices = driver.devices().map_err(unavailable)?;
    let mut last = unavailable("there is no device".into());
    for device in 0..devices.min(DEVICES) {
        match Session::open(driver.clone(), device) {
            Ok(session) => {
                let encoder = Encoder::new(session, size, rate)?;
                return Ok(Opened { encoder: Box::new(encoder), driver: driver.describe(device) });
            }
            Err(reason) => last = unavailable(reason),
        }
    }
    Err(last)
}

struct Encoder {
    session: Session,
    initialize: Initialize,
    config: Config,
    size: Size,
    largest: Size,
    keyframe: bool,
    pictures: u64,
}

impl Encoder {
    fn new(mut session: Session, size: Size, rate: VideoRate) -> Result<Self, VideoError> {
        let unavailable = |reason| Backend::Nvenc.unavailable(reason);
        let mut sides = [0; 4];
        for (side, what) in sides.iter_mut().zip(LARGEST_AND_SMALLEST) {
            *side = session.caps(what).map_err(unavailable)?;
        }
        let largest = Size::new(sides[0], sides[1]);
        let odd = !size.width_px.is_multiple_of(2) || !size.height_px.is_multiple_of(2);
        let fits = largest.rect().contains(size.rect())
            && size.rect().contains(Size::new(sides[2], sides[3]).rect());
        if odd || !size.is_valid() || !fits {
            return Err(VideoError::Size { found: size, largest });
        }
        if session.caps(CHANGES_RATE).map_err(unavailable)? == 0 {
            return Err(unavailable("the device cannot change the rate".into()));
        }
        let mut config = session.preset().map_err(unavailable)?;
        let mut initialize = initialize(size);
        configure(&mut config);
        configure_rate(&mut initialize, &mut config, rate);
        session.initialize(&initialize, &config).map_err(unavailable)?;
        Ok(Self { session, initialize, config, size, largest, keyframe: false, pictures: 0 })
    }
}

impl VideoEncoder for Encoder {
    fn capabilities(&self) -> Capabilities {
        capabilities(self.largest)
    }

    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError> {
        planes::check(picture, self.size, Chroma::Quarter)?;
        let flags = if self.keyframe || self.pictures == 0 { KEYFRAME } else { 0 };
        let fill = |bytes: &mut [u8], pitch| nv12::write(picture, pitch, bytes);
        let kind = self.session.encode(flags, self.pictures, fill, out).map_err(failed)?;
        self.keyframe = false;
        self.pictures += 1;
        Ok(Some(Unit { keyframe: kind == IDR }))
    }

    fn request_keyframe(&mut self) {
        self.keyframe = true;
    }

    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError> {
        let (mut initialize, mut config) = (self.initialize.clone(), self.config.clone());
        configure_rate(&mut initialize, &mut config, rate);
        self.session.reconfigure(&initialize, &config).map_err(failed)?;
        (self.initialize, self.config) = (initialize, config);
        Ok(())
    }
}

fn initialize(size: Size) -> Initialize {
    let mut initialize = Initialize::new();
    initialize.put_guid(Initialize::CODEC, H264);
    initialize.put_guid(Initialize::PRESET, PRESET);
    for at in [Initialize::WIDTH, Initialize::ASPECT_WIDTH, Initialize::LARGEST_WIDTH] {
        initialize.put(at, size.width_px);
    }
    for at in [Initialize::HEIGHT, Initialize::ASPECT_HEIGHT, Initialize::LARGEST_HEIGHT] {
        initialize.put(at, size.height_px);
    }
    initialize.put(Initialize::DECIDES_TYPES, 1);
    initialize.put(Initialize::TUNING, LOW_LATENCY);
    initialize
}

/// High profile, no delay, no B pictures, no periodic keyframes, parameter sets with each keyframe,
/// and BT.709 in limited range said so.
fn configure(config: &mut Config) {
    config.put_guid(Config::PROFILE, HIGH_PROFILE);
    config.put(Config::GOP, INFINITE);
    config.put(Config::IDR_PERIOD, INFINITE);
    config.put(Config::INTERVAL_P, 1);
    config.put(Config::REFERENCES, 1);
    config.put(Config::CHROMA_FORMAT, 1);
    let rate_bits = config.get(Config::RATE_BITS) & !DELAYS | NO_DELAY;
    config.put(Config::RATE_BITS, rate_bits);
    let h264_bits = config.get(Config::H264_BITS) & !UNWANTED | REPEAT_PARAMETERS;
    config.put(Config::H264_BITS, h264_bits);
    // H.264, annex E: 5 is an unspecified format, and BT.709 is 1 in each of the three tables.
    let signal = [
        (Config::SIGNAL_TYPE, 1),
        (Config::VIDEO_FORMAT, 5),
        (Config::FULL_RANGE, 0),
        (Config::COLOUR_DESCRIPTION, 1),
        (Config::PRIMARIES, 1),
        (Config::TRANSFER, 1),
        (Config::MATRIX, 1),
        (Config::RESTRICTION, 1),
    ];
    for (at, value) in signal {
        config.put(at, value);
    }
}

fn configure_rate(initialize: &mut Initialize, config: &mut Config, rate: VideoRate) {
    let per_1000_s = (rate.pictures_per_s * 1000.0).clamp(1000.0, 1_000_000.0);
    initialize.put(Initialize::RATE_NUMERATOR, per_1000_s as u32);
    initialize.put(Initialize::RATE_DENOMINATOR, 1000);
    let picture_bits = f64::from(rate.bits_per_s) * 1000.0 / f64::from(per_1000_s);
    let buffer = (picture_bits * RATE_PICTURES) as u32;
    config.put(Config::RATE_CONTROL, CONSTANT_RATE);
    config.put(Config::AVERAGE_RATE, rate.bits_per_s);
    config.put(Config::LARGEST_RATE, rate.bits_per_s);
    config.put(Config::BUFFER, buffer);
    config.put(Config::BUFFER_FILLED, buffer);
}

fn failed(reason: String) -> VideoError {
    VideoError::Failed { what: Backend::Nvenc.name(), reason }
}

#[cfg(test)]
mod tests;
