//! What the benches share: timing, rows of a table, and the machine's memory bandwidth.
#![forbid(unsafe_code)]

pub mod quality;
pub mod recordings;
pub mod scene;
pub mod virtual_time;

use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Size};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Runs of a case in a table; the fastest counts, as others share the machine.
pub const RUNS: usize = 30;

/// The fastest of [`RUNS`] runs.
pub fn fastest(mut run: impl FnMut()) -> Duration {
    fastest_of(|| {
        let start = Instant::now();
        run();
        start.elapsed()
    })
}

/// The shortest of [`RUNS`] times that `timed` measured itself.
pub fn fastest_of(timed: impl FnMut() -> Duration) -> Duration {
    std::iter::repeat_with(timed).take(RUNS).min().unwrap_or_default()
}

/// How long the threads of this process have run. What others do on the machine does not count.
pub fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Prints one row: what, how long, and the figure it is to be compared with.
pub fn row(name: &str, took: Duration, note: &str) {
    println!("{name:<44} {:>9.1} us   {note}", took.as_secs_f64() * 1e6);
}

/// The time below which `percent` of `times` lie, by nearest rank.
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

/// What a bench claims and whether it holds, for `cargo xtask prove`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Claim {
    /// What is claimed.
    pub claim: String,
    /// What must be reached.
    pub target: String,
    /// What was measured, or why nothing was.
    pub measured: String,
    /// Whether it was reached, when it was measured.
    pub holds: Option<bool>,
}

impl Claim {
    /// A claim of a time, in microseconds.
    pub fn time(claim: impl Into<String>, took: Duration, most_us: f64) -> Self {
        let us = took.as_secs_f64() * 1e6;
        Self::new(claim, format!("<= {most_us} us"), format!("{us:.1} us"), us <= most_us)
    }

    /// A claim of anything.
    pub fn new(
        claim: impl Into<String>,
        target: impl Into<String>,
        measured: impl Into<String>,
        holds: bool,
    ) -> Self {
        let (claim, target, measured) = (claim.into(), target.into(), measured.into());
        Self { claim, target, measured, holds: Some(holds) }
    }

    /// A claim that this machine cannot measure, and why.
    pub fn not_measured(
        claim: impl Into<String>,
        target: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let (claim, target, measured) = (claim.into(), target.into(), reason.into());
        Self { claim, target, measured, holds: None }
    }
}

/// Whether the bench was asked for its claims only, by `-- --claims`.
pub fn claims_wanted() -> bool {
    std::env::args().any(|argument| argument == "--claims")
}

/// Prints claims, each a line of JSON.
pub fn print_claims(claims: &[Claim]) {
    for claim in claims {
        println!("{}", serde_json::json!(claim));
    }
}

/// Prints the bandwidth of reading two pictures of `size` side by side: what a comparison at
/// least must do, and what its figures are ratios of.
///
/// Returns it in bytes per second.
pub fn bandwidth_row(size: Size) -> f64 {
    let picture = || {
        let mut picture = FrameBuf::new(size, PixelFormat::Bgrx).expect("a valid size");
        picture.fill(size.rect(), [1, 2, 3, 0]);
        picture
    };
    let (a, b) = (picture(), picture());
    let read = fastest(|| {
        black_box(read_both(&a.view(), &b.view()));
    });
    let rate = (a.view().data().len() * 2) as f64 / read.as_secs_f64();
    let note = format!("{:.1} GB/s", rate / 1e9);
    row(&format!("{} two-stream read", sides(size)), read, &note);
    rate
}

/// A size as people write it.
pub fn sides(size: Size) -> String {
    format!("{}x{}", size.width_px, size.height_px)
}

/// Reads both pictures once and keeps nothing.
pub fn read_both(a: &FrameRef<'_>, b: &FrameRef<'_>) -> u64 {
    let word =
        |bytes: &[u8; 64], i: usize| u64::from_le_bytes(std::array::from_fn(|j| bytes[i * 8 + j]));
    let mut any = [0u64; 8];
    let (a, b) = (a.data().as_chunks::<64>().0, b.data().as_chunks::<64>().0);
    for (a, b) in a.iter().zip(b) {
        for (i, any) in any.iter_mut().enumerate() {
            *any |= word(a, i) ^ word(b, i);
        }
    }
    any.into_iter().fold(0, |a, b| a | b)
}
