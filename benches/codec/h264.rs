//! openh264 alone: every changed frame is a picture of a video. Not exact.

use crate::subjects::Subject;
use farpane_benches::recordings::Shot;
use farpane_codec::video::{Chroma, Picture, Planes};
use farpane_frame::{FrameBuf, Size};
use openh264::encoder::{
    BitRate, Encoder, EncoderConfig, FrameRate, QpRange, RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::{YUVSlices, YUVSource};
use openh264::{OpenH264API, Timestamp, decoder::Decoder};

/// How the encoder is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tuning {
    /// As the wrapper does it: camera, 120 kbit/s, frames may be skipped.
    Default,
    /// For screens: 20 Mbit/s, no frame is skipped, the quantiser as fine as it gets. A bound of 0
    /// would become 26 to 35.
    Screen,
}

/// An encoder, its picture, and a helper's decoder. The conversion, to BT.709, is measured too.
pub(crate) struct H264 {
    tuning: Tuning,
    picture: Picture,
    encoder: Encoder,
    decoder: Decoder,
    unit: Vec<u8>,
}

impl H264 {
    pub(crate) fn new(size: Size, tuning: Tuning) -> Self {
        let config = match tuning {
            Tuning::Default => EncoderConfig::new().num_threads(1),
            Tuning::Screen => EncoderConfig::new()
                .num_threads(1)
                .usage_type(UsageType::ScreenContentRealTime)
                .rate_control_mode(RateControlMode::Bitrate)
                .bitrate(BitRate::from_bps(20_000_000))
                .max_frame_rate(FrameRate::from_hz(30.0))
                .qp(QpRange::new(1, 51))
                .skip_frames(false)
                // It refuses these for screens, and says so.
                .adaptive_quantization(false)
                .background_detection(false)
                .vui(VuiConfig::bt709()),
        };
        let api = OpenH264API::from_source();
        Self {
            tuning,
            picture: Picture::new(size, Chroma::Quarter).expect("an even size"),
            encoder: Encoder::with_api_config(api, config).expect("an encoder"),
            decoder: Decoder::new().expect("a decoder"),
            unit: Vec::new(),
        }
    }
}

impl Subject for H264 {
    fn name(&self) -> String {
        match self.tuning {
            Tuning::Default => "openh264, default".into(),
            Tuning::Screen => "openh264, tuned".into(),
        }
    }

    fn frame(&mut self, shot: &Shot) -> usize {
        self.picture.load(&shot.view(), (0, 0)).expect("a picture of the screen's size");
        let Planes { size, data: [y, u, v], strides, .. } = self.picture.planes();
        let dimensions = (size.width_px as usize, size.height_px as usize);
        let slices = YUVSlices::new((y, u, v), dimensions, strides.into());
        let time = Timestamp::from_millis(shot.time_us / 1_000);
        let unit = self.encoder.encode_at(&slices, time).expect("openh264 encodes");
        self.unit.clear();
        unit.write_vec(&mut self.unit);
        self.unit.len()
    }

    fn show(&mut self, helper: &mut FrameBuf) {
        // Nothing when the frame was skipped.
        if self.unit.is_empty() {
            return;
        }
        if let Some(picture) = self.decoder.decode(&self.unit).expect("its own unit") {
            let planes = Planes {
                size: helper.size(),
                chroma: Chroma::Quarter,
                data: [picture.y(), picture.u(), picture.v()],
                strides: picture.strides().into(),
            };
            planes.to_pixels(helper.size().rect(), helper, (0, 0)).expect("of the screen's size");
        }
    }
}
