//! A screen that changes as a whole over a slow link: how good it is, and when.

use crate::{PLAYS, link, quickest, rate};
use farpane::lab::Lab;
use farpane_benches::Claim;
use farpane_benches::quality::ssimulacra2;
use farpane_benches::recordings::{ALT_TAB, PDF, Recording, SCROLL, SHEET, SLIDES, Shots, TYPING};
use farpane_benches::scene::desktop;
use farpane_frame::{FrameBuf, FrameRef, TileGrid};
use std::time::Duration;

const LINK: u64 = 3;
const LOOKS_MS: [u64; 9] = [50, 100, 150, 200, 300, 400, 500, 1_000, 2_000];
/// By then the picture must be of use, and how much so.
const USEFUL_MS: u64 = 150;
const USEFUL: f64 = 30.0;
/// The time that the bytes take on the link may be exceeded by this share.
const BUSY: f64 = 1.15;

/// What became of a switch.
struct Outcome {
    /// SSIMULACRA2 and percent of exact tiles, at each look.
    looks: Vec<(f64, f64)>,
    exact_after: Duration,
    bytes: u64,
}

impl Outcome {
    /// The quality when it must be of use.
    fn useful(&self) -> f64 {
        let at = LOOKS_MS.iter().position(|ms| *ms == USEFUL_MS).expect("a look");
        self.looks[at].0
    }

    /// How many times as long it took as its bytes take on the link.
    fn busy(&self) -> f64 {
        self.exact_after.as_secs_f64() * 1e6 / (self.bytes * 8 / LINK) as f64
    }

    fn print(&self, name: &str) {
        print!("{name:<12}");
        self.looks.iter().for_each(|(quality, exact)| print!(" {quality:>6.1} ({exact:>3.0}%)"));
        println!("  {:>8} ms {:>10}", self.exact_after.as_millis(), self.bytes);
    }
}

/// From each recorded desktop to the next; the last switch is to the made-up one, most of whose
/// bytes are noise, and no claim.
pub(crate) fn tables() -> Vec<Claim> {
    println!(
        "\na whole new screen over {}, the quickest of {PLAYS} plays: SSIMULACRA2 (exact tiles, %) \
         after so many ms",
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
    let useful = outcomes.iter().map(Outcome::useful).fold(f64::INFINITY, f64::min);
    let busy = outcomes.iter().map(Outcome::busy).fold(0.0, f64::max);
    let exact_after = outcomes.iter().map(|o| o.exact_after).max().unwrap_or_default();
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
            format!("{busy:.2} x, {} ms", exact_after.as_millis()),
            busy <= BUSY,
        ),
    ]
}

/// How a recording begins.
fn screen(recording: Recording) -> FrameBuf {
    let first = Shots::open(recording).and_then(|mut shots| shots.next());
    first.expect("it is committed").into_screen()
}

fn show(name: &str, before: &FrameBuf, screen: &FrameBuf) -> Outcome {
    let outcome = quickest(|| switch(before, screen), |outcome| outcome.exact_after);
    outcome.print(name);
    outcome
}

fn switch(before: &FrameBuf, screen: &FrameBuf) -> Outcome {
    let mut lab = Lab::new(&before.view(), link(LINK)).expect("a laboratory");
    let settled = lab.now_us() + 60_000_000;
    assert!(lab.run_until_exact(settled).expect("it runs"), "the first picture comes");
    lab.run_until(lab.now_us() + 1_000_000).expect("it runs");
    let (before, start_us) = (lab.stats(), lab.now_us());
    lab.show(&screen.view()).expect("it runs");
    let (mut looks, mut exact_us) = (Vec::new(), None);
    for ms in LOOKS_MS {
        let at_us = start_us + ms * 1_000;
        if exact_us.is_none() && lab.run_until_exact(at_us).expect("it runs") {
            exact_us = Some(lab.now_us());
        }
        lab.run_until(at_us).expect("it runs");
        let seen = lab.picture().expect("a picture");
        let exact = exact_percent(&seen, &screen.view());
        looks.push((ssimulacra2(&screen.view(), &seen), exact));
    }
    if exact_us.is_none() {
        assert!(lab.run_until_exact(start_us + 60_000_000).expect("it runs"), "it becomes exact");
    }
    let exact_after = Duration::from_micros(exact_us.unwrap_or(lab.now_us()) - start_us);
    Outcome { looks, exact_after, bytes: lab.stats().bytes - before.bytes }
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
