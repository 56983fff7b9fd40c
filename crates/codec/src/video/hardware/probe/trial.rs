//! What a backend must do to be trusted.

use super::super::backend::Opened;
use super::super::planes;
use super::PROBE_SIZE as SIZE;
use crate::video::{Chroma, Planes, VideoDecoder, VideoError, VideoRate};
use farpane_frame::Size;

/// 8 KB a picture, ample for gradients.
const RATE: VideoRate = VideoRate { bits_per_s: 2_000_000, pictures_per_s: 30.0 };
/// The rate for the last picture.
const OTHER_RATE: VideoRate = VideoRate { bits_per_s: 1_000_000, pictures_per_s: 30.0 };
/// A keyframe, two pictures that rely on the one before, and a keyframe on request.
const PICTURES: u32 = 4;
/// How near decoded luma is to the source, in decibels of PSNR: OpenH264 reaches 50 at this rate,
/// and one picture in place of the next is 27.
const LUMA_DB: f64 = 30.0;
/// The same for colour differences. Exchanged, they are at 17.
const COLOUR_DB: f64 = 25.0;

/// Has pictures encoded and decoded: the driver, or why it is not to be trusted.
pub(super) fn run(
    open: impl FnOnce(Size, VideoRate) -> Result<Opened, VideoError>,
    decoder: &mut dyn VideoDecoder,
) -> Result<String, String> {
    let Opened { mut encoder, driver } = open(SIZE, RATE).map_err(|error| error.to_string())?;
    if encoder.capabilities().chroma != Chroma::Quarter {
        return Err("the encoder does not take 4:2:0".into());
    }
    let mut bytes = Vec::new();
    for number in 0..PICTURES {
        let last = number + 1 == PICTURES;
        if last {
            encoder.set_rate(OTHER_RATE).map_err(|error| error.to_string())?;
            encoder.request_keyframe();
        }
        let picture = TrialPicture::new(number);
        bytes.clear();
        let unit = encoder.encode(&picture.planes(), &mut bytes);
        let unit = unit.map_err(|error| format!("picture {number}: {error}"))?;
        let unit = unit.ok_or_else(|| format!("picture {number} was skipped"))?;
        if unit.keyframe != (number == 0 || last) {
            return Err(format!("picture {number}: keyframe: {}", unit.keyframe));
        }
        let decoded = decoder.decode(&bytes);
        let decoded = decoded.map_err(|error| format!("picture {number}: {error}"))?;
        let decoded = decoded.ok_or_else(|| format!("picture {number} did not come at once"))?;
        compare(&picture.planes(), &decoded).map_err(|why| format!("picture {number}: {why}"))?;
    }
    Ok(driver)
}

fn compare(source: &Planes<'_>, decoded: &Planes<'_>) -> Result<(), String> {
    planes::check(decoded, SIZE, Chroma::Quarter).map_err(|error| error.to_string())?;
    for (plane, least) in [LUMA_DB, COLOUR_DB, COLOUR_DB].into_iter().enumerate() {
        let found = psnr(source, decoded, plane);
        if found < least {
            return Err(format!("plane {plane} is {found:.1} dB from the source, not {least}"));
        }
    }
    Ok(())
}

/// The peak signal-to-noise ratio of a plane, in decibels.
fn psnr(a: &Planes<'_>, b: &Planes<'_>, plane: usize) -> f64 {
    let part = if plane == 0 { 1 } else { 2 };
    let (width, height) = (SIZE.width_px as usize / part, SIZE.height_px as usize / part);
    let error = |y: usize| -> u64 {
        let [a, b] = [a, b].map(|planes| &planes.data[plane][y * planes.strides[plane]..][..width]);
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum()
    };
    let squares: u64 = (0..height).map(error).sum();
    10.0 * (255.0f64.powi(2) * (width * height) as f64 / squares as f64).log10()
}

/// Slanted waves of luma that move 12 levels a picture; blue grows to the right, red downwards.
struct TrialPicture {
    data: [Vec<u8>; 3],
}

impl TrialPicture {
    fn new(number: u32) -> Self {
        let luma = |x: u32, y: u32| {
            let phase = (x * 2 + y + number * 12) % 436;
            16 + phase.min(436 - phase)
        };
        let blue = |x: u32, _| 64 + x * 120 / 160 + number;
        let red = |_, y: u32| 64 + y * 120 / 96 + number;
        let plane = |part, level: &dyn Fn(u32, u32) -> u32| {
            let (width, height) = (SIZE.width_px / part, SIZE.height_px / part);
            (0..height).flat_map(|y| (0..width).map(move |x| level(x, y) as u8)).collect()
        };
        Self { data: [plane(1, &luma), plane(2, &blue), plane(2, &red)] }
    }

    fn planes(&self) -> Planes<'_> {
        let width = SIZE.width_px as usize;
        let data = self.data.each_ref().map(Vec::as_slice);
        let strides = [width, width / 2, width / 2];
        Planes { size: SIZE, chroma: Chroma::Quarter, data, strides }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::scripted::{Flaw, Scripted, Step};
    use super::*;

    fn tried(steps: &[Step], flaw: Option<Flaw>, refuses_rates: bool) -> Result<String, String> {
        let (mut encoder, mut script) = Scripted::new(SIZE, steps);
        encoder.refuses_rates = refuses_rates;
        script.decoder.flaw = flaw;
        let open = |size, rate| {
            assert_eq!((size, rate), (SIZE, RATE));
            Ok(Opened { encoder: Box::new(encoder), driver: "script 1.0".into() })
        };
        run(open, &mut script.decoder)
    }

    #[test]
    fn pictures_that_come_out_as_they_went_in_are_enough() {
        assert_eq!(tried(&[], None, false), Ok("script 1.0".into()));
    }

    #[test]
    fn no_encoder_is_a_failure() {
        let none = || VideoError::Unavailable { what: "x", reason: "no device".into() };
        let found = run(|_, _| Err(none()), &mut Scripted::new(SIZE, &[]).1.decoder);
        assert_eq!(found, Err(none().to_string()));
    }

    #[test]
    fn an_encoder_that_does_not_do_as_told_is_not_trusted() {
        use Step::{Error, Keyframe, NoKeyframe, Skip, Work};
        let cases: [(&[Step], bool, &str); 6] = [
            (&[Skip], false, "picture 0 was skipped"),
            (&[NoKeyframe], false, "picture 0: keyframe: false"),
            (&[Work, Error], false, "picture 1: the script failed: an error"),
            (&[Work, Work, Keyframe], false, "picture 2: keyframe: true"),
            (&[Work, Work, Work, NoKeyframe], false, "picture 3: keyframe: false"),
            (&[], true, "the script failed: no rate"),
        ];
        for (steps, refuses_rates, reason) in cases {
            assert_eq!(tried(steps, None, refuses_rates), Err(reason.into()), "{steps:?}");
        }
    }

    #[test]
    fn wrong_pictures_are_told_from_right_ones() {
        let cases = [
            (Flaw::Late, "picture 0 did not come at once"),
            (Flaw::Error, "picture 0: the decoder failed: as scripted"),
            (Flaw::OtherSize, "picture 0: planes of another size or kind"),
            (Flaw::Grey, "picture 0: plane 1 is 1"),
            (Flaw::ColoursSwapped, "picture 0: plane 1 is 1"),
            (Flaw::Stuck, "picture 1: plane 0 is 26."),
        ];
        for (flaw, reason) in cases {
            let found = tried(&[], Some(flaw), false).unwrap_err();
            assert!(found.starts_with(reason), "{flaw:?}: {found}");
        }
    }

    #[cfg(feature = "h264")]
    #[test]
    fn a_real_encoder_passes_with_decibels_to_spare() {
        use crate::video::h264::{H264Decoder, H264Encoder, OpenH264};

        let library = OpenH264::find().unwrap();
        let mut decoder = H264Decoder::new(&library, SIZE).unwrap();
        let open = |size, rate| {
            let encoder = Box::new(H264Encoder::new(&library, size, rate)?);
            Ok(Opened { encoder, driver: "OpenH264".into() })
        };
        assert_eq!(run(open, &mut decoder), Ok("OpenH264".into()));

        let mut encoder = H264Encoder::new(&library, SIZE, RATE).unwrap();
        for number in 0..PICTURES {
            let (picture, mut bytes) = (TrialPicture::new(number), Vec::new());
            crate::video::VideoEncoder::encode(&mut encoder, &picture.planes(), &mut bytes)
                .unwrap();
            let decoded = decoder.decode(&bytes).unwrap().unwrap();
            let found = [0, 1, 2].map(|plane| psnr(&picture.planes(), &decoded, plane));
            println!("picture {number}: {found:.1?} dB in {} bytes", bytes.len());
            assert!(found[0] > LUMA_DB + 5.0 && found[1].min(found[2]) > COLOUR_DB + 5.0);
        }
    }

    #[test]
    fn the_ratio_is_that_of_its_definition() {
        let (a, mut b) = (TrialPicture::new(0), TrialPicture::new(0));
        assert_eq!(psnr(&a.planes(), &b.planes(), 0), f64::INFINITY);
        for level in &mut b.data[0] {
            *level += 5;
        }
        let expected = 20.0 * (255.0f64 / 5.0).log10();
        assert!((psnr(&a.planes(), &b.planes(), 0) - expected).abs() < 1e-9);
    }
}
