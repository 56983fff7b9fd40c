//! The figures to reach, as ratios of the memory bandwidth of the same run where they have one.

use crate::SCREENS;
use crate::cases::{self, Case};
use crate::scene::{Random, blank, photo};
use farpane_benches::{Claim, RUNS, fastest, read_both, row};
use farpane_damage::{Changes, Differ, Kernel, MergeParams, MoveFinder, SHARED_FROM_PX, merge};
use farpane_frame::{FrameBuf, FrameRef, Move, Rect, Size, TILE_PX};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Times that searches are measured anew.
const ROUNDS: usize = 15;

/// Prints every table.
pub(crate) fn tables() -> Vec<Claim> {
    println!("{:<44} {:>12}   ratio (target)", "case, fastest run", "time");
    let mut claims = Vec::new();
    for (name, size) in SCREENS {
        compare_table(name, size, &mut claims);
    }
    for (name, size) in SCREENS.into_iter().filter(|(_, size)| size.area_px() >= SHARED_FROM_PX) {
        claims.push(shared_row(name, size));
    }
    for ((name, size), most_us) in SCREENS.into_iter().zip([20.0, 40.0, 60.0]) {
        let label = format!("{name} merge, worst of 20 densities");
        let worst = (1..=60).step_by(3).map(|percent| {
            let (changes, mut rects) = (scattered(size, percent), Vec::new());
            fastest(|| merge(&changes, &MergeParams::default(), black_box(&mut rects)))
        });
        let worst = worst.max().unwrap_or_default();
        row(&label, worst, &format!("(<= {most_us} us)"));
        claims.push(Claim::time(label, worst, most_us));
    }
    claims.extend(moves_rows());
    claims
}

/// One core against all of them, in turns.
fn shared_row(name: &str, size: Size) -> Claim {
    let (canon, mut changes) = (photo(size, 1), Changes::new());
    let (same, mut differ) = (canon.clone(), Differ::new(Kernel::detect()));
    let pool = rayon::ThreadPoolBuilder::new().build().expect("threads");
    let [mut alone, mut shared] = [Duration::MAX; 2];
    for _ in 0..RUNS {
        let mut compare = || {
            let start = Instant::now();
            let changes = black_box(&mut changes);
            differ.compare(&canon.view(), &same.view(), &[size.rect()], changes).expect("alike");
            start.elapsed()
        };
        alone = alone.min(compare());
        shared = shared.min(pool.install(compare));
    }
    let label = format!("{name} static compare, {} threads", pool.current_num_threads());
    let ratio = shared.as_secs_f64() / alone.as_secs_f64();
    row(&label, shared, &format!("{ratio:.2} x one (< 1)"));
    Claim::new(label, "< 1 x one thread", format!("{ratio:.2} x"), ratio < 1.0)
}

/// The changes of a case.
pub(crate) fn changes_of(case: &Case) -> Changes {
    let (mut changes, [a, b]) = (Changes::new(), &case.frames);
    let mut differ = Differ::new(Kernel::detect());
    differ.compare(&a.view(), &b.view(), &case.hint, &mut changes).expect("alike");
    changes
}

/// A search for moves.
struct Search {
    name: &'static str,
    case: Case,
    changes: Changes,
    finder: MoveFinder,
    moves: Vec<Move>,
    most_us: f64,
    took: Duration,
}

impl Search {
    fn new(name: &'static str, case: Case, most_us: f64) -> Self {
        let (changes, finder) = (changes_of(&case), MoveFinder::new(Kernel::detect()));
        Self { name, case, changes, finder, moves: Vec::new(), most_us, took: Duration::MAX }
    }

    fn measure(&mut self) {
        let Self { finder, changes, moves, case, .. } = self;
        let [old, new] = &case.frames;
        let took = fastest(|| finder.find(&old.view(), &new.view(), changes, black_box(moves)));
        self.took = self.took.min(took);
    }

    fn row(&self) -> Claim {
        let Self { name, most_us, took, .. } = *self;
        let area: u64 = self.moves.iter().map(|m| m.dst.area_px()).sum();
        let share = area * 100 / self.case.hint.iter().map(|rect| rect.area_px()).sum::<u64>();
        let note = format!("(<= {most_us} us), {} moves, {share} % of the hint", self.moves.len());
        row(name, took, &note);
        Claim::time(name, took, most_us)
    }
}

/// The searches take turns over some seconds, as neighbours are busy for as long.
fn moves_rows() -> impl Iterator<Item = Claim> {
    let [full_hd, _, uhd] = SCREENS.map(|(_, size)| size);
    let mut searches = [
        Search::new("1080p scroll found and verified", cases::scroll(full_hd), 800.0),
        Search::new("4K scroll found and verified", cases::scroll(uhd), 3_000.0),
        Search::new("1080p drag found and verified", cases::drag(full_hd), 800.0),
        Search::new("1080p film, nothing found", film(full_hd), 1_000.0),
    ];
    for _ in 0..ROUNDS {
        searches.iter_mut().for_each(Search::measure);
    }
    searches.into_iter().map(|search| search.row())
}

/// A film over the whole screen: nothing is found.
fn film(size: Size) -> Case {
    Case { name: "film", frames: [photo(size, 8), photo(size, 9)], hint: vec![size.rect()] }
}

/// Changes that merge worst: scattered blocks below the share that is one rectangle.
pub(crate) fn scattered(size: Size, percent: u32) -> Changes {
    let (canon, mut next) = (blank(size), blank(size));
    let mut random = Random::new(6);
    for y in (0..size.height_px).step_by(32) {
        for x in (0..size.width_px).step_by(32) {
            if random.below(100) < percent {
                next.fill(Rect::new(x, y, 32, 32), [1, 1, 1, 1]);
            }
        }
    }
    changes_of(&Case { name: "", frames: [canon, next], hint: vec![size.rect()] })
}

/// Eight tiles as typing changes them.
pub(crate) fn eight_tiles(canon: &FrameBuf) -> (FrameBuf, Vec<Rect>) {
    let hint = vec![Rect::new(5 * TILE_PX, 6 * TILE_PX, 8 * TILE_PX, TILE_PX)];
    let mut next = canon.clone();
    next.fill(Rect::new(6 * TILE_PX + 7, 6 * TILE_PX + 20, 9, 13), [0, 0, 0, 0]);
    (next, hint)
}

/// Every case walks the same three frames, the two new ones by turns, so that caches help all
/// of them alike; the rounds of the cases take turns, so that a busy neighbour slows all alike.
/// The kernel that this machine uses has claims.
fn compare_table(name: &str, size: Size, claims: &mut Vec<Claim>) {
    let canon = photo(size, 1);
    let (same, mut other) = (canon.clone(), canon.clone());
    other.data_mut().iter_mut().for_each(|byte| *byte ^= 0x55);
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
        let rate = |took: Duration| format!("{:.1} GB/s", bytes / took.as_secs_f64() / 1e9);
        row(&format!("{name} two-stream read"), read, &rate(read));
        let share = read.as_secs_f64() / still.as_secs_f64() * 100.0;
        let still_label = format!("{name} static compare, {}", kernel.name());
        let share_text = format!("{share:.0} % of the read rate");
        row(&still_label, still, &format!("{}, {share_text} (>= 85 %)", rate(still)));
        let ratio = fused.as_secs_f64() / still.as_secs_f64();
        let fused_label = format!("{name} all changed, fused, {}", kernel.name());
        row(&fused_label, fused, &format!("{}, {ratio:.2} x static (<= 1.8)", rate(fused)));
        let (next, hint) = eight_tiles(&canon);
        let hinted = fastest(|| {
            let (canon, next) = (canon.view(), next.view());
            differ.compare(&canon, &next, &hint, black_box(&mut changes)).expect("alike");
        });
        let hinted_label = format!("{name} hinted 8 tiles, {}", kernel.name());
        row(&hinted_label, hinted, "(<= 20 us)");
        if kernel == Kernel::detect() {
            claims.push(Claim::new(still_label, ">= 85 %", share_text, share >= 85.0));
            let measured = format!("{ratio:.2} x static");
            claims.push(Claim::new(fused_label, "<= 1.8 x static", measured, ratio <= 1.8));
            claims.push(Claim::time(hinted_label, hinted, 20.0));
        }
    }
}

/// The time of one `run` with each of `frames`, on average.
fn timed(frames: &[FrameRef<'_>; 2], mut run: impl FnMut(&FrameRef<'_>)) -> Duration {
    let start = Instant::now();
    frames.iter().for_each(&mut run);
    start.elapsed() / 2
}
