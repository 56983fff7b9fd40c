//! A screen that changes as a whole over a slow link: how good it is, and when.

use crate::{link, rate};
use farpane::lab::Lab;
use farpane_benches::Claim;
use farpane_benches::quality::ssimulacra2;
use farpane_benches::scene::{SCREEN, desktop};
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, TileGrid};

const LINK: u64 = 3;
const LOOKS_MS: [u64; 9] = [50, 100, 150, 200, 300, 500, 1_000, 1_500, 2_000];
/// By then the picture must be of use, and how much so.
const USEFUL_MS: u64 = 150;
const USEFUL: f64 = 30.0;

pub(crate) fn tables() -> Vec<Claim> {
    let mut blank = FrameBuf::new(SCREEN, PixelFormat::Bgrx).expect("a valid size");
    blank.fill(SCREEN.rect(), [40, 40, 40, 0]);
    let mut lab = Lab::new(&blank.view(), link(LINK)).expect("a laboratory");
    let settled = lab.now_us() + 60_000_000;
    assert!(lab.run_until_exact(settled).expect("it runs"), "the first picture comes");
    let (screen, before, start_us) = (desktop(), lab.stats(), lab.now_us());
    lab.show(&screen.view()).expect("it runs");
    println!("\na whole new screen over {}", rate(LINK));
    println!("{:>8} {:>8} {:>14}", "ms", "SSIM2", "exact tiles %");
    let mut useful = f64::NEG_INFINITY;
    for ms in LOOKS_MS {
        lab.run_until(start_us + ms * 1_000).expect("it runs");
        let seen = lab.picture().expect("a picture");
        let quality = ssimulacra2(&screen.view(), &seen);
        println!("{ms:>8} {quality:>8.1} {:>14.1}", exact_percent(&seen, &screen.view()));
        if ms == USEFUL_MS {
            useful = quality;
        }
    }
    assert!(lab.run_until_exact(start_us + 60_000_000).expect("it runs"), "it becomes exact");
    let (took_us, bytes) = (lab.now_us() - start_us, lab.stats().bytes - before.bytes);
    let least_us = bytes * 8 / LINK;
    println!("exact after {} ms, {bytes} bytes", took_us / 1_000);
    let claim = |what: &str| format!("whole new screen, {}: {what}", rate(LINK));
    let busy = took_us as f64 / least_us as f64;
    vec![
        Claim::new(
            claim("SSIMULACRA2 within 150 ms"),
            format!(">= {USEFUL}"),
            format!("{useful:.1}"),
            useful >= USEFUL,
        ),
        Claim::new(
            claim("exact as soon as the bytes allow"),
            "<= 1.15 x their time on the link",
            format!("{busy:.2} x, {} ms", took_us / 1_000),
            busy <= 1.15,
        ),
    ]
}

fn exact_percent(seen: &FrameRef<'_>, screen: &FrameRef<'_>) -> f64 {
    let grid = TileGrid::new(SCREEN);
    let same = |tile: &u32| {
        let rect = grid.rect(*tile);
        (rect.y..rect.bottom()).all(|y| {
            let pixels = |frame: &FrameRef<'_>| {
                let row = frame.span(rect.x, y, rect.width).as_chunks::<4>().0.to_vec();
                row.into_iter().map(|[b, g, r, _]| [b, g, r]).collect::<Vec<_>>()
            };
            pixels(seen) == pixels(screen)
        })
    };
    (0..grid.tiles()).filter(same).count() as f64 * 100.0 / f64::from(grid.tiles())
}
