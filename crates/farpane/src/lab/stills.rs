//! Photographs over slow links: a still shows them before they are exact.

use super::*;
use farpane_frame::{FrameBuf, PixelFormat, Size};

const SIZE: Size = Size::new(1280, 800);
const PHOTO: Rect = Rect::new(100, 90, 640, 448);
const MBIT: u64 = 1_000_000;
const STEP_US: u64 = 5_000;
/// How long a still takes to be made.
const STILL_US: u64 = 250_000;
/// The mean difference of a colour in a still is below this, in few colours far above.
const LIKE: f64 = 8.0;
const LATEST_US: u64 = 60_000_000;

/// A screen that is plain but for a title, known to the helper, over a link whose rate is known.
fn lab(options: LabOptions) -> Lab {
    let mut lab = Lab::new(&desktop(90).view(), options).unwrap();
    assert!(lab.run_until_exact(LATEST_US).unwrap());
    for grey in 0..3 {
        lab.show(&desktop(grey).view()).unwrap();
        assert!(lab.run_until_exact(LATEST_US).unwrap());
    }
    lab
}

fn over(bits_per_s: u64) -> LabOptions {
    LabOptions { bits_per_s, still_us: Some(STILL_US), ..LabOptions::default() }
}

fn desktop(grey: u8) -> FrameBuf {
    let mut desktop = FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap();
    desktop.fill(SIZE.rect(), [240, 240, 240, 0]);
    desktop.fill(Rect::new(40, 20, 200, 20), [grey; 4]);
    desktop
}

fn hash(x: u32, y: u32, seed: u32) -> f32 {
    let mut bits = x.wrapping_mul(0x9E37_79B9) ^ y.wrapping_mul(0x85EB_CA6B) ^ seed;
    bits = (bits ^ bits >> 15).wrapping_mul(0x2C1B_3C6D);
    bits = (bits ^ bits >> 12).wrapping_mul(0x297A_2D39);
    ((bits ^ bits >> 15) & 0xFFFF) as f32 / 32_768.0 - 1.0
}

/// Noise that is as strong as it is wide, as in nature.
fn nature(x: u32, y: u32, seed: u32) -> f32 {
    let octave = |width: u32| {
        let (left, top) = (x / width, y / width);
        let (right, down) = ((x % width) as f32 / width as f32, (y % width) as f32 / width as f32);
        let row = |top| {
            let (a, b) = (hash(left, top, seed + width), hash(left + 1, top, seed + width));
            a + (b - a) * right
        };
        let (above, below) = (row(top), row(top + 1));
        (above + (below - above) * down) * width as f32 * 0.5
    };
    [4, 16, 64, 128].map(octave).iter().sum()
}

/// The desktop with a photograph on it.
fn photo(seed: u32) -> FrameBuf {
    let mut desktop = desktop(2);
    for (x, y) in (0..PHOTO.height).flat_map(|y| (0..PHOTO.width).map(move |x| (x, y))) {
        let light = 120.0 + nature(x, y, seed);
        let colour = [0.8f32, 1.0, 0.9].map(|share| {
            let grain = hash(x, y, seed ^ share.to_bits()) * 2.0;
            (light * share + grain) as u8
        });
        desktop.span_mut(PHOTO.x + x, PHOTO.y + y, 1)[..3].copy_from_slice(&colour);
    }
    desktop
}

fn noise() -> FrameBuf {
    let mut desktop = desktop(2);
    for (x, y) in (0..PHOTO.height).flat_map(|y| (0..PHOTO.width).map(move |x| (x, y))) {
        let colour = [1, 2, 3].map(|seed| (hash(x, y, seed) * 127.0 + 128.0) as u8);
        desktop.span_mut(PHOTO.x + x, PHOTO.y + y, 1)[..3].copy_from_slice(&colour);
    }
    desktop
}

/// The mean difference of a colour in the photograph.
fn difference(a: &FrameRef<'_>, b: &FrameRef<'_>) -> f64 {
    let rows = (PHOTO.y..PHOTO.bottom()).map(|y| {
        let [a, b] = [a, b].map(|frame| frame.span(PHOTO.x, y, PHOTO.width));
        let pixels = a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0);
        pixels.flat_map(|(a, b)| (0..3).map(move |i| u64::from(a[i].abs_diff(b[i])))).sum::<u64>()
    });
    rows.sum::<u64>() as f64 / (3 * PHOTO.area_px()) as f64
}

/// Runs until the helper sees something like `picture`. How long that took.
fn run_until_like(lab: &mut Lab, picture: &FrameBuf) -> u64 {
    let start_us = lab.now_us();
    while difference(&lab.picture().unwrap(), &picture.view()) > LIKE {
        assert!(lab.now_us() < start_us + LATEST_US, "nothing like it comes");
        lab.run_until(lab.now_us() + STEP_US).unwrap();
    }
    lab.now_us() - start_us
}

/// Runs until the helper sees exactly the screen, and nothing happens any more. When it did.
fn run_until_exact(lab: &mut Lab) -> u64 {
    let latest_us = lab.now_us() + LATEST_US;
    assert!(lab.run_until_exact(latest_us).unwrap(), "it is never exact");
    let exact_us = lab.now_us();
    lab.run_until(lab.now_us() + 1_000_000).unwrap();
    assert!(lab.is_synchronised());
    exact_us
}

/// Runs until a still is being made.
fn run_until_begun(lab: &mut Lab) {
    let start_us = lab.now_us();
    while !lab.sharer.has_still() {
        assert!(lab.now_us() < start_us + LATEST_US, "no still is made");
        lab.run_until(lab.now_us() + STEP_US).unwrap();
    }
}

#[test]
fn a_photograph_is_shown_by_a_still_before_it_is_exact() {
    for mbit in [1, 3] {
        let show = |codec| {
            let mut lab = lab(LabOptions { codec, ..over(mbit * MBIT) });
            let (photo, start_us) = (photo(5), lab.now_us());
            lab.show(&photo.view()).unwrap();
            let like_us = run_until_like(&mut lab, &photo);
            let exact_us = run_until_exact(&mut lab) - start_us;
            (like_us, exact_us, lab.stats().bytes, lab.stats().units)
        };
        let (like_us, exact_us, bytes, units) = show(CodecChoice::Auto);
        println!("{mbit} Mbit/s: {like_us} us, exact {exact_us} us, {bytes} bytes, {units} units");
        assert_eq!(units, 1);
        assert!(like_us * 10 < exact_us * 6, "like it at {like_us} us, exact at {exact_us} us");
        for without in [CodecChoice::Tiles, CodecChoice::H264] {
            let (late_us, _, more, none) = show(without);
            println!("  {without}: {late_us} us, {more} bytes");
            assert_eq!(none, 0);
            assert!(like_us * 10 < late_us * 9, "with a still {like_us}, without {late_us} us");
            assert!(bytes * 10 < more * 13, "with a still {bytes} bytes, without {more}");
        }
    }
}

#[test]
fn a_change_of_what_a_still_is_made_of_outdates_it() {
    let mut lab = lab(over(MBIT));
    let mut photo = photo(6);
    lab.show(&photo.view()).unwrap();
    run_until_begun(&mut lab);
    photo.fill(Rect::new(PHOTO.x + 300, PHOTO.y + 200, 20, 20), [1, 2, 3, 0]);
    lab.show(&photo.view()).unwrap();
    lab.run_until(lab.now_us() + STILL_US + 100_000).unwrap();
    assert_eq!(lab.stats().units, 0);
    run_until_exact(&mut lab);
    assert!(lab.captured().same_rgb(&photo.view()));
}

#[test]
fn what_changes_in_a_photograph_does_not_wait_for_its_still() {
    let mut lab = lab(over(MBIT));
    let mut photo = photo(7);
    lab.show(&photo.view()).unwrap();
    while lab.stats().units == 0 {
        lab.run_until(lab.now_us() + STEP_US).unwrap();
    }
    let (square, start_us) = (Rect::new(PHOTO.x + 300, PHOTO.y + 200, 20, 20), lab.now_us());
    photo.fill(square, [1, 2, 3, 0]);
    lab.show(&photo.view()).unwrap();
    while lab.picture().unwrap().rgb(square.x, square.y) != [3, 2, 1] {
        assert!(lab.now_us() < start_us + 100_000, "it waits");
        lab.run_until(lab.now_us() + STEP_US).unwrap();
    }
    run_until_exact(&mut lab);
}

#[test]
fn a_still_over_a_lossy_link_ends_exactly() {
    let mut units = 0;
    for seed in 0..5 {
        let loss_percent = 1 + seed * 3;
        let mut lab = lab(LabOptions { loss_percent, ..over(2 * MBIT) });
        let photo = photo(seed);
        lab.show(&photo.view()).unwrap();
        run_until_exact(&mut lab);
        assert!(lab.captured().same_rgb(&photo.view()));
        units += lab.stats().units;
    }
    assert!(units >= 4, "{units} stills");
}

#[test]
fn a_helper_that_cannot_decode_a_still_gets_no_other() {
    let mut lab = lab(over(MBIT));
    lab.sharer.handle_undecodable(farpane_codec::video::MAX_REGIONS as u8);
    lab.show(&photo(8).view()).unwrap();
    run_until_exact(&mut lab);
    assert_eq!(lab.stats().units, 0);
}

#[test]
fn a_still_that_saves_little_is_not_sent() {
    let mut lab = lab(over(3 * MBIT));
    lab.show(&noise().view()).unwrap();
    run_until_begun(&mut lab);
    run_until_exact(&mut lab);
    assert_eq!(lab.stats().units, 0);
}

#[test]
fn what_is_small_or_carried_soon_needs_no_still() {
    let mut small = desktop(2);
    for y in 0..128 {
        let row = photo(9).span_mut(PHOTO.x, PHOTO.y + y, 128).to_vec();
        small.span_mut(640, 320 + y, 128).copy_from_slice(&row);
    }
    for (picture, bits_per_s) in [(small, MBIT), (photo(9), 50 * MBIT)] {
        let mut lab = lab(over(bits_per_s));
        lab.show(&picture.view()).unwrap();
        run_until_exact(&mut lab);
        assert_eq!(lab.stats().units, 0);
        assert!(!lab.sharer.has_still());
    }
}
