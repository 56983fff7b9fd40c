//! Each recording by each subject, frame by frame in turns.

use crate::claims;
use crate::images::TOLD;
use crate::subjects::{self, Subject, Work};
use farpane_benches::quality::{psnr_of, squared_error};
use farpane_benches::recordings::{
    ALT_TAB, OTHERS, Recording, SCROLL, SLIDES, Shot, Shots, TYPING,
};
use farpane_benches::{Claim, cpu_time, percentile};
use farpane_frame::{FrameBuf, PixelFormat};
use std::time::Duration;

/// What a subject needed for a recording.
pub(crate) struct Outcome {
    pub(crate) name: String,
    /// The first frame, a whole screen: how long the processor ran, and the bytes.
    pub(crate) first: (Duration, usize),
    /// The same of each other frame.
    pub(crate) times: Vec<Duration>,
    /// How long its encoding took by the clock, on all cores.
    pub(crate) encodings: Vec<Duration>,
    /// How long it ran between the changes.
    between: Duration,
    pub(crate) bytes: Vec<usize>,
    /// Squared differences of the helper's pictures, and of how many pixels.
    error: u64,
    pixels: u64,
}

impl Outcome {
    fn new(name: String) -> Self {
        let (times, encodings, bytes) = Default::default();
        let (first, between) = Default::default();
        Self { name, first, times, encodings, between, bytes, error: 0, pixels: 0 }
    }

    /// Keeps the shorter of each time, after another play of the same recording.
    pub(crate) fn keep_faster(&mut self, other: &Self) {
        let faster = |ours: &mut [Duration], others: &[Duration]| {
            ours.iter_mut().zip(others).for_each(|(our, other)| *our = (*our).min(*other));
        };
        faster(&mut self.times, &other.times);
        faster(&mut self.encodings, &other.encodings);
        self.first.0 = self.first.0.min(other.first.0);
        self.between = self.between.min(other.between);
        self.error = self.error.max(other.error);
    }

    /// Whether the helper's picture was the screen's after every frame.
    pub(crate) fn is_exact(&self) -> bool {
        self.error == 0
    }

    /// Whether the subject was told where the changes are, and did not have to look for them.
    pub(crate) fn is_told(&self) -> bool {
        self.name.ends_with(TOLD)
    }

    /// How near the helper's pictures came.
    fn quality(&self) -> String {
        match self.is_exact() {
            true => "exact".into(),
            false => format!("PSNR {:.1} dB", psnr_of(self.error, self.pixels)),
        }
    }

    /// The name, with the quality of what is not exact.
    pub(crate) fn label(&self) -> String {
        let Self { name, .. } = self;
        if self.is_exact() { name.clone() } else { format!("{name} ({})", self.quality()) }
    }

    /// How long the processor ran for all frames but the first, and between them.
    pub(crate) fn time(&self) -> Duration {
        self.times.iter().sum::<Duration>() + self.between
    }

    /// The bytes of all frames but the first.
    pub(crate) fn total_bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    /// The bytes below which 95 of 100 frames are, by nearest rank.
    pub(crate) fn p95_bytes(&self) -> usize {
        let mut sorted = self.bytes.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * 95).div_ceil(100).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or_default()
    }
}

/// How often a recording is played; of each time the shortest counts, for every subject.
pub(crate) const PLAYS: usize = 3;

/// Prints a table for each recording.
pub(crate) fn tables() -> Vec<Claim> {
    let mut claims = Vec::new();
    for recording in [TYPING, SCROLL, ALT_TAB, SLIDES] {
        let Some(outcomes) = measure(recording) else { continue };
        print(recording, &outcomes);
        claims.extend(claims::beaten(recording, &outcomes));
    }
    for recording in OTHERS {
        match measure(recording) {
            Some(outcomes) => print(recording, &outcomes),
            None => println!("\n{}, recorded: {}", recording.name, recording.advice()),
        }
    }
    claims.extend(claims::reached());
    claims
}

/// Plays a recording to all subjects, several times.
fn measure(recording: Recording) -> Option<Vec<Outcome>> {
    let mut fastest = play_all(recording)?;
    for _ in 1..PLAYS {
        let outcomes = play_all(recording)?;
        fastest.iter_mut().zip(&outcomes).for_each(|(kept, other)| kept.keep_faster(other));
    }
    Some(fastest)
}

/// Plays a recording to all subjects once.
fn play_all(recording: Recording) -> Option<Vec<Outcome>> {
    let mut shots = Shots::open(recording)?.peekable();
    let size = shots.peek()?.view().size();
    let mut subjects = subjects::all(size);
    let mut outcomes: Vec<_> =
        subjects.iter().map(|subject| Outcome::new(subject.name())).collect();
    let helper = FrameBuf::new(size, PixelFormat::Bgrx).expect("a valid size");
    let mut helpers = vec![helper; subjects.len()];
    for (turn, shot) in shots.enumerate() {
        // Another one each time comes after the one that leaves the caches fullest.
        for at in 0..subjects.len() {
            let i = (turn + at) % subjects.len();
            take(&mut *subjects[i], &shot, turn == 0, &mut helpers[i], &mut outcomes[i]);
        }
    }
    Some(outcomes)
}

/// One frame by one subject.
pub(crate) fn take(
    subject: &mut dyn Subject,
    shot: &Shot,
    is_first: bool,
    helper: &mut FrameBuf,
    outcome: &mut Outcome,
) {
    let start = cpu_time();
    let bytes = subject.frame(shot);
    let change = cpu_time() - start;
    let work = subject.work().unwrap_or(Work { change, ..Work::default() });
    outcome.between += work.before;
    if is_first {
        outcome.first = (work.change, bytes);
    } else {
        outcome.times.push(work.change);
        outcome.encodings.push(work.encoding);
        outcome.bytes.push(bytes);
    }
    subject.show(helper);
    outcome.error += squared_error(&shot.view(), &helper.view());
    outcome.pixels += shot.view().size().area_px();
}

/// Plays a recording to one subject alone, which may have `seen` it once before.
pub(crate) fn play(recording: Recording, subject: &mut dyn Subject, seen: bool) -> Option<Outcome> {
    let size = Shots::open(recording)?.next()?.view().size();
    let mut helper = FrameBuf::new(size, PixelFormat::Bgrx).expect("a valid size");
    let mut outcome = Outcome::new(subject.name());
    for _ in 0..1 + u32::from(seen) {
        outcome = Outcome::new(subject.name());
        for (turn, shot) in Shots::open(recording)?.enumerate() {
            take(subject, &shot, turn == 0, &mut helper, &mut outcome);
        }
    }
    Some(outcome)
}

fn print(recording: Recording, outcomes: &[Outcome]) {
    let frames = outcomes.first().map_or(0, |outcome| outcome.times.len());
    println!(
        "\n{}, recorded: a whole screen and {frames} changes, fastest of {PLAYS} plays",
        recording.name
    );
    println!(
        "  {:<22} {:>9} {:>10} {:>9} {:>9} {:>9} {:>10} {:>10} {:>9}  quality",
        "subject",
        "first ms",
        "first kB",
        "p50 ms",
        "p95 ms",
        "all ms",
        "p50 kB",
        "p95 kB",
        "all kB"
    );
    for outcome in outcomes {
        let ms = |took: Duration| took.as_secs_f64() * 1e3;
        let mut bytes = outcome.bytes.clone();
        bytes.sort_unstable();
        let median = bytes.get(bytes.len().saturating_sub(1) / 2).copied().unwrap_or_default();
        println!(
            "  {:<22} {:>9.2} {:>10.1} {:>9.2} {:>9.2} {:>9.1} {:>10.2} {:>10.2} {:>9.1}  {}",
            outcome.name,
            ms(outcome.first.0),
            outcome.first.1 as f64 / 1e3,
            ms(percentile(&outcome.times, 50)),
            ms(percentile(&outcome.times, 95)),
            ms(outcome.time()),
            median as f64 / 1e3,
            outcome.p95_bytes() as f64 / 1e3,
            outcome.total_bytes() as f64 / 1e3,
            outcome.quality(),
        );
    }
}
