//! Vulkan Video, by way of `gpu-video`: loads the Vulkan loader at run time.
//!
//! The crate writes level 4.1 whatever the size, so larger pictures than that level's are refused.
//! It cannot change the rate of a session, so a new session begins, with a keyframe, when the rate
//! has changed by much ([`worth_a_keyframe`]), and with any keyframe that is due anyway.

use super::Backend;
use super::backend::{Opened, capabilities};
use super::{nv12, planes};
use crate::video::{Capabilities, Chroma, Planes, Unit, VideoEncoder, VideoError, VideoRate};
use farpane_frame::Size;
use gpu_video::parameters::{
    ColorRange, ColorSpace, EncoderParametersH264, RateControl, Rational, VideoParameters,
    VulkanDeviceDescriptor,
};
use gpu_video::{BytesEncoderH264, InputFrame, RawFrameData, VulkanDevice, VulkanInstance};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// 8,160 macroblocks; level 4.1 has at most 8,192 (H.264, table A-1).
const LARGEST: Size = Size::new(1920, 1088);
/// The time in which the rate is held. Short, so that keyframes do not pile up in front of a link.
const RATE_WINDOW: Duration = Duration::from_millis(250);
/// `VK_VIDEO_ENCODE_RATE_CONTROL_MODE_CBR_BIT_KHR`
const CONSTANT_RATE: u32 = 2;
/// `VK_VIDEO_ENCODE_RATE_CONTROL_MODE_VBR_BIT_KHR`
const VARIABLE_RATE: u32 = 4;

pub(super) fn open(size: Size, rate: VideoRate) -> Result<Opened, VideoError> {
    let odd = !size.width_px.is_multiple_of(2) || !size.height_px.is_multiple_of(2);
    if odd || !size.is_valid() || !LARGEST.rect().contains(size.rect()) {
        return Err(VideoError::Size { found: size, largest: LARGEST });
    }
    let unavailable = |error: &dyn std::fmt::Display| Backend::VulkanVideo.unavailable(error);
    let instance = VulkanInstance::new().map_err(|error| unavailable(&error))?;
    let mut adapters = instance.iter_adapters().map_err(|error| unavailable(&error))?;
    let adapter = adapters.find(|adapter| {
        adapter.supports_encoding() && adapter.info().encode_capabilities.h264.is_some()
    });
    let adapter = adapter.ok_or_else(|| unavailable(&"no device encodes H.264 with Vulkan"))?;
    let info = adapter.info();
    let driver = format!("{}: {} {}", info.name, info.driver_name, info.driver_info);
    let device = adapter.create_device(&VulkanDeviceDescriptor::default());
    let device = device.map_err(|error| unavailable(&error))?;
    drop(adapters);
    let session = open_session(&device, size, rate)?;
    let encoder =
        Encoder { session, device, _instance: instance, size, rate, wanted: rate, keyframe: false };
    Ok(Opened { encoder: Box::new(encoder), driver })
}

/// Fields are dropped in this order.
struct Encoder {
    session: BytesEncoderH264,
    device: Arc<VulkanDevice>,
    _instance: Arc<VulkanInstance>,
    size: Size,
    /// The session's rate.
    rate: VideoRate,
    wanted: VideoRate,
    keyframe: bool,
}

impl VideoEncoder for Encoder {
    fn capabilities(&self) -> Capabilities {
        capabilities(LARGEST)
    }

    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError> {
        planes::check(picture, self.size, Chroma::Quarter)?;
        let due = self.keyframe && self.rate != self.wanted;
        if due || worth_a_keyframe(self.rate, self.wanted) {
            self.session = open_session(&self.device, self.size, self.wanted)?;
            self.rate = self.wanted;
        }
        let Size { width_px: width, height_px: height } = self.size;
        let mut frame = vec![0; width as usize * height as usize / 2 * 3];
        nv12::write(picture, width as usize, &mut frame);
        let frame = InputFrame { data: RawFrameData { frame, width, height }, pts: None };
        let unit = self.session.encode(&frame, self.keyframe).map_err(failed)?;
        self.keyframe = false;
        out.extend_from_slice(&unit.data);
        Ok(Some(Unit { keyframe: unit.is_keyframe }))
    }

    fn request_keyframe(&mut self) {
        self.keyframe = true;
    }

    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError> {
        self.wanted = rate;
        Ok(())
    }
}

/// Whether a change of rate is worth a keyframe: at once when less goes through the link, and when
/// twice as much does. A keyframe at the new rate costs some pictures' worth of it.
fn worth_a_keyframe(old: VideoRate, new: VideoRate) -> bool {
    let (old, new) = (f64::from(old.bits_per_s), f64::from(new.bits_per_s));
    new < old * 0.75 || new > old * 2.0
}

fn open_session(
    device: &Arc<VulkanDevice>,
    size: Size,
    rate: VideoRate,
) -> Result<BytesEncoderH264, VideoError> {
    let unavailable = |reason: String| Backend::VulkanVideo.unavailable(reason);
    let none = || unavailable("no device encodes H.264 with Vulkan".into());
    let h264 = device.encode_capabilities().h264.ok_or_else(none)?;
    let profile = h264.high_profile.or(h264.main_profile).or(h264.baseline_profile);
    let modes = profile.ok_or_else(none)?.supported_rate_control.as_raw();
    let bitrate = u64::from(rate.bits_per_s);
    let control = if modes & CONSTANT_RATE != 0 {
        RateControl::ConstantBitrate { bitrate, virtual_buffer_size: RATE_WINDOW }
    } else if modes & VARIABLE_RATE != 0 {
        RateControl::VariableBitrate {
            average_bitrate: bitrate,
            max_bitrate: bitrate,
            virtual_buffer_size: RATE_WINDOW,
        }
    } else {
        return Err(unavailable("the device cannot hold a rate".into()));
    };
    let output = device.encoder_output_parameters_h264_low_latency(control);
    let mut output = output.map_err(|error| unavailable(error.to_string()))?;
    // Without end: no periodic keyframes.
    output.idr_period = Some(NonZeroU32::MAX);
    output.max_references = Some(NonZeroU32::MIN);
    output.inline_stream_params = Some(true);
    output.color_space = Some(ColorSpace::BT709);
    output.color_range = Some(ColorRange::Limited);
    let side = |px: u32| NonZeroU32::new(px).ok_or(VideoError::Kind);
    let per_1000_s = (rate.pictures_per_s * 1000.0).clamp(1000.0, 1_000_000.0) as u32;
    let input = VideoParameters {
        width: side(size.width_px)?,
        height: side(size.height_px)?,
        target_framerate: Rational {
            numerator: per_1000_s,
            denominator: NonZeroU32::new(1000).unwrap_or(NonZeroU32::MIN),
        },
    };
    let parameters = EncoderParametersH264 { input_parameters: input, output_parameters: output };
    let session = device.create_bytes_encoder_h264(parameters);
    session.map_err(|error| unavailable(error.to_string()))
}

fn failed(error: impl std::fmt::Display) -> VideoError {
    VideoError::Failed { what: Backend::VulkanVideo.name(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: VideoRate = VideoRate { bits_per_s: 1_000_000, pictures_per_s: 30.0 };

    #[test]
    fn only_much_of_a_change_is_worth_a_keyframe() {
        let worth = |bits_per_s| worth_a_keyframe(RATE, VideoRate { bits_per_s, ..RATE });
        assert!([1, 749_999, 2_000_001, u32::MAX].map(worth).iter().all(|worth| *worth));
        assert!([750_000, 1_000_000, 2_000_000].map(worth).iter().all(|worth| !worth));
    }

    #[test]
    fn sizes_beyond_the_level_and_odd_ones_are_refused_before_any_driver_is_called() {
        for (width, height) in [(1922, 1080), (1920, 1090), (0, 2), (3, 2), (2, 3)] {
            let found = Size::new(width, height);
            let refused = open(found, RATE).err();
            assert_eq!(refused, Some(VideoError::Size { found, largest: LARGEST }));
        }
    }
}
