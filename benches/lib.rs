//! What the benches share: timing, rows of a table, and the machine's memory bandwidth.
#![forbid(unsafe_code)]

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

/// Prints the bandwidth of reading two pictures of `size` side by side: what a comparison at
/// least must do, and what its figures are ratios of.
pub fn bandwidth_row(size: Size) {
    let picture = || {
        let mut picture = FrameBuf::new(size, PixelFormat::Bgrx).expect("a valid size");
        picture.fill(size.rect(), [1, 2, 3, 0]);
        picture
    };
    let (a, b) = (picture(), picture());
    let read = fastest(|| {
        black_box(read_both(&a.view(), &b.view()));
    });
    let rate = (a.view().data().len() * 2) as f64 / read.as_secs_f64() / 1e9;
    row(&format!("{} two-stream read", sides(size)), read, &format!("{rate:.1} GB/s"));
}

/// A size as people write it.
pub fn sides(size: Size) -> String {
    format!("{}x{}", size.width_px, size.height_px)
}

/// Reads both pictures once and keeps nothing.
fn read_both(a: &FrameRef<'_>, b: &FrameRef<'_>) -> u64 {
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
