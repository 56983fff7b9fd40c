//! Distinctive places of a picture that look the same wherever they move.
//!
//! A place is chosen by its surroundings alone: where something begins after a flat stretch, or
//! where brightness follows a rare pattern (in photographs nothing is flat). Its signature is
//! made of the edges in a patch of 32x7 pixels, three rows of it.

use crate::ahead;
use crate::kernel::{MAX_SEGMENTS, Rows, SEGMENT_PX, segments};
use farpane_frame::{FrameRef, Rect};

/// Pixels of a patch from the anchor rightwards.
const PATCH_WIDTH: u32 = 32;
/// Distance of the three rows of a patch; the anchor is in the lowest.
const PATCH_STEP: u32 = 3;
/// Flat pixels before an anchor: the gap between words, not between letters.
const CONTEXT: u32 = 8;
/// Edges that a patch needs; fewer are rules, frames and blank paper, alike in many places.
const MIN_EDGES: u32 = 6;
/// Rows whose edges are kept: more than a patch is high, and a power of two.
const RING: usize = 8;
/// How many periods ahead memory is asked for, where bands are single rows.
const AHEAD_PERIODS: u32 = 8;
/// One in so many rows is searched at least.
const MAX_PERIOD: u32 = 8;

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// In narrow columns of wide areas: a third of the work. Finds what moved up or down, and
    /// at most [`STRIP_REACH`] sideways.
    Strips,
    /// Everywhere.
    All,
}

/// Columns whose anchors are looked for in a strip, and how far sideways.
const STRIP_WIDTH: u32 = 64;
const STRIP_REACH: u32 = 32;
/// An area that is at least this wide has two strips, or one for each that many columns, up to
/// a number.
const STRIP_DISTANCE: u32 = 640;
const MAX_STRIPS: u32 = 3;

/// Which rows to search: the first `band` of each `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lattice {
    period: u32,
    band: u32,
}

impl Lattice {
    /// The searched of the rows from `top` to before `bottom`.
    fn rows(self, top: u32, bottom: u32) -> impl Iterator<Item = u32> {
        let bands = (top..bottom).step_by(self.period as usize);
        bands.flat_map(move |y| y..(y + self.band).min(bottom))
    }

    /// Asks for the memory of what is to be searched a while after row `y`.
    fn ask_ahead(self, frame: &FrameRef<'_>, area: Rect, y: u32) {
        let ahead = y + self.period * if self.band > 1 { 1 } else { AHEAD_PERIODS };
        // The upper rows of a patch may have been the lowest of others.
        let new_rows = if PATCH_STEP.is_multiple_of(self.period) { 1 } else { 3 };
        for row in (0..new_rows).map(|i| ahead - i * PATCH_STEP).filter(|row| *row < area.bottom())
        {
            ahead::row(frame.span(area.x, row, area.width));
        }
    }
}

impl Reach {
    /// The rows of the new frame and of the old one to search, for areas of `area_px` together.
    /// Some thousand words of text are plenty, and in strips some hundred are.
    pub(super) fn rows(self, area_px: u64) -> (Lattice, Lattice) {
        let plenty_px = if self == Self::All { 1 << 18 } else { 3 << 17 };
        let period = ((area_px / plenty_px) as u32).clamp(1, MAX_PERIOD);
        if period <= PATCH_STEP {
            return (Lattice { period, band: 1 }, Lattice { period: 1, band: 1 });
        }
        // However far a band has moved, one of its rows comes to one in so many of the old ones.
        let bands = Lattice { period: period * PATCH_STEP, band: PATCH_STEP };
        (bands, Lattice { period: PATCH_STEP, band: 1 })
    }

    /// The parts of `area` to search, first in the new frame and then in the old one.
    pub(super) fn parts(self, area: Rect) -> impl Iterator<Item = (Rect, Rect)> {
        let strips = match self {
            Self::Strips if area.width >= STRIP_DISTANCE => {
                (area.width / STRIP_DISTANCE).clamp(2, MAX_STRIPS)
            }
            _ => 0,
        };
        let whole = (strips == 0).then_some((area, area));
        let strip = move |i: u32| {
            let left = area.x + area.width * (2 * i + 1) / (2 * strips) - STRIP_WIDTH / 2;
            let right = left + STRIP_WIDTH + PATCH_WIDTH;
            let columns = |left: u32, right: u32| {
                Rect::from_edges(left, area.y, right, area.bottom()).intersect(area)
            };
            (
                columns(left - 1 - CONTEXT, right),
                columns(left - 1 - CONTEXT - STRIP_REACH, right + STRIP_REACH),
            )
        };
        whole.into_iter().chain((0..strips).map(strip))
    }
}

/// `area` and as much around it as the patch of an anchor inside needs.
pub(super) fn with_margin(area: Rect) -> Rect {
    let above = area.y.min(2 * PATCH_STEP);
    let left = area.x.min(2 * CONTEXT);
    Rect::from_edges(
        area.x - left,
        area.y - above,
        area.right() + PATCH_WIDTH + CONTEXT,
        area.bottom() + 1,
    )
}

/// Walks over pictures row by row. Keeps the edges of the last rows.
#[derive(Debug)]
pub(super) struct Scanner {
    rows: &'static Rows,
    ring: Vec<Edges>,
}

/// Bit `i`: whether the area's pixel `i + 1` differs from, and is greater than, pixel `i`. One
/// more word, of zeros, follows the row's.
#[derive(Clone, Debug)]
struct Edges {
    y: Option<u32>,
    differs: [u64; MAX_SEGMENTS + 1],
    greater: [u64; MAX_SEGMENTS + 1],
}

impl Scanner {
    pub(super) fn new(rows: &'static Rows) -> Self {
        let words = [0; MAX_SEGMENTS + 1];
        let edges = Edges { y: None, differs: words, greater: words };
        Self { rows, ring: vec![edges; RING] }
    }

    /// Reports each anchor of the rows of `area` in `lattice` with its signature:
    /// `found(x, y, sign)`.
    pub(super) fn scan(
        &mut self,
        frame: &FrameRef<'_>,
        area: Rect,
        lattice: Lattice,
        mut found: impl FnMut(u32, u32, u64),
    ) {
        if area.width < CONTEXT + PATCH_WIDTH || area.height <= 2 * PATCH_STEP {
            return;
        }
        self.ring.iter_mut().for_each(|edges| edges.y = None);
        for y in lattice.rows(area.y + 2 * PATCH_STEP, area.bottom()) {
            lattice.ask_ahead(frame, area, y);
            for row in [y - 2 * PATCH_STEP, y - PATCH_STEP, y] {
                self.find_edges(frame, area, row);
            }
            let patch = [y, y - PATCH_STEP, y - 2 * PATCH_STEP].map(|y| &self.ring[slot(y)]);
            let words = segments(area.width as usize - 1, 0);
            for word in 0..words {
                let mut anchors = anchors(patch[0], word);
                while anchors != 0 {
                    let bit = anchors.trailing_zeros();
                    anchors &= anchors - 1;
                    if let Some(sign) = signature(patch, word, bit) {
                        found(area.x + 1 + (word * SEGMENT_PX) as u32 + bit, y, sign);
                    }
                }
            }
        }
    }

    fn find_edges(&mut self, frame: &FrameRef<'_>, area: Rect, y: u32) {
        let edges = &mut self.ring[slot(y)];
        if edges.y == Some(y) {
            return;
        }
        edges.y = Some(y);
        let words = segments(area.width as usize - 1, 0);
        let row = frame.span(area.x, y, area.width);
        (self.rows.edges)(row, &mut edges.differs[..words], &mut edges.greater[..words]);
        edges.differs[words] = 0;
        edges.greater[words] = 0;
    }
}

fn slot(y: u32) -> usize {
    y as usize % RING
}

/// The anchors in a word of a row.
fn anchors(row: &Edges, word: usize) -> u64 {
    if row.differs[word] == 0 {
        return 0;
    }
    let with_before = |words: &[u64]| {
        let before = if word == 0 { 0 } else { words[word - 1] };
        u128::from(words[word]) << 64 | u128::from(before)
    };
    let (differs, greater) = (with_before(&row.differs), with_before(&row.greater));
    let mut near = differs << 1;
    near |= near << 1;
    near |= near << 2;
    near |= near << 4;
    let begins = differs & !near;
    let g = greater;
    let rare =
        g & !(g << 1) & (g << 2) & (g << 3) & !(g << 4) & !(g << 5) & (g << 6) & (differs << 1);
    let found = ((begins | rare) >> 64) as u64;
    if word == 0 { found & (!0 << CONTEXT) } else { found }
}

/// What the patch at an anchor looks like; `None` when it has too few edges to tell.
fn signature(patch: [&Edges; 3], word: usize, bit: u32) -> Option<u64> {
    const FACTORS: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];
    let mut edges = 0;
    let mut sign = 0u64;
    for (row, factor) in patch.into_iter().zip(FACTORS) {
        let differs = bits(&row.differs, word, bit);
        let both = u64::from(differs) | u64::from(bits(&row.greater, word, bit)) << 32;
        edges += differs.count_ones();
        sign = (sign.rotate_left(23) ^ both).wrapping_mul(factor);
    }
    sign ^= sign >> 29;
    (edges >= MIN_EDGES).then(|| sign.wrapping_mul(FACTORS[0]) ^ sign >> 32)
}

/// [`PATCH_WIDTH`] bits from bit `bit` of word `word` on.
fn bits(words: &[u64], word: usize, bit: u32) -> u32 {
    let both = u128::from(words[word + 1]) << 64 | u128::from(words[word]);
    (both >> bit) as u32
}
