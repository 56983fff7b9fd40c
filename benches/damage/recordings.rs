//! Recorded real applications: how much of what moved is found, and what that saves.

use farpane_benches::{Claim, virtual_time};
use farpane_capture::{CaptureEvent, CaptureSource, Pace, ReplayOptions, ReplaySource};
use farpane_damage::{Changes, Differ, Kernel, MoveFinder};
use farpane_frame::{FrameBuf, FrameRef, Move, PixelFormat, Rect};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The recordings; `benches/data/README.md` says what happens in each.
const NAMES: [&str; 3] = ["scroll", "drag", "pane"];
/// The side of the squares that the independent search looks for.
const SQUARE_PX: u32 = 16;
/// Displacements of a frame that it believes in, each with at least so many squares.
const MAX_SHIFTS: usize = 4;
const MIN_SQUARES: usize = 12;
/// Places of the old frame with the same square that it considers.
const MAX_PLACES: usize = 6;
/// Of what moved, in percent, and by what factor bytes must fall.
const MIN_COVERED_PERCENT: f64 = 90.0;
const MIN_SAVED: f64 = 5.0;

/// Prints what was found in each recording.
pub(crate) fn tables() -> Vec<Claim> {
    println!(
        "\n{:<10} {:>7} {:>14} {:>10} {:>12} {:>12} {:>8}",
        "recording", "frames", "moved px", "found", "bytes with", "without", "saved"
    );
    NAMES.iter().flat_map(|name| table(name)).collect()
}

fn table(name: &str) -> [Claim; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let trace: PathBuf = folder.join(name).with_extension("trace");
    let found = search(&trace);
    let [with, without] = [true, false].map(|moves| {
        let pass = virtual_time::pass(&trace, moves);
        pass.bytes - pass.first_bytes
    });
    let covered = found.covered_px as f64 * 100.0 / found.moved_px.max(1) as f64;
    let saved = without as f64 / with.max(1) as f64;
    println!(
        "{name:<10} {:>7} {:>14} {covered:>9.1}% {with:>12} {without:>12} {saved:>7.1}x",
        found.frames, found.moved_px
    );
    [
        Claim::new(
            format!("{name}, recorded: moved pixels that moves cover"),
            format!(">= {MIN_COVERED_PERCENT} %"),
            format!("{covered:.1} % of {}", found.moved_px),
            found.moved_px > 0 && covered >= MIN_COVERED_PERCENT,
        ),
        Claim::new(
            format!("{name}, recorded: encoded bytes without moves"),
            format!(">= {MIN_SAVED} x those with"),
            format!("{saved:.1} x, {without} of {with}"),
            saved >= MIN_SAVED,
        ),
    ]
}

/// What a recording came to.
#[derive(Default)]
struct Found {
    frames: u32,
    /// Changed pixels that an exhaustive search finds elsewhere in the frame before.
    moved_px: u64,
    /// Those of them inside of moves.
    covered_px: u64,
}

fn search(trace: &Path) -> Found {
    let options = ReplayOptions { pace: Pace::AsFastAsPossible, repeat: false };
    let mut source = ReplaySource::open(trace, options).expect("the recording is there");
    let kernel = Kernel::detect();
    let (mut differ, mut finder) = (Differ::new(kernel), MoveFinder::new(kernel));
    let (mut changes, mut moves) = (Changes::new(), Vec::new());
    let mut canon: Option<FrameBuf> = None;
    let mut found = Found::default();
    loop {
        let frame = match source.next(Duration::ZERO).expect("a whole recording") {
            CaptureEvent::Frame(frame) => frame,
            CaptureEvent::Ended => return found,
            _ => continue,
        };
        found.frames += 1;
        let next = frame.pixels.view();
        let Some(canon) = &mut canon else {
            let mut first = FrameBuf::new(next.size(), PixelFormat::Bgrx).expect("a valid size");
            first.copy_from(&next, next.size().rect());
            canon = Some(first);
            continue;
        };
        let whole = [next.size().rect()];
        differ.compare(&canon.view(), &next, &whole, &mut changes).expect("alike");
        finder.find(&canon.view(), &next, &changes, &mut moves);
        count(&canon.view(), &next, &changes, &moves, &mut found);
        differ.apply(canon, &next, &changes).expect("alike");
    }
}

/// Counts changed pixels of squares that are elsewhere in the old frame, displaced as many others
/// of this frame are.
fn count(
    old: &FrameRef<'_>,
    new: &FrameRef<'_>,
    changes: &Changes,
    moves: &[Move],
    found: &mut Found,
) {
    let squares = changed_squares(new, changes);
    if squares.len() < MIN_SQUARES {
        return;
    }
    let wanted: HashMap<u64, Vec<usize>> = group(squares.iter().map(|(_, hash)| *hash));
    let mut places: Vec<Vec<(u32, u32)>> = vec![Vec::new(); squares.len()];
    each_square(old, |x, y, hash| {
        for square in wanted.get(&hash).into_iter().flatten() {
            if places[*square].len() < MAX_PLACES {
                places[*square].push((x, y));
            }
        }
    });
    let shift = |square: usize, at: (u32, u32)| {
        let (x, y) = (squares[square].0.x as i32, squares[square].0.y as i32);
        (x - at.0 as i32, y - at.1 as i32)
    };
    let mut votes: HashMap<(i32, i32), usize> = HashMap::new();
    for (square, places) in places.iter().enumerate() {
        places.iter().for_each(|at| *votes.entry(shift(square, *at)).or_default() += 1);
    }
    votes.retain(|shift, count| *shift != (0, 0) && *count >= MIN_SQUARES);
    let mut ranked: Vec<_> = votes.into_iter().collect();
    ranked.sort_unstable_by_key(|(shift, count)| (std::cmp::Reverse(*count), *shift));
    ranked.truncate(MAX_SHIFTS);
    for (square, places) in places.iter().enumerate() {
        let moved = |at: &(u32, u32)| ranked.iter().any(|(s, _)| *s == shift(square, *at));
        if places.iter().any(moved) {
            count_pixels(old, new, squares[square].0, moves, found);
        }
    }
}

fn count_pixels(
    old: &FrameRef<'_>,
    new: &FrameRef<'_>,
    square: Rect,
    moves: &[Move],
    found: &mut Found,
) {
    for (x, y) in pixels(square).filter(|(x, y)| old.rgb(*x, *y) != new.rgb(*x, *y)) {
        let pixel = Rect::new(x, y, 1, 1);
        found.moved_px += 1;
        found.covered_px += u64::from(moves.iter().any(|m| m.dst.contains(pixel)));
    }
}

fn pixels(area: Rect) -> impl Iterator<Item = (u32, u32)> {
    (area.y..area.bottom()).flat_map(move |y| (area.x..area.right()).map(move |x| (x, y)))
}

/// Squares of a grid in which something changed and that are not of one colour in any row or
/// column, with their hashes.
fn changed_squares(new: &FrameRef<'_>, changes: &Changes) -> Vec<(Rect, u64)> {
    let size = new.size();
    let mut squares = Vec::new();
    for y in (0..size.height_px / SQUARE_PX).map(|row| row * SQUARE_PX) {
        for x in (0..size.width_px / SQUARE_PX).map(|column| column * SQUARE_PX) {
            let square = Rect::new(x, y, SQUARE_PX, SQUARE_PX);
            if changes.block(x / 32, y / 32) && is_distinctive(new, square) {
                squares.push((square, hash(new, square)));
            }
        }
    }
    squares
}

/// Whether a square has enough detail that finding it elsewhere means something.
fn is_distinctive(picture: &FrameRef<'_>, square: Rect) -> bool {
    let edges = |(x, y): (u32, u32)| x > square.x && picture.rgb(x, y) != picture.rgb(x - 1, y);
    pixels(square).filter(|at| edges(*at)).count() >= 24
}

const ROW_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const COLUMN_FACTOR: u64 = 0xc2b2_ae3d_27d4_eb4f;

fn colour(picture: &FrameRef<'_>, x: u32, y: u32) -> u64 {
    let [red, green, blue] = picture.rgb(x, y).map(u64::from);
    (red << 16 | green << 8 | blue).wrapping_mul(0x2545_f491_4f6c_dd1d)
}

/// The hash that [`each_square`] rolls.
fn hash(picture: &FrameRef<'_>, square: Rect) -> u64 {
    (square.y..square.bottom()).fold(0u64, |all, y| {
        let row = (square.x..square.right())
            .fold(0u64, |row, x| row.wrapping_mul(ROW_FACTOR).wrapping_add(colour(picture, x, y)));
        all.wrapping_mul(COLUMN_FACTOR).wrapping_add(row)
    })
}

/// The hash of every square of the picture, by rolling along rows and then down columns.
fn each_square(picture: &FrameRef<'_>, mut found: impl FnMut(u32, u32, u64)) {
    let (size, side) = (picture.size(), SQUARE_PX as usize);
    let power = |factor: u64| (0..side).fold(1u64, |all, _| all.wrapping_mul(factor));
    let (row_power, column_power) = (power(ROW_FACTOR), power(COLUMN_FACTOR));
    let width = size.width_px as usize;
    if width < side || (size.height_px as usize) < side {
        return;
    }
    let mut rows: Vec<Vec<u64>> = Vec::new();
    let mut columns = vec![0u64; width + 1 - side];
    for y in 0..size.height_px {
        let colours: Vec<u64> = (0..size.width_px).map(|x| colour(picture, x, y)).collect();
        let mut rolled = Vec::with_capacity(columns.len());
        let mut sum = 0u64;
        for x in 0..width {
            sum = sum.wrapping_mul(ROW_FACTOR).wrapping_add(colours[x]);
            if x >= side {
                sum = sum.wrapping_sub(colours[x - side].wrapping_mul(row_power));
            }
            if x + 1 >= side {
                rolled.push(sum);
            }
        }
        let leaving = (rows.len() == side).then(|| rows.remove(0));
        for (x, column) in columns.iter_mut().enumerate() {
            *column = column.wrapping_mul(COLUMN_FACTOR).wrapping_add(rolled[x]);
            if let Some(leaving) = &leaving {
                *column = column.wrapping_sub(leaving[x].wrapping_mul(column_power));
            }
        }
        rows.push(rolled);
        if rows.len() == side {
            let top = y + 1 - SQUARE_PX;
            (0..).zip(&columns).for_each(|(x, hash)| found(x, top, *hash));
        }
    }
}

/// The numbers of the items with each value.
fn group(items: impl Iterator<Item = u64>) -> HashMap<u64, Vec<usize>> {
    let mut groups: HashMap<u64, Vec<usize>> = HashMap::new();
    items.enumerate().for_each(|(number, item)| groups.entry(item).or_default().push(number));
    groups
}
