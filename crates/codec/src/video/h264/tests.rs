//! A film through encoder and decoder.

use super::*;
use crate::video::{Chroma, Picture, VideoDecoder, VideoEncoder, VideoRate};
use farpane_frame::{FrameBuf, PixelFormat, Size};

const SIZE: Size = Size::new(320, 192);
const RATE: VideoRate = VideoRate { bits_per_s: 2_000_000, pictures_per_s: 30.0 };

/// A picture of soft waves that move with time.
fn scene(step: u32) -> Picture {
    let mut frame = FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap();
    for y in 0..SIZE.height_px {
        for (x, pixel) in (0u32..).zip(frame.span_mut(0, y, SIZE.width_px).chunks_exact_mut(4)) {
            let wave =
                |a: u32, b: u32| 128.0 + 100.0 * ((x * a + y * b + step * 40) as f32 / 400.0).sin();
            pixel.copy_from_slice(&[wave(7, 3) as u8, wave(2, 9) as u8, wave(5, 5) as u8, 0]);
        }
    }
    let mut picture = Picture::new(SIZE, Chroma::Quarter).unwrap();
    picture.load(&frame.view(), (0, 0)).unwrap();
    picture
}

fn encoder() -> H264Encoder {
    H264Encoder::new(&OpenH264::find().unwrap(), SIZE, RATE).unwrap()
}

fn decoder() -> H264Decoder {
    H264Decoder::new(&OpenH264::find().unwrap(), SIZE).unwrap()
}

/// Peak signal-to-noise ratio of luma, in decibels.
fn psnr(a: &[u8], stride: usize, b: &[u8]) -> f64 {
    let width = SIZE.width_px as usize;
    let rows = a.chunks(stride).zip(b.chunks(width)).take(SIZE.height_px as usize);
    let error: u64 = rows
        .flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)))
        .sum();
    10.0 * (255.0f64.powi(2) * SIZE.area_px() as f64 / error.max(1) as f64).log10()
}

#[test]
fn a_film_comes_out_alike_and_only_the_first_unit_is_a_keyframe() {
    let (mut encoder, mut decoder) = (encoder(), decoder());
    for step in 0..30 {
        let (picture, mut unit) = (scene(step), Vec::new());
        let made = encoder.encode(&picture.planes(), &mut unit).unwrap().unwrap();
        assert_eq!(made.keyframe, step == 0, "picture {step}");
        let shown = decoder.decode(&unit).unwrap().expect("without delay");
        let near = psnr(shown.data[0], shown.strides[0], picture.planes().data[0]);
        assert!(near > 32.0, "picture {step}: {near:.1} dB");
    }
}

#[test]
fn a_keyframe_that_is_asked_for_begins_anew() {
    let mut encoder = encoder();
    for step in 0..5 {
        encoder.encode(&scene(step).planes(), &mut Vec::new()).unwrap();
    }
    encoder.request_keyframe();
    let mut unit = Vec::new();
    assert!(encoder.encode(&scene(5).planes(), &mut unit).unwrap().unwrap().keyframe);
    assert!(decoder().decode(&unit).unwrap().is_some());
    let after = encoder.encode(&scene(6).planes(), &mut unit).unwrap();
    assert!(!after.unwrap().keyframe);
}

#[test]
fn the_rate_is_held_when_it_changes() {
    let mut encoder = encoder();
    let mut noise = 1u32;
    let mut film = |encoder: &mut H264Encoder| -> usize {
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
    for bits_per_s in [1_000_000, 4_000_000, 500_000] {
        encoder.set_rate(VideoRate { bits_per_s, ..RATE }).unwrap();
        film(&mut encoder);
        let found = film(&mut encoder);
        assert!(found < bits_per_s as usize * 13 / 10, "{found} for {bits_per_s} bit/s");
    }
}

#[test]
fn bits_left_unused_make_it_look_better_at_the_cost_of_a_few_keyframes() {
    let rate = VideoRate { bits_per_s: 100_000, ..RATE };
    let mut encoder = H264Encoder::new(&OpenH264::find().unwrap(), SIZE, rate).unwrap();
    let mut decoder = decoder();
    let (mut near, mut keyframes) = (Vec::new(), 0);
    for step in 0..90 {
        let (picture, mut unit) = (scene(step / 30), Vec::new());
        let Some(made) = encoder.encode(&picture.planes(), &mut unit).unwrap() else { continue };
        keyframes += u32::from(made.keyframe);
        let shown = decoder.decode(&unit).unwrap().expect("without delay");
        near.push(psnr(shown.data[0], shown.strides[0], picture.planes().data[0]));
    }
    let [first, last] = [near[5], *near.last().unwrap()];
    assert!(last > first + 1.0, "from {first:.1} to {last:.1} dB");
    assert!((2..=4).contains(&keyframes), "{keyframes} keyframes");
}

#[test]
fn sizes_that_it_does_not_take_are_refused() {
    let library = OpenH264::find().unwrap();
    for (width, height) in [(0, 0), (321, 192), (320, 191), (8, 64), (4000, 64), (2200, 2200)] {
        let made = H264Encoder::new(&library, Size::new(width, height), RATE);
        assert!(matches!(made, Err(VideoError::Size { .. })), "{width}x{height}");
    }
    let other = Picture::new(Size::new(64, 64), Chroma::Quarter).unwrap();
    let full = Picture::new(SIZE, Chroma::Full).unwrap();
    for picture in [other, full] {
        let refused = encoder().encode(&picture.planes(), &mut Vec::new());
        assert_eq!(refused, Err(VideoError::Kind));
    }
}

#[test]
fn a_stream_of_larger_pictures_is_refused_before_memory_is_taken() {
    let library = OpenH264::find().unwrap();
    let large = Size::new(1920, 1088);
    let mut unit = Vec::new();
    let picture = Picture::new(large, Chroma::Quarter).unwrap();
    let mut other = H264Encoder::new(&library, large, RATE).unwrap();
    other.encode(&picture.planes(), &mut unit).unwrap().unwrap();
    let refused = decoder().decode(&unit).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("other pictures"), "{refused}");
}

#[test]
fn twenty_thousand_bad_units_give_errors_or_pictures_of_the_right_size() {
    let (mut encoder, mut decoder) = (encoder(), decoder());
    let units: Vec<_> = (0..6)
        .map(|step| {
            let mut unit = Vec::new();
            encoder.encode(&scene(step).planes(), &mut unit).unwrap().unwrap();
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
        for _ in 0..1 + random(4) {
            let at = random(unit.len());
            unit[at] ^= 1 << random(8);
        }
        unit.truncate(unit.len() - random(2) * random(unit.len()));
        match decoder.decode(&unit) {
            Ok(shown) => assert!(shown.is_none_or(|planes| planes.size == SIZE)),
            Err(_) => refused += 1,
        }
    }
    println!("{refused} of 20000 bad units refused");
    assert!(refused > 1_000);
    let mut whole = Vec::new();
    encoder.request_keyframe();
    encoder.encode(&scene(9).planes(), &mut whole).unwrap().unwrap();
    assert!(decoder.decode(&whole).unwrap().is_some(), "goes on with a keyframe");
}
