//! What is claimed of recordings: fewer bytes and less work than others, and the figures of the
//! design.

use crate::comparison::{self, Outcome};
use crate::recordings::{ALT_TAB, Recording, SCROLL, TYPING};
use crate::scene::SCREEN;
use crate::sharer::Farpane;
use farpane_benches::{Claim, percentile};
use std::time::Duration;

/// Times that Farpane plays a recording alone; the fastest of each frame counts.
const PASSES: usize = 3;

/// As designed: of a change of 1920x1080, p95, the microseconds on one core and the bytes.
const FIGURES: [(Recording, f64, usize); 3] =
    [(TYPING, 500.0, 2_000), (SCROLL, 3_000.0, 15_000), (ALT_TAB, 2_000.0, 8_000)];

/// Whether Farpane, the first, needs fewer bytes and less of the processor than each other, for
/// all changes together.
pub(crate) fn beaten(recording: Recording, outcomes: &[Outcome]) -> [Claim; 2] {
    let (ours, others) = outcomes.split_first().expect("Farpane is there");
    let claim = |what: &str, ours_is: f64, other_is: &dyn Fn(&Outcome) -> f64| {
        let mut ratios: Vec<_> =
            others.iter().map(|other| (ours_is / other_is(other), &other.name)).collect();
        ratios.sort_by(|a, b| b.0.total_cmp(&a.0));
        let lost: Vec<_> = ratios.iter().filter(|(ratio, _)| *ratio >= 1.0).collect();
        let shown = if lost.is_empty() { ratios.iter().take(1).collect() } else { lost };
        let shown: Vec<_> =
            shown.into_iter().map(|(ratio, name)| format!("{ratio:.2} x {name}")).collect();
        let best = ratios.first().map_or(f64::MAX, |(ratio, _)| *ratio);
        let name = recording.name;
        Claim::new(
            format!("{name}, recorded: exact with {what} than each other"),
            "< 1 x the best",
            shown.join(", "),
            ours.is_exact() && best < 1.0,
        )
    };
    [
        claim("fewer bytes", ours.total_bytes() as f64, &|other| other.total_bytes() as f64),
        claim("less CPU", ours.time().as_secs_f64(), &|other| other.time().as_secs_f64()),
    ]
}

/// The figures of the design that a codec alone reaches or does not.
pub(crate) fn reached() -> Vec<Claim> {
    println!("\nfigures of the design, farpane alone, p95 of changes, fastest of {PASSES} plays");
    FIGURES.into_iter().flat_map(|(recording, us, bytes)| figure(recording, us, bytes)).collect()
}

fn figure(recording: Recording, most_us: f64, most_bytes: usize) -> Vec<Claim> {
    let play = || comparison::play(recording, &mut Farpane::new(SCREEN));
    let passes: Vec<Outcome> = (0..PASSES).filter_map(|_| play()).collect();
    let Some(first) = passes.first() else { return Vec::new() };
    let fastest = |frame: usize| passes.iter().map(|pass| pass.times[frame]).min();
    let times: Vec<Duration> = (0..first.times.len()).filter_map(fastest).collect();
    let (name, took, bytes) = (recording.name, percentile(&times, 95), first.p95_bytes());
    let us = took.as_secs_f64() * 1e6;
    println!("  {name:<10} {us:>9.0} us ({most_us})  {bytes:>7} bytes ({most_bytes})");
    let target = format!("<= {most_bytes} bytes, exact");
    let holds = bytes <= most_bytes && passes.iter().all(Outcome::is_exact);
    vec![
        Claim::time(format!("{name}, recorded: encoded on one core, p95"), took, most_us),
        Claim::new(
            format!("{name}, recorded: a change, p95"),
            target,
            format!("{bytes} bytes"),
            holds,
        ),
    ]
}
