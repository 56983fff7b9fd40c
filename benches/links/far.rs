//! A film over a long path that loses packets: how much of the time it stands still.

use crate::film::{self, FILM, PICTURE_US, PICTURES};
use crate::{link, rate};
use farpane::lab::{Lab, LabOptions};
use farpane_benches::Claim;
use farpane_benches::quality::part;
use farpane_benches::scene::desktop;
use farpane_frame::FrameRef;

const LINK: u64 = 10;
const ONE_WAY_US: u64 = 100_000;
const LOSSES: [u32; 4] = [0, 1, 2, 5];
/// The film is still when no new picture has come for so long.
const STILL_US: u64 = 100_000;
/// From this picture on it has become video, and counts.
const SETTLED: u32 = 60;
const LOOK_US: u64 = 2_000;
/// At so many losses in a hundred it may be still for this share of the time, in percent.
const JUDGED: u32 = 2;
const MOST_STILL: f64 = 2.0;
/// Pixels of the film that are looked at: a row of every so many.
const ROWS: usize = 16;

struct Outcome {
    /// Percent of the time.
    still: f64,
    longest_us: u64,
    bits_per_s: f64,
}

pub(crate) fn tables() -> Vec<Claim> {
    println!(
        "\n720p30 film over {} and a round trip of {} ms\n{:<8} {:>8} {:>12} {:>8}",
        rate(LINK),
        2 * ONE_WAY_US / 1_000,
        "loss",
        "still",
        "longest ms",
        "Mbit/s"
    );
    let outcomes = LOSSES.map(|percent| (percent, play(percent)));
    for (percent, Outcome { still, longest_us, bits_per_s }) in &outcomes {
        let (longest_ms, mbit_per_s) = (longest_us / 1_000, bits_per_s / 1e6);
        println!("{percent:>6} % {still:>6.1} % {longest_ms:>12} {mbit_per_s:>8.2}");
    }
    let judged = outcomes.iter().find(|(percent, _)| *percent == JUDGED);
    let still = judged.map_or(f64::INFINITY, |(_, outcome)| outcome.still);
    vec![Claim::new(
        format!("film, round trip of 200 ms, {JUDGED} % lost: still for"),
        format!("<= {MOST_STILL} % of the time"),
        format!("{still:.1} %"),
        still <= MOST_STILL,
    )]
}

/// The same in every run: no time passes while something is computed.
fn play(loss_percent: u32) -> Outcome {
    let options = LabOptions {
        one_way_us: ONE_WAY_US,
        loss_percent,
        clocked: false,
        still_us: Some(0),
        ..link(LINK)
    };
    let mut lab = Lab::new(&desktop().view(), options).expect("a laboratory");
    let settled = lab.now_us() + 60_000_000;
    assert!(lab.run_until_exact(settled).expect("it runs"), "the first picture comes");
    let (mut seen, mut seen_us) = (Vec::new(), lab.now_us());
    let (mut still_us, mut longest_us, mut from) = (0, 0, (0, 0));
    let start_us = lab.now_us();
    for (step, screen) in (0..PICTURES).zip(film::screens()) {
        if step == SETTLED {
            (from, seen_us) = ((lab.now_us(), lab.stats().bytes), lab.now_us());
        }
        lab.show(&screen.view()).expect("it runs");
        let until = start_us + u64::from(step + 1) * PICTURE_US;
        while lab.now_us() < until {
            lab.run_until((lab.now_us() + LOOK_US).min(until)).expect("it runs");
            let looked = lab.picture().map(|picture| some_of(&picture)).unwrap_or_default();
            if looked == seen {
                continue;
            }
            let waited_us = lab.now_us() - seen_us;
            if step >= SETTLED {
                longest_us = longest_us.max(waited_us);
                still_us += waited_us.saturating_sub(STILL_US);
            }
            (seen, seen_us) = (looked, lab.now_us());
        }
    }
    let took_us = lab.now_us() - from.0;
    let bits = (lab.stats().bytes - from.1) as f64 * 8.0;
    Outcome {
        still: still_us as f64 * 100.0 / took_us as f64,
        longest_us,
        bits_per_s: bits * 1e6 / took_us as f64,
    }
}

fn some_of(picture: &FrameRef<'_>) -> Vec<u8> {
    let film = part(picture, FILM);
    (0..FILM.height).step_by(ROWS).flat_map(|y| film.row(y).to_vec()).collect()
}
