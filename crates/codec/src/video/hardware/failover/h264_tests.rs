//! The fail-over with real streams: OpenH264 plays the hardware until it breaks, and the software.

use super::*;
use crate::video::h264::{H264Decoder, H264Encoder, OpenH264};
use crate::video::{Chroma, Picture, VideoDecoder};
use farpane_frame::{FrameBuf, PixelFormat, Rect};

const SIZE: Size = Size::new(320, 192);
const RATE: VideoRate = VideoRate { bits_per_s: 2_000_000, pictures_per_s: 10.0 };

/// How it breaks.
type Breakdown = fn() -> Result<Option<Unit>, VideoError>;

/// An encoder that breaks at its nth picture, having counted down to it.
struct Breaks(H264Encoder, u32, Breakdown);

impl VideoEncoder for Breaks {
    fn capabilities(&self) -> Capabilities {
        Capabilities { hardware: true, ..self.0.capabilities() }
    }

    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError> {
        self.1 -= 1;
        if self.1 == 0 { (self.2)() } else { self.0.encode(picture, out) }
    }

    fn request_keyframe(&mut self) {
        self.0.request_keyframe();
    }

    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError> {
        self.0.set_rate(rate)
    }
}

fn open(size: Size, rate: VideoRate) -> Result<H264Encoder, VideoError> {
    H264Encoder::new(&OpenH264::find()?, size, rate)
}

/// A picture with a box at a place of its own.
fn picture(number: u32) -> Picture {
    let mut frame = FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap();
    frame.fill(SIZE.rect(), [90, 60, 30, 0]);
    frame.fill(Rect::new(number * 8, number * 4, 64, 64), [20, 200, 230, 0]);
    let mut picture = Picture::new(SIZE, Chroma::Quarter).unwrap();
    picture.load(&frame.view(), (0, 0)).unwrap();
    picture
}

/// The mean difference of luma.
fn difference(a: &Planes<'_>, b: &Planes<'_>) -> f64 {
    let rows =
        |planes: &Planes<'_>, y: usize| planes.data[0][y * planes.strides[0]..][..320].to_vec();
    let row = |y| -> u64 {
        rows(a, y).iter().zip(rows(b, y)).map(|(a, b)| u64::from(a.abs_diff(b))).sum()
    };
    (0..192).map(row).sum::<u64>() as f64 / (320.0 * 192.0)
}

#[test]
fn a_decoder_shows_every_picture_across_the_fail_over() {
    let breakdowns: [Breakdown; 3] = [
        || Err(VideoError::Kind),
        || panic!("as the test says"),
        || Ok(Some(Unit { keyframe: false })),
    ];
    for breakdown in breakdowns {
        for nth in [1, 2, 7] {
            let hardware =
                move |size, rate| Ok(Box::new(Breaks(open(size, rate)?, nth, breakdown)) as _);
            let software = |size, rate| Ok(Box::new(open(size, rate)?) as _);
            let mut encoder = FailoverEncoder::start(SIZE, RATE, hardware, software).unwrap();
            let mut decoder = H264Decoder::new(&OpenH264::find().unwrap(), SIZE).unwrap();
            let mut keyframes = Vec::new();
            for number in 1..=12 {
                let (source, mut out) = (picture(number), Vec::new());
                let unit = encoder.encode(&source.planes(), &mut out).unwrap().unwrap();
                if unit.keyframe {
                    keyframes.push(number);
                }
                let shown = decoder.decode(&out).unwrap().unwrap();
                let off = difference(&source.planes(), &shown);
                assert!(off < 3.0, "picture {number}, broken at {nth}: {off}");
            }
            let expected = if nth == 1 { vec![1] } else { vec![1, nth] };
            assert_eq!(keyframes, expected, "one keyframe from each encoder");
            assert!(encoder.failed().is_some());
        }
    }
}

#[test]
fn a_real_encoder_is_never_taken_for_a_broken_one() {
    let sound = |size, rate| Ok(Box::new(Breaks(open(size, rate)?, u32::MAX, || Ok(None))) as _);
    let software = |_, _| Err(VideoError::Kind);
    let mut encoder = FailoverEncoder::start(SIZE, RATE, sound, software).unwrap();
    let mut noise = 1u32;
    for number in 0..80 {
        let bits_per_s = [2_000_000, 100_000, 500_000][number as usize / 10 % 3];
        encoder.set_rate(VideoRate { bits_per_s, ..RATE }).unwrap();
        if number % 31 == 0 {
            encoder.request_keyframe();
        }
        let luma: Vec<u8> = (0..320 * 192)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            })
            .collect();
        let picture = picture(number % 16);
        let mut planes = picture.planes();
        // Half of the time nothing can be predicted, and the rate cannot be held.
        if number % 20 < 10 {
            planes.data[0] = &luma;
        }
        encoder.encode(&planes, &mut Vec::new()).unwrap();
        assert_eq!(encoder.failed(), None, "picture {number}");
    }
}
