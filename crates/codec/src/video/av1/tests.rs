//! A film and stills through encoder and decoder.

use super::*;
use crate::video::{Picture, VideoDecoder, VideoEncoder, VideoRate};
use farpane_frame::{FrameBuf, PixelFormat};

const SIZE: Size = Size::new(192, 144);
const RATE: VideoRate = VideoRate { bits_per_s: 1_000_000, pictures_per_s: 30.0 };

/// A picture of soft waves that move with time.
fn scene(size: Size, chroma: Chroma, step: u32) -> Picture {
    let mut frame = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
    for y in 0..size.height_px {
        for (x, pixel) in (0u32..).zip(frame.span_mut(0, y, size.width_px).chunks_exact_mut(4)) {
            let wave =
                |a: u32, b: u32| 128.0 + 100.0 * ((x * a + y * b + step * 40) as f32 / 400.0).sin();
            pixel.copy_from_slice(&[wave(7, 3) as u8, wave(2, 9) as u8, wave(5, 5) as u8, 0]);
        }
    }
    let mut picture = Picture::new(size, chroma).unwrap();
    picture.load(&frame.view(), (0, 0)).unwrap();
    picture
}

fn film(step: u32) -> Picture {
    scene(SIZE, Chroma::Quarter, step)
}

fn encoder() -> Av1Encoder {
    Av1Encoder::new(SIZE, RATE).unwrap()
}

/// Peak signal-to-noise ratio of all planes together, in decibels.
fn psnr(shown: &Planes<'_>, real: &Planes<'_>) -> f64 {
    let (mut error, mut samples) = (0u64, 0u64);
    for i in 0..3 {
        let step = if i > 0 && real.chroma == Chroma::Quarter { 2 } else { 1 };
        let (width, height) = (real.size.width_px / step, real.size.height_px / step);
        let rows = shown.data[i].chunks(shown.strides[i]);
        for (a, b) in rows.zip(real.data[i].chunks(real.strides[i])).take(height as usize) {
            let pairs = a.iter().zip(b).take(width as usize);
            error += pairs.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum::<u64>();
            samples += u64::from(width);
        }
    }
    10.0 * (255.0f64.powi(2) * samples as f64 / error.max(1) as f64).log10()
}

#[test]
fn each_picture_of_a_film_gives_its_own_unit_at_once_and_only_the_first_is_a_keyframe() {
    let (mut encoder, mut decoder) = (encoder(), Av1Decoder::new(SIZE).unwrap());
    for step in 0..30 {
        let (picture, mut unit) = (film(step), Vec::new());
        let made = encoder.encode(&picture.planes(), &mut unit).unwrap().unwrap();
        assert_eq!(made.keyframe, step == 0, "picture {step}");
        let shown = decoder.decode(&unit).unwrap().expect("without delay");
        let near = psnr(&shown, &picture.planes());
        assert!(near > 34.0, "picture {step}: {near:.1} dB");
        let other = psnr(&shown, &film(step + 1).planes());
        assert!(near > other + 3.0, "picture {step}: {near:.1} dB, the next {other:.1} dB");
    }
}

#[test]
fn a_cut_is_shown_at_once() {
    let (mut encoder, mut decoder) = (encoder(), Av1Decoder::new(SIZE).unwrap());
    for step in [0, 1, 2, 3, 400, 401, 900] {
        let (picture, mut unit) = (film(step), Vec::new());
        encoder.encode(&picture.planes(), &mut unit).unwrap().unwrap();
        let near = psnr(&decoder.decode(&unit).unwrap().unwrap(), &picture.planes());
        assert!(near > 30.0, "picture {step}: {near:.1} dB");
    }
}

#[test]
fn a_keyframe_that_is_asked_for_begins_anew() {
    let mut encoder = encoder();
    for step in 0..5 {
        encoder.encode(&film(step).planes(), &mut Vec::new()).unwrap();
    }
    encoder.request_keyframe();
    let mut unit = Vec::new();
    assert!(encoder.encode(&film(5).planes(), &mut unit).unwrap().unwrap().keyframe);
    assert!(Av1Decoder::new(SIZE).unwrap().decode(&unit).unwrap().is_some());
    let after = encoder.encode(&film(6).planes(), &mut unit).unwrap();
    assert!(!after.unwrap().keyframe);
}

#[test]
fn the_rate_is_held_when_it_changes() {
    let mut encoder = encoder();
    let mut noise = 1u32;
    let mut play = |encoder: &mut Av1Encoder| -> usize {
        let mut unit = Vec::new();
        for step in 0..60 {
            let mut frame = FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap();
            frame.data_mut().iter_mut().for_each(|byte| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (noise >> 26) as u8 + step;
            });
            let mut picture = Picture::new(SIZE, Chroma::Quarter).unwrap();
            picture.load(&frame.view(), (0, 0)).unwrap();
            encoder.encode(&picture.planes(), &mut unit).unwrap();
        }
        unit.len() * 8 / 2
    };
    for bits_per_s in [1_000_000, 2_000_000, 300_000] {
        encoder.set_rate(VideoRate { bits_per_s, ..RATE }).unwrap();
        play(&mut encoder);
        let found = play(&mut encoder);
        println!("{found} for {bits_per_s} bit/s");
        assert!(found < bits_per_s as usize * 13 / 10, "{found} for {bits_per_s} bit/s");
    }
}

#[test]
fn sizes_that_are_no_multiple_of_a_block_come_out_whole() {
    for (width, height) in [(16, 16), (130, 18), (34, 250), (202, 142)] {
        let size = Size::new(width, height);
        let mut encoder = Av1Encoder::new(size, RATE).unwrap();
        let mut decoder = Av1Decoder::new(size).unwrap();
        for step in 0..3 {
            let (picture, mut unit) = (scene(size, Chroma::Quarter, step), Vec::new());
            encoder.encode(&picture.planes(), &mut unit).unwrap().unwrap();
            let near = psnr(&decoder.decode(&unit).unwrap().unwrap(), &picture.planes());
            assert!(near > 32.0, "{size:?}, picture {step}: {near:.1} dB");
        }
    }
}

#[test]
fn planes_with_longer_rows_give_the_same_units() {
    let picture = film(0);
    let planes = picture.planes();
    let longer: Vec<Vec<u8>> = (0..3)
        .map(|i| {
            let rows = planes.data[i].chunks(planes.strides[i]);
            let rows: Vec<_> = rows.map(|row| [row, &[77; 13]].concat()).collect();
            let mut all = rows.concat();
            all.truncate(all.len() - 13);
            all
        })
        .collect();
    let strides = planes.strides.map(|stride| stride + 13);
    let padded = Planes { data: [&longer[0], &longer[1], &longer[2]], strides, ..planes };
    let (mut a, mut b) = (Vec::new(), Vec::new());
    encoder().encode(&planes, &mut a).unwrap().unwrap();
    encoder().encode(&padded, &mut b).unwrap().unwrap();
    assert_eq!(a, b);
}

#[test]
fn stills_keep_full_colour() {
    for (width, height) in [(16, 16), (192, 144), (202, 142)] {
        let size = Size::new(width, height);
        let picture = scene(size, Chroma::Full, 3);
        let (fine, coarse) =
            (still(&picture.planes(), 20, 10).unwrap(), still(&picture.planes(), 200, 10).unwrap());
        assert!(fine.len() > coarse.len());
        let mut decoder = Av1Decoder::new(size).unwrap();
        for (unit, least) in [(fine, 44.0), (coarse, 28.0)] {
            let shown = decoder.decode(&unit).unwrap().unwrap();
            assert_eq!(shown.chroma, Chroma::Full);
            let near = psnr(&shown, &picture.planes());
            assert!(near > least, "{size:?}: {near:.1} dB");
        }
    }
}

#[test]
fn sizes_and_planes_that_it_does_not_take_are_refused() {
    for (width, height) in [(0, 0), (321, 192), (320, 191), (8, 64), (642, 64), (480, 480)] {
        let size = Size::new(width, height);
        let made = Av1Encoder::new(size, RATE);
        assert!(matches!(made, Err(VideoError::Size { .. })), "{width}x{height}");
    }
    Av1Encoder::new(Size::new(360, 640), RATE).unwrap();
    let (picture, full) = (film(0), scene(SIZE, Chroma::Full, 0));
    let planes = picture.planes();
    let short = Planes { data: [&planes.data[0][1..], planes.data[1], planes.data[2]], ..planes };
    let narrow = Planes { strides: [SIZE.width_px as usize - 1; 3], ..planes };
    let other = scene(Size::new(64, 64), Chroma::Quarter, 0);
    for bad in [full.planes(), short, narrow, other.planes()] {
        assert_eq!(encoder().encode(&bad, &mut Vec::new()), Err(VideoError::Kind));
    }
    assert_eq!(still(&planes, 100, 10), Err(VideoError::Kind));
}

#[test]
fn a_stream_of_other_pictures_is_refused_before_memory_is_taken() {
    let large = scene(Size::new(1280, 720), Chroma::Full, 0);
    let unit = still(&large.planes(), 255, 10).unwrap();
    let mut decoder = Av1Decoder::new(SIZE).unwrap();
    let refused = decoder.decode(&unit).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("other pictures"), "{refused}");
    let small = scene(Size::new(64, 64), Chroma::Quarter, 0);
    let mut unit = Vec::new();
    let mut other = Av1Encoder::new(small.size(), RATE).unwrap();
    other.encode(&small.planes(), &mut unit).unwrap();
    assert!(decoder.decode(&unit).is_err());
}

#[test]
fn what_no_stream_of_ours_has_is_refused() {
    let mut unit = Vec::new();
    encoder().encode(&film(0).planes(), &mut unit).unwrap();
    let refused = |bytes: &[u8]| {
        let mut decoder = Av1Decoder::new(SIZE).unwrap();
        let refused = decoder.decode(bytes).map(|_| ()).unwrap_err();
        refused.to_string()
    };
    assert!(refused(&[]).contains("0 frames"));
    assert!(refused(&[unit.clone(), unit.clone()].concat()).contains("2 frames"));
    assert!(refused(&[&unit[..], &[0x2A, 1, 4]].concat()).contains("type 5"), "metadata");
    assert!(refused(&[&unit[..], &[0x16, 0, 0]].concat()).contains("type 2"), "of a layer");
    assert!(refused(&unit[..unit.len() - 1]).contains("longer than its unit"));
    assert!(refused(&[0x10]).contains("without a size"));
    assert!(refused(&[0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0]).contains("without a size"));
}

#[test]
fn twenty_thousand_bad_units_give_errors_or_pictures_of_the_right_size() {
    let (mut encoder, mut decoder) = (encoder(), Av1Decoder::new(SIZE).unwrap());
    let units: Vec<_> = (0..6)
        .map(|step| {
            let mut unit = Vec::new();
            encoder.encode(&film(step).planes(), &mut unit).unwrap().unwrap();
            unit
        })
        .collect();
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    let mut refused = 0;
    for round in 0..20_000 {
        let mut unit = units[round % units.len()].clone();
        // Most of the structure is near the front.
        let reach = [unit.len(), 40.min(unit.len())][random(2)];
        for _ in 0..1 + random(4) {
            unit[random(reach)] ^= 1 << random(8);
        }
        unit.truncate(unit.len() - random(2) * random(unit.len()));
        match decoder.decode(&unit) {
            Ok(shown) => assert!(shown.is_none_or(|planes| planes.size == SIZE)),
            Err(_) => {
                refused += 1;
                // So that the next one, too, meets a decoder that has what it refers to.
                units.iter().for_each(|unit| assert!(decoder.decode(unit).unwrap().is_some()));
            }
        }
    }
    println!("{refused} of 20000 bad units refused");
    assert!(refused > 1_000);
    let mut whole = Vec::new();
    encoder.request_keyframe();
    encoder.encode(&film(9).planes(), &mut whole).unwrap().unwrap();
    assert!(decoder.decode(&whole).unwrap().is_some(), "goes on with a keyframe");
}

/// A number of 33 bits where the decoder keeps 32: with checks of overflow it would abort.
#[test]
fn numbers_overflow_as_in_c() {
    let mut decoder = Av1Decoder::new(Size::new(112, 80)).unwrap();
    let error = decoder.decode(include_bytes!("testdata/overflow.av1")).unwrap_err();
    assert!(matches!(error, VideoError::Failed { .. }), "{error}");
}
