//! Comparing, merging and finding moves, beside the memory bandwidth of the same run.
//!
//! `cargo bench -p farpane-benches --bench damage` prints a table with the targets of the design,
//! then criterion's figures. `-- --test` runs everything once.

#[path = "../crates/damage/tests/scene/mod.rs"]
mod scene;

use criterion::{Criterion, criterion_group, criterion_main};
use farpane_damage::{Changes, Differ, Kernel, MergeParams, MoveFinder, merge};
use farpane_frame::{FrameBuf, FrameRef, Move, Rect, Size, TILE_PX};
use scene::{Random, SCREEN, blank, cut, paste, photo, text, window};
use std::hint::black_box;
use std::time::{Duration, Instant};

const UHD: Size = Size::new(3840, 2160);
/// Runs of a case in the table; the fastest counts, as others share the machine.
const RUNS: usize = 30;

fn fastest(mut run: impl FnMut()) -> Duration {
    let once = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    std::iter::repeat_with(once).take(RUNS).min().unwrap_or_default()
}

/// Reads both pictures once and keeps nothing: what a comparison at least must do.
fn read_both(a: &FrameRef<'_>, b: &FrameRef<'_>) -> u64 {
    let words = |bytes: &[u8; 64]| {
        std::array::from_fn::<_, 8, _>(|i| {
            u64::from_le_bytes(std::array::from_fn(|j| bytes[i * 8 + j]))
        })
    };
    let mut any = [0u64; 8];
    let (a, b) = (a.data().as_chunks::<64>().0, b.data().as_chunks::<64>().0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (words(a), words(b));
        for i in 0..8 {
            any[i] |= a[i] ^ b[i];
        }
    }
    any.into_iter().fold(0, |a, b| a | b)
}

/// Two copies of a desktop and one that differs everywhere.
struct Frames {
    canon: FrameBuf,
    same: FrameBuf,
    other: FrameBuf,
}

impl Frames {
    fn new(size: Size) -> Self {
        let canon = photo(size, 1);
        let mut other = canon.clone();
        other.data_mut().iter_mut().for_each(|byte| *byte ^= 0x55);
        Self { same: canon.clone(), canon, other }
    }
}

/// Two frames, and where the second was captured.
struct Scene {
    old: FrameBuf,
    new: FrameBuf,
    hint: Vec<Rect>,
    changes: Changes,
}

impl Scene {
    fn new(old: FrameBuf, new: FrameBuf, hint: Vec<Rect>) -> Self {
        let mut changes = Changes::new();
        let mut differ = Differ::new(Kernel::detect());
        differ.compare(&old.view(), &new.view(), &hint, &mut changes).expect("alike");
        Self { old, new, hint, changes }
    }

    /// A page in a browser of 1500x900 scrolled by 40 pixels, on a screen of `size`.
    fn scroll(size: Size) -> Self {
        let (width, height) = (size.width_px * 3 / 4, size.height_px * 5 / 6);
        let page = text(Size::new(width, height + 100), 3);
        let (mut old, mut new) = (text(size, 4), text(size, 4));
        paste(&mut old, &cut(&page.view(), Rect::new(0, 20, width, height)).view(), 160, 90);
        paste(&mut new, &cut(&page.view(), Rect::new(0, 60, width, height)).view(), 160, 90);
        Self::new(old, new, vec![Rect::new(160, 90, width, height)])
    }

    /// A window of 730x620 dragged over a photograph by (13, -9).
    fn drag() -> Self {
        let (mut old, picture) = (photo(SCREEN, 2), window(Size::new(730, 620), 5));
        let mut new = old.clone();
        paste(&mut old, &picture.view(), 500, 300);
        paste(&mut new, &picture.view(), 513, 291);
        Self::new(old, new, vec![Rect::new(500, 300, 730, 620), Rect::new(513, 291, 730, 620)])
    }

    /// A film over the whole screen: nothing is found.
    fn film() -> Self {
        Self::new(photo(SCREEN, 8), photo(SCREEN, 9), vec![SCREEN.rect()])
    }

    fn find(&self, finder: &mut MoveFinder, moves: &mut Vec<Move>) {
        finder.find(&self.old.view(), &self.new.view(), &self.changes, moves);
    }
}

/// Changes that merge worst: scattered blocks below the share that is one rectangle.
fn scattered(size: Size, percent: u32) -> Changes {
    let (canon, mut next) = (blank(size), blank(size));
    let mut random = Random::new(6);
    for y in (0..size.height_px).step_by(32) {
        for x in (0..size.width_px).step_by(32) {
            if random.below(100) < percent {
                next.fill(Rect::new(x, y, 32, 32), [1, 1, 1, 1]);
            }
        }
    }
    Scene::new(canon, next, vec![size.rect()]).changes
}

/// Eight tiles as typing changes them.
fn eight_tiles(canon: &FrameBuf) -> (FrameBuf, Vec<Rect>) {
    let hint = vec![Rect::new(5 * TILE_PX, 6 * TILE_PX, 8 * TILE_PX, TILE_PX)];
    let mut next = canon.clone();
    next.fill(Rect::new(6 * TILE_PX + 7, 6 * TILE_PX + 20, 9, 13), [0, 0, 0, 0]);
    (next, hint)
}

fn row(name: &str, took: Duration, note: &str) {
    println!("{name:<44} {:>9.1} us   {note}", took.as_secs_f64() * 1e6);
}

fn table(_: &mut Criterion) {
    println!("{:<44} {:>12}   ratio (target)", "case, fastest run", "time");
    for (name, size) in [("1080p", SCREEN), ("4K", UHD)] {
        compare_table(name, size);
    }
    let mut rects = Vec::new();
    for (name, size, target) in [("1080p", SCREEN, 20), ("4K", UHD, 60)] {
        let worst = (1..=60).step_by(3).map(|percent| {
            let changes = scattered(size, percent);
            fastest(|| merge(&changes, &MergeParams::default(), black_box(&mut rects)))
        });
        let name = format!("{name} merge, worst of 20 densities");
        row(&name, worst.max().unwrap_or_default(), &format!("(<= {target} us)"));
    }
    let (mut finder, mut moves) = (MoveFinder::new(Kernel::detect()), Vec::new());
    for (name, scene, target) in [
        ("1080p scroll found and verified", Scene::scroll(SCREEN), "(<= 800 us)"),
        ("4K scroll found and verified", Scene::scroll(UHD), "(<= 3000 us)"),
        ("1080p drag found and verified", Scene::drag(), "(<= 800 us)"),
        ("1080p film, nothing found", Scene::film(), "(bounded)"),
    ] {
        let took = fastest(|| scene.find(&mut finder, black_box(&mut moves)));
        let area: u64 = moves.iter().map(|m| m.dst.area_px()).sum();
        let hinted: u64 = scene.hint.iter().map(|r| r.area_px()).sum();
        let share = area * 100 / hinted;
        row(name, took, &format!("{target}, {} moves, {share} % of the hint", moves.len()));
    }
}

/// Every case walks the same three frames, the two new ones by turns, so that caches help all
/// of them alike; the rounds of the cases take turns, so that a busy neighbour slows all alike.
fn compare_table(name: &str, size: Size) {
    let Frames { canon, same, other } = Frames::new(size);
    let (all, mut changes) = ([size.rect()], Changes::new());
    let bytes = canon.view().data().len() as f64 * 2.0;
    for kernel in Kernel::available() {
        let mut differ = Differ::new(kernel);
        let mut target = canon.clone();
        let [mut read, mut still, mut fused] = [Duration::MAX; 3];
        for _ in 0..RUNS {
            let alike = [canon.view(), same.view()];
            read = read.min(timed(&alike, |next| {
                black_box(read_both(&target.view(), next));
            }));
            still = still.min(timed(&alike, |next| {
                let changes = black_box(&mut changes);
                differ.compare(&target.view(), next, &all, changes).expect("alike");
            }));
            fused = fused.min(timed(&[other.view(), canon.view()], |next| {
                differ.update(&mut target, next, &all, black_box(&mut changes)).expect("alike");
            }));
        }
        let rate = bytes / read.as_secs_f64() / 1e9;
        row(&format!("{name} two-stream read"), read, &format!("{rate:.1} GB/s"));
        let share = read.as_secs_f64() / still.as_secs_f64() * 100.0;
        let label = format!("{name} static compare, {}", kernel.name());
        row(&label, still, &format!("{share:.0} % of the read rate (>= 85 %)"));
        let ratio = fused.as_secs_f64() / still.as_secs_f64();
        let label = format!("{name} all changed, fused, {}", kernel.name());
        row(&label, fused, &format!("{ratio:.2} x static (<= 1.8)"));
        let (next, hint) = eight_tiles(&canon);
        let hinted = fastest(|| {
            let (canon, next) = (canon.view(), next.view());
            differ.compare(&canon, &next, &hint, black_box(&mut changes)).expect("alike");
        });
        row(&format!("{name} hinted 8 tiles, {}", kernel.name()), hinted, "(<= 20 us)");
    }
}

/// The time of one `run` with each of `frames`, on average.
fn timed(frames: &[FrameRef<'_>; 2], mut run: impl FnMut(&FrameRef<'_>)) -> Duration {
    let start = Instant::now();
    frames.iter().for_each(&mut run);
    start.elapsed() / 2
}

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("damage");
    group.sample_size(20).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    for (name, size) in [("1080p", SCREEN), ("4k", UHD)] {
        let frames = Frames::new(size);
        let (canon, same) = (frames.canon.view(), frames.same.view());
        let (mut changes, mut differ) = (Changes::new(), Differ::new(Kernel::detect()));
        group.bench_function(format!("static/{name}"), |b| {
            b.iter(|| differ.compare(&canon, &same, &[size.rect()], &mut changes));
        });
        let (next, hint) = eight_tiles(&frames.canon);
        group.bench_function(format!("hinted_8_tiles/{name}"), |b| {
            b.iter(|| differ.compare(&canon, &next.view(), &hint, &mut changes));
        });
        let (changes, mut rects) = (scattered(size, 20), Vec::new());
        group.bench_function(format!("merge_20_percent/{name}"), |b| {
            b.iter(|| merge(&changes, &MergeParams::default(), &mut rects));
        });
    }
    let (mut finder, mut moves) = (MoveFinder::new(Kernel::detect()), Vec::new());
    for (name, scene) in [("scroll", Scene::scroll(SCREEN)), ("drag", Scene::drag())] {
        group.bench_function(format!("moves/{name}"), |b| {
            b.iter(|| scene.find(&mut finder, &mut moves));
        });
    }
    group.finish();
}

criterion_group!(benches, table, stages);
criterion_main!(benches);
