//! Screens that a slow link takes long to carry.

use super::*;
use farpane_frame::{FrameBuf, PixelFormat, Size};

const SIZE: Size = Size::new(640, 640);
/// Bits a second of a link that takes a while for the page below.
const SLOW: u64 = 300_000;
/// How far a colour may be from the screen's while it is lossy, as the codec says.
const FAR: u8 = 48;
const STEP_US: u64 = 2_000;

fn lab(bits_per_s: u64, first: &FrameBuf) -> Lab {
    let options = LabOptions { codec: CodecChoice::Tiles, bits_per_s, ..LabOptions::default() };
    let mut lab = Lab::new(&first.view(), options).unwrap();
    assert!(lab.run_until_exact(60_000_000).unwrap());
    lab
}

fn blank() -> FrameBuf {
    let mut blank = FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap();
    blank.fill(SIZE.rect(), [90, 40, 30, 0]);
    blank
}

/// Lines of marks in many greys, as letters with soft edges are, of two by two pixels each: with
/// less detail they look the same.
fn page(seed: u32) -> FrameBuf {
    let mut page = FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap();
    page.fill(SIZE.rect(), [250, 250, 250, 0]);
    let mut state = seed;
    for y in (0..SIZE.height_px).step_by(2).filter(|y| y % 12 < 10) {
        for x in (0..SIZE.width_px).step_by(2) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grey = (state >> 24) as u8;
            let pixel = if grey < 160 { [250; 4] } else { [grey.wrapping_mul(3); 4] };
            page.fill(Rect::new(x, y, 2, 2), pixel);
        }
    }
    page
}

/// The largest difference of a colour.
fn difference(a: &FrameRef<'_>, b: &FrameRef<'_>) -> u8 {
    let rows = (0..SIZE.height_px).map(|y| (a.row(y), b.row(y)));
    let pixels = rows.flat_map(|(a, b)| a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0));
    let colours = pixels.flat_map(|(a, b)| (0..3).map(move |i| a[i].abs_diff(b[i])));
    colours.max().unwrap_or(0)
}

#[test]
fn a_whole_screen_over_a_slow_link_is_like_it_soon_and_exact_at_last() {
    // What came first told how slow the link is.
    let mut lab = lab(SLOW, &page(1));
    let (page, start_us, before) = (page(7), lab.now_us(), lab.stats().bytes);
    lab.show(&page.view()).unwrap();
    while difference(&lab.picture().unwrap(), &page.view()) > FAR {
        assert!(lab.now_us() < start_us + 20_000_000, "nothing like it comes");
        lab.run_until(lab.now_us() + STEP_US).unwrap();
    }
    let (like_us, like) = (lab.now_us() - start_us, lab.stats().bytes - before);
    assert!(!lab.picture().unwrap().same_rgb(&page.view()), "it was exact at once");
    assert!(lab.run_until_exact(start_us + 60_000_000).unwrap());
    let (exact_us, exact) = (lab.now_us() - start_us, lab.stats().bytes - before);
    assert!(like_us * 10 < exact_us * 7, "like it after {like_us} us, exact after {exact_us} us");
    assert!(like * 10 < exact * 7, "{like} bytes, then {exact}");
    lab.run_until(lab.now_us() + 1_000_000).unwrap();
    assert!(lab.is_synchronised());
}

#[test]
fn screens_that_follow_each_other_over_a_slow_link_end_exactly() {
    let mut lab = lab(SLOW, &page(20));
    for seed in 0..12 {
        lab.show(&page(seed).view()).unwrap();
        lab.run_until(lab.now_us() + 150_000).unwrap();
    }
    let end_us = lab.now_us() + 60_000_000;
    assert!(lab.run_until_exact(end_us).unwrap());
    assert!(lab.captured().same_rgb(&page(11).view()));
}

#[test]
fn what_a_link_carries_soon_is_never_anything_but_exact() {
    let mut lab = lab(0, &blank());
    let (blank, page, start_us) = (blank(), page(3), lab.now_us());
    lab.show(&page.view()).unwrap();
    while lab.now_us() < start_us + 500_000 {
        lab.run_until(lab.now_us() + STEP_US).unwrap();
        let seen = lab.picture().unwrap();
        for y in 0..SIZE.height_px {
            let [seen, old, new] = [&seen, &blank.view(), &page.view()].map(|frame| frame.row(y));
            let chunks = seen.as_chunks::<4>().0.iter().zip(old.as_chunks::<4>().0);
            for ((seen, old), new) in chunks.zip(new.as_chunks::<4>().0) {
                assert!(seen[..3] == old[..3] || seen[..3] == new[..3], "a colour of neither");
            }
        }
    }
    assert!(lab.is_synchronised());
}
