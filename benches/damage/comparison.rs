//! Each case by each subject, in turns.

use crate::SCREENS;
use crate::cases::{Case, corpus};
use crate::subjects;
use farpane_benches::{Claim, bandwidth_row, percentile};
use farpane_frame::Size;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The first two are Farpane, with what the source says and without.
const HINTED: usize = 0;
const WHOLE: usize = 1;
/// The third is the only other one that uses hints.
const OTHER_HINTED: usize = 2;

const TURNS: usize = 16;
/// An even number: the last frame is the first again.
const FRAMES_OF_A_TURN: usize = 4;

/// Prints a table for each screen.
pub(crate) fn tables() -> Vec<Claim> {
    SCREENS.iter().flat_map(|(name, size)| table(name, *size)).collect()
}

/// What a subject needed, and took for changed.
struct Outcome {
    name: &'static str,
    /// The fastest frame of each turn.
    turns: Vec<Duration>,
    changed_px: u64,
}

impl Outcome {
    fn median(&self) -> f64 {
        percentile(&self.turns, 50).as_secs_f64()
    }

    /// How many times as long as `other` it took, the median of the turns.
    fn ratio(&self, other: &Self) -> f64 {
        let ratio = |(a, b): (&Duration, &Duration)| a.as_secs_f64() / b.as_secs_f64();
        let mut ratios: Vec<_> = self.turns.iter().zip(&other.turns).map(ratio).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

fn table(screen: &str, size: Size) -> Vec<Claim> {
    let bandwidth = bandwidth_row(size);
    let mut claims = Vec::new();
    for case in corpus(size) {
        let outcomes = measure(&case);
        println!("{screen} {:<24} {:>10} {:>13}", case.name, "median", "p95");
        for (i, outcome) in outcomes.iter().enumerate() {
            let hinted: u64 = case.hint.iter().map(|rect| rect.area_px()).sum();
            let uses_hint = i == HINTED || i == OTHER_HINTED;
            let looked_at = if uses_hint { hinted } else { size.area_px() };
            print_row(outcome, looked_at, bandwidth, &outcomes);
        }
        claims.push(beaten(screen, &case, &outcomes));
    }
    claims
}

/// Times each. They take turns, so that a busy neighbour slows all alike; a turn is a few frames,
/// so that each finds its memory as it left it.
fn measure(case: &Case) -> Vec<Outcome> {
    let mut subjects = subjects::all(&case.frames[0]);
    let mut outcomes: Vec<_> = subjects
        .iter()
        .map(|subject| Outcome { name: subject.name(), turns: Vec::new(), changed_px: 0 })
        .collect();
    for turn in 0..TURNS {
        for i in order(turn, subjects.len()) {
            let (subject, outcome) = (&mut subjects[i], &mut outcomes[i]);
            let frames = case.frames.iter().rev().cycle().take(FRAMES_OF_A_TURN);
            let fastest = frames.map(|next| {
                let next = next.view();
                subject.capture(&next);
                let start = Instant::now();
                outcome.changed_px = black_box(subject.update(&next, black_box(&case.hint)));
                start.elapsed()
            });
            outcome.turns.push(fastest.min().unwrap_or_default());
        }
    }
    outcomes
}

/// Who comes when in a turn: each after several others, as some leave the caches full.
fn order(turn: usize, subjects: usize) -> impl Iterator<Item = usize> {
    let step = [1, 3, 5, 7][turn % 4];
    (0..subjects).map(move |i| (turn + i * step) % subjects)
}

fn print_row(outcome: &Outcome, looked_at: u64, bandwidth: f64, outcomes: &[Outcome]) {
    let median = outcome.median();
    let rate = looked_at as f64 * 8.0 / median;
    println!(
        "  {:<20} {:>10.2} us {:>10.2} us {:>6.1} GB/s {:>5.2} of bandwidth {:>9} px changed \
         {:>8.2} x hinted {:>6.2} x whole",
        outcome.name,
        median * 1e6,
        percentile(&outcome.turns, 95).as_secs_f64() * 1e6,
        rate / 1e9,
        rate / bandwidth,
        outcome.changed_px,
        outcome.ratio(&outcomes[HINTED]),
        outcome.ratio(&outcomes[WHOLE]),
    );
}

/// Whether Farpane, told what changed, is faster than every other, whether that uses hints or
/// cannot.
fn beaten(screen: &str, case: &Case, outcomes: &[Outcome]) -> Claim {
    let ours = &outcomes[HINTED];
    let ratios = outcomes[OTHER_HINTED..].iter().map(|other| (ours.ratio(other), other));
    let (ratio, rival) = ratios.max_by(|a, b| a.0.total_cmp(&b.0)).expect("there are others");
    let measured = format!("{ratio:.2} x {}, {:.2} us", rival.name, ours.median() * 1e6);
    let claim = format!("{screen} {}: told what changed, faster than each other", case.name);
    Claim::new(claim, "< 1 x the fastest", measured, ratio < 1.0)
}
