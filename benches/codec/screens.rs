//! A whole new screen, on as many cores as there are, and what a helper needs for it: the
//! made-up desktop, and how the recordings begin.

use crate::operations::{BATCH_TILES, decode, encode_batch};
use farpane_benches::recordings::{ALT_TAB, OTHERS, Recording, SCROLL, SLIDES, Shots, TYPING};
use farpane_benches::scene::{SCREEN, desktop};
use farpane_benches::{Claim, RUNS, cpu_time, percentile};
use farpane_codec::{BatchDecoder, BatchEncoder};
use farpane_frame::{FrameBuf, PixelFormat, Rect, TileGrid};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// As designed, of a screen of 1920x1080: to encode on two cores, its bytes, and to decode.
const ENCODE_US: f64 = 8_000.0;
const BYTES: usize = 450_000;
const DECODE_US: f64 = 5_000.0;
const CORES: usize = 2;

/// What a screen took.
struct Outcome {
    /// On all cores by the clock on the wall, which others on the machine hold up: the fastest
    /// run, and p95.
    encoded: [Duration; 2],
    bytes: usize,
    /// Of one processor, p95.
    decoded: Duration,
}

/// Prints a row for each screen. Photographs that fill the screen are no part of the claims: they
/// are to be sent as what they are only once they rest.
pub(crate) fn table() -> Vec<Claim> {
    println!(
        "\n{:<28} {:>18} {:>9} {:>10} {:>22}",
        "whole new screen", "encode ms, 2 cores", "p95", "kB", "decode CPU ms, p95"
    );
    let pool = ThreadPoolBuilder::new().num_threads(CORES).build().expect("threads");
    let mut claims =
        claims_of("a made-up desktop", &row("made-up desktop", &desktop(), &pool)).to_vec();
    let first = |recording: Recording| {
        let shot = Shots::open(recording)?.next()?;
        let mut screen = FrameBuf::new(shot.view().size(), PixelFormat::Bgrx).expect("a size");
        screen.copy_from(&shot.view(), screen.size().rect());
        Some(row(&format!("recorded, {}", recording.name), &screen, &pool))
    };
    let designed = [TYPING, SCROLL, ALT_TAB, SLIDES];
    let outcomes: Vec<Outcome> = designed.into_iter().filter_map(first).collect();
    let _shown: Vec<_> = OTHERS.into_iter().filter_map(first).collect();
    let slowest = |i: usize| outcomes.iter().map(|o| o.encoded[i]).max().unwrap_or(Duration::MAX);
    let worst = Outcome {
        encoded: [slowest(0), slowest(1)],
        bytes: outcomes.iter().map(|o| o.bytes).max().unwrap_or(usize::MAX),
        decoded: outcomes.iter().map(|o| o.decoded).max().unwrap_or(Duration::MAX),
    };
    claims.extend(claims_of("the worst of typing, scroll, alt-tab and slides", &worst));
    claims
}

fn claims_of(of: &str, outcome: &Outcome) -> [Claim; 3] {
    let bytes = outcome.bytes;
    let [fastest, p95] = outcome.encoded.map(|took| took.as_secs_f64() * 1e6);
    [
        Claim::new(
            format!("whole new screen, encoded on two cores, p95: {of}"),
            format!("<= {ENCODE_US} us"),
            format!("{p95:.1} us, the fastest run {fastest:.1} us"),
            p95 <= ENCODE_US,
        ),
        Claim::new(
            format!("whole new screen, exact: {of}"),
            format!("<= {BYTES} bytes"),
            format!("{bytes} bytes"),
            bytes <= BYTES,
        ),
        Claim::time(
            format!("whole new screen, decoded on one core, p95: {of}"),
            outcome.decoded,
            DECODE_US,
        ),
    ]
}

fn row(name: &str, screen: &FrameBuf, pool: &ThreadPool) -> Outcome {
    let (view, grid) = (screen.view(), TileGrid::new(screen.size()));
    let areas: Vec<Rect> = (0..grid.tiles()).map(|tile| grid.rect(tile)).collect();
    let encoders: [_; CORES] = std::array::from_fn(|_| Mutex::new(BatchEncoder::new()));
    let encode = || -> Vec<Vec<u8>> {
        let batch = |areas: &[Rect]| {
            let core = rayon::current_thread_index().unwrap_or(0);
            let mut encoder = encoders[core].lock().expect("no panic before");
            encode_batch(&mut encoder, &view, areas)
        };
        pool.install(|| areas.par_chunks(BATCH_TILES).map(batch).collect())
    };
    let start = Instant::now();
    let runs = times(|| start.elapsed(), || drop(black_box(encode())));
    let encoded = [percentile(&runs, 1), percentile(&runs, 95)];
    let batches = encode();
    let mut canvas = FrameBuf::new(SCREEN, PixelFormat::Bgrx).expect("a valid size");
    canvas.reshape(screen.size(), PixelFormat::Bgrx).expect("a valid size");
    let mut decoder = BatchDecoder::default();
    let runs = times(cpu_time, || decode(&mut decoder, &batches, &mut canvas));
    let decoded = percentile(&runs, 95);
    assert!(canvas.view().same_rgb(&view), "{name} is not exact");
    let bytes = batches.iter().map(Vec::len).sum();
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    let [fastest, p95] = encoded.map(ms);
    println!(
        "{name:<28} {fastest:>18.2} {p95:>9.2} {:>10.1} {:>22.2}",
        bytes as f64 / 1e3,
        ms(decoded)
    );
    Outcome { encoded, bytes, decoded }
}

/// How long the runs took by that clock.
fn times(clock: impl Fn() -> Duration, mut run: impl FnMut()) -> Vec<Duration> {
    let once = || {
        let start = clock();
        run();
        clock() - start
    };
    std::iter::repeat_with(once).take(RUNS).collect()
}
