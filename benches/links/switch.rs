//! A screen that changes as a whole over a slow link: how good it is, and when.

use crate::{link, rate};
use farpane::lab::Lab;
use farpane_benches::Claim;
use farpane_benches::quality::ssimulacra2;
use farpane_benches::recordings::{ALT_TAB, PDF, Recording, SCROLL, SHEET, SLIDES, Shots, TYPING};
use farpane_benches::scene::desktop;
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, TileGrid};

const LINK: u64 = 3;
const LOOKS_MS: [u64; 9] = [50, 100, 150, 200, 300, 400, 500, 1_000, 2_000];
/// By then the picture must be of use, and how much so.
const USEFUL_MS: u64 = 150;
const USEFUL: f64 = 30.0;
/// The time that the bytes take on the link may be exceeded by this share.
const BUSY: f64 = 1.15;

/// What became of a switch.
struct Outcome {
    useful: f64,
    exact_ms: u64,
    /// How many times as long as its bytes take on the link.
    busy: f64,
}

/// From each recorded desktop to the next; the last switch is to the made-up one, most of whose
/// bytes are noise, and no claim.
pub(crate) fn tables() -> Vec<Claim> {
    println!(
        "\na whole new screen over {}: SSIMULACRA2 (exact tiles, %) after so many ms",
        rate(LINK)
    );
    print!("{:<12}", "to");
    LOOKS_MS.iter().for_each(|ms| print!(" {ms:>13}"));
    println!("  exact after      bytes");
    let recordings = [ALT_TAB, TYPING, SCROLL, SHEET, PDF, SLIDES];
    let screens: Vec<_> = recordings.into_iter().map(|r| (r.name, screen(r))).collect();
    let switch = |pair: &[(&str, FrameBuf)]| show(pair[1].0, &pair[0].1, &pair[1].1);
    let outcomes: Vec<Outcome> = screens.windows(2).map(switch).collect();
    show("made-up", &screens[0].1, &desktop());
    let useful = outcomes.iter().map(|o| o.useful).fold(f64::INFINITY, f64::min);
    let busy = outcomes.iter().map(|o| o.busy).fold(0.0, f64::max);
    let exact_ms = outcomes.iter().map(|o| o.exact_ms).max().unwrap_or_default();
    let claim = |what: &str| {
        format!("whole new screen, the worst of {}, {}: {what}", outcomes.len(), rate(LINK))
    };
    vec![
        Claim::new(
            claim("SSIMULACRA2 within 150 ms"),
            format!(">= {USEFUL}"),
            format!("{useful:.1}"),
            useful >= USEFUL,
        ),
        Claim::new(
            claim("exact as soon as the bytes allow"),
            format!("<= {BUSY} x their time on the link"),
            format!("{busy:.2} x, {exact_ms} ms"),
            busy <= BUSY,
        ),
    ]
}

/// How a recording begins.
fn screen(recording: Recording) -> FrameBuf {
    let shot = Shots::open(recording).and_then(|mut shots| shots.next()).expect("it is committed");
    let mut screen = FrameBuf::new(shot.view().size(), PixelFormat::Bgrx).expect("a valid size");
    screen.copy_from(&shot.view(), screen.size().rect());
    screen
}

fn show(name: &str, before: &FrameBuf, screen: &FrameBuf) -> Outcome {
    let mut lab = Lab::new(&before.view(), link(LINK)).expect("a laboratory");
    let settled = lab.now_us() + 60_000_000;
    assert!(lab.run_until_exact(settled).expect("it runs"), "the first picture comes");
    lab.run_until(lab.now_us() + 1_000_000).expect("it runs");
    let (before, start_us) = (lab.stats(), lab.now_us());
    lab.show(&screen.view()).expect("it runs");
    print!("{name:<12}");
    let mut useful = f64::NEG_INFINITY;
    let mut exact_us = None;
    for ms in LOOKS_MS {
        let at_us = start_us + ms * 1_000;
        if exact_us.is_none() && lab.run_until_exact(at_us).expect("it runs") {
            exact_us = Some(lab.now_us());
        }
        lab.run_until(at_us).expect("it runs");
        let seen = lab.picture().expect("a picture");
        let quality = ssimulacra2(&screen.view(), &seen);
        print!(" {quality:>6.1} ({:>3.0}%)", exact_percent(&seen, &screen.view()));
        if ms == USEFUL_MS {
            useful = quality;
        }
    }
    if exact_us.is_none() {
        assert!(lab.run_until_exact(start_us + 60_000_000).expect("it runs"), "it becomes exact");
    }
    let took_us = exact_us.unwrap_or(lab.now_us()) - start_us;
    let bytes = lab.stats().bytes - before.bytes;
    println!("  {:>8} ms {bytes:>10}", took_us / 1_000);
    let busy = took_us as f64 / (bytes * 8 / LINK) as f64;
    Outcome { useful, exact_ms: took_us / 1_000, busy }
}

fn exact_percent(seen: &FrameRef<'_>, screen: &FrameRef<'_>) -> f64 {
    let grid = TileGrid::new(screen.size());
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
