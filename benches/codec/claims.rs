//! What is claimed of recordings: fewer bytes and less work than others, and the figures of the
//! design.

use crate::comparison::{self, Outcome, PLAYS};
use crate::sharer::Farpane;
use farpane_benches::recordings::{ALT_TAB, Recording, SCROLL, TYPING};
use farpane_benches::{Claim, percentile};

/// As designed: of a change of 1920x1080, p95, the microseconds of encoding on two cores and the
/// bytes; and whether all of it was seen before.
const FIGURES: [(Recording, f64, usize, bool); 3] = [
    (TYPING, 500.0, 2_000, false),
    (SCROLL, 3_000.0, 15_000, false),
    (ALT_TAB, 2_000.0, 8_000, true),
];

/// Whether Farpane, the first, needs less than each other: bytes and processor for all changes
/// together, and bytes for the whole screen before them. What is exact and what is not are
/// claimed apart: a video codec may always do with fewer bytes by showing less. So are those that
/// look at whole frames and those that are told, for nothing, where to look.
pub(crate) fn beaten(recording: Recording, outcomes: &[Outcome]) -> [Claim; 5] {
    let (ours, others) = outcomes.split_first().expect("Farpane is there");
    let (exact, videos): (Vec<_>, Vec<_>) = others.iter().partition(|other| other.is_exact());
    let (told, whole): (Vec<_>, Vec<_>) = others.iter().partition(|other| other.is_told());
    let time = |outcome: &Outcome| outcome.time().as_secs_f64();
    let changes = |outcome: &Outcome| outcome.total_bytes() as f64;
    let claim = |what: &str, others, figure: &dyn Fn(&Outcome) -> f64| {
        let claim = format!("{}, recorded: exact with {what}", recording.name);
        less(claim, ours, others, figure)
    };
    [
        claim("fewer bytes than each exact codec", exact.clone(), &changes),
        claim("fewer bytes than each video codec", videos, &changes),
        claim("less CPU than each on whole frames", whole, &time),
        claim("less CPU than each that is told what changed", told, &time),
        claim("fewer bytes for the first screen than each exact codec", exact, &|outcome| {
            outcome.first.1 as f64
        }),
    ]
}

/// Whether `ours` is exact and its figure below each of the others'. Tells the ratios to those
/// that it is not below, or to the best.
fn less(
    claim: String,
    ours: &Outcome,
    others: Vec<&Outcome>,
    figure: &dyn Fn(&Outcome) -> f64,
) -> Claim {
    let ratio = |other: &&Outcome| (figure(ours) / figure(other), other.label());
    let mut ratios: Vec<_> = others.iter().map(ratio).collect();
    ratios.sort_by(|a, b| b.0.total_cmp(&a.0));
    let lost = ratios.iter().filter(|(ratio, _)| *ratio >= 1.0).count();
    let shown =
        ratios.iter().take(lost.max(1)).map(|(ratio, other)| format!("{ratio:.2} x {other}"));
    let shown: Vec<_> = shown.collect();
    Claim::new(claim, "< 1 x the best", shown.join(", "), ours.is_exact() && lost == 0)
}

/// The figures of the design that a codec alone reaches or does not.
pub(crate) fn reached() -> Vec<Claim> {
    println!(
        "\nfigures of the design, farpane alone, p95 of changes, fastest of {PLAYS} plays\n  \
         {:<22} {:>17} {:>17} {:>22}",
        "", "encode us (goal)", "bytes (goal)", "CPU us, with comparing"
    );
    FIGURES
        .into_iter()
        .flat_map(|(recording, us, bytes, seen)| figure(recording, us, bytes, seen))
        .collect()
}

fn figure(recording: Recording, most_us: f64, most_bytes: usize, seen: bool) -> Vec<Claim> {
    let play = || comparison::play(recording, &mut Farpane::default(), seen);
    let Some(mut fastest) = play() else { return Vec::new() };
    for _ in 1..PLAYS {
        play().iter().for_each(|other| fastest.keep_faster(other));
    }
    let (took, cpu) = (percentile(&fastest.encodings, 95), percentile(&fastest.times, 95));
    let name = format!("{}{}", recording.name, if seen { ", seen before" } else { "" });
    let (us, cpu_us) = (took.as_secs_f64() * 1e6, cpu.as_secs_f64() * 1e6);
    let bytes = fastest.p95_bytes();
    println!(
        "  {name:<22} {us:>8.0} {:>8} {bytes:>8} {:>8} {cpu_us:>22.0}",
        format!("({most_us})"),
        format!("({most_bytes})")
    );
    let target = format!("<= {most_bytes} bytes, exact");
    let holds = bytes <= most_bytes && fastest.is_exact();
    vec![
        Claim::time(format!("{name}, recorded: encoding, two cores, p95"), took, most_us),
        Claim::new(
            format!("{name}, recorded: a change, p95"),
            target,
            format!("{bytes} bytes"),
            holds,
        ),
    ]
}
