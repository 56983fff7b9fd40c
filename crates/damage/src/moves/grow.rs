//! Growing a rectangle that matches pixel for pixel.

use super::{Pair, Shift};
use crate::Changes;
use crate::ahead::Memory;
use crate::bands::Span;
use crate::kernel::{MAX_SEGMENTS, Rows, SEGMENT_PX, segments};
use farpane_frame::{Move, Rect};
use std::ops::Range;

/// A walk does not cross more rows without changes than this: comparing them costs as much as
/// what may lie behind them saves.
const MAX_GAP_ROWS: u32 = 64;
/// Rows of a large area are compared so many at a time, from the upper to the lower whichever way
/// the walk goes: memory gives those sooner.
const AHEAD_ROWS: u32 = 64;
const AHEAD_FROM_PX: u64 = 1 << 18;

/// Compares displaced rows, as long as its budget lasts.
#[derive(Debug)]
pub(super) struct Grower {
    rows: &'static Rows,
    /// Rows that were compared already, and what of them matched.
    ahead_rows: Range<u32>,
    ahead: Vec<Option<Span>>,
    bounds: Rect,
    /// For each row of the bounds, and one past: how many rows before it hold changes.
    changed_rows: Vec<u32>,
    budget_px: u64,
    left_px: u64,
}

impl Grower {
    pub(super) fn new(rows: &'static Rows) -> Self {
        Self {
            rows,
            ahead_rows: 0..0,
            ahead: Vec::new(),
            bounds: Rect::default(),
            changed_rows: Vec::new(),
            budget_px: 0,
            left_px: 0,
        }
    }

    /// Begins with other frames: stays inside what changed and compares at most so many pixels.
    pub(super) fn start(&mut self, changes: &Changes, budget_px: u64) {
        self.bounds = changes.iter().fold(Rect::default(), |all, (_, rect)| all.union(rect));
        (self.budget_px, self.left_px) = (budget_px, budget_px);
        self.changed_rows.clear();
        self.changed_rows.resize(self.bounds.height as usize + 1, 0);
        for (_, rect) in changes.iter() {
            let rows = (rect.y - self.bounds.y) as usize..(rect.bottom() - self.bounds.y) as usize;
            self.changed_rows[rows.start + 1..=rows.end].fill(1);
        }
        for row in 1..self.changed_rows.len() {
            self.changed_rows[row] += self.changed_rows[row - 1];
        }
    }

    /// What rows `top` to `bottom` of this width are worth: rows without changes match anywhere
    /// and count nothing.
    fn worth(&self, span: Span, top: u32, bottom: u32) -> u64 {
        let before = |row: u32| self.changed_rows[(row - self.bounds.y) as usize];
        u64::from(span.width()) * u64::from(before(bottom) - before(top))
    }

    pub(super) fn compared_px(&self) -> u64 {
        self.budget_px - self.left_px
    }

    /// The matching columns around `seed` in its row.
    pub(super) fn probe(
        &mut self,
        pair: &Pair<'_>,
        shift: Shift,
        seed: (u32, u32),
        taken: &[Move],
    ) -> Option<Span> {
        let all = Span { left: self.bounds.x, right: self.bounds.right() };
        let walk = Walk { pair, shift, taken, x: seed.0 };
        let columns = walk.columns(seed.1, all, self.bounds)?;
        self.left_px = self.left_px.checked_sub(u64::from(columns.width()))?;
        walk.compare(self.rows, seed.1, columns)
    }

    /// The matching rectangle around `seed` with the most changed rows times columns that a greedy
    /// walk meets: row by row up or down, to where it stays wider. Empty when not even the seed
    /// matches.
    pub(super) fn grow(
        &mut self,
        pair: &Pair<'_>,
        shift: Shift,
        seed: (u32, u32),
        taken: &[Move],
    ) -> Rect {
        let Some(mut span) = self.probe(pair, shift, seed, taken) else { return Rect::default() };
        let (x, rows) = (seed.0, self.bounds.y..self.bounds.bottom());
        let (mut top, mut bottom) = (seed.1, seed.1 + 1);
        let (mut best, mut most) = (area(span, top, bottom), self.worth(span, top, bottom));
        let walk = Walk { pair, shift, taken, x };
        self.ahead_rows = 0..0;
        let up = |this: &mut Self, top: u32, span| {
            let near = top.saturating_sub(MAX_GAP_ROWS).max(rows.start);
            let goes_on = top > rows.start && this.worth(span, near, top) > 0;
            goes_on.then(|| this.step(&walk, top - 1, span, rows.start..top)).flatten()
        };
        let down = |this: &mut Self, bottom: u32, span| {
            let near = (bottom + MAX_GAP_ROWS).min(rows.end);
            let goes_on = bottom < rows.end && this.worth(span, bottom, near) > 0;
            goes_on.then(|| this.step(&walk, bottom, span, bottom..rows.end)).flatten()
        };
        let mut above = up(self, top, span);
        let mut below = down(self, bottom, span);
        while above.is_some() || below.is_some() {
            let width = |run: Option<Span>| run.map_or(0, |run| clip(run, span).width());
            if width(above) > width(below) {
                span = clip(above.unwrap_or(span), span);
                top -= 1;
                above = up(self, top, span);
            } else {
                span = clip(below.unwrap_or(span), span);
                bottom += 1;
                below = down(self, bottom, span);
            }
            let worth = self.worth(span, top, bottom);
            if worth > most {
                (best, most) = (area(span, top, bottom), worth);
            }
            if self.worth(span, rows.start, rows.end) <= most {
                break;
            }
        }
        best
    }

    /// The matching columns of row `y` inside `limit`, of which `to_come` are the rows that may
    /// follow; `None` when the walk's own column does not match or the budget is used up.
    /// Many rows to come are compared some at a time.
    fn step(&mut self, walk: &Walk<'_>, y: u32, limit: Span, to_come: Range<u32>) -> Option<Span> {
        let columns = walk.columns(y, limit, self.bounds)?;
        self.left_px = self.left_px.checked_sub(u64::from(columns.width()))?;
        let is_known = self.ahead_rows.contains(&y);
        let to_come_px = u64::from(limit.width()) * to_come.len() as u64;
        if !is_known && to_come_px >= AHEAD_FROM_PX {
            self.ahead_rows = if y == to_come.start {
                y..to_come.end.min(y + AHEAD_ROWS)
            } else {
                to_come.start.max((y + 1).saturating_sub(AHEAD_ROWS))..y + 1
            };
            let (rows, bounds) = (self.rows, self.bounds);
            let compare = |y| walk.compare(rows, y, walk.columns(y, limit, bounds)?);
            self.ahead.clear();
            self.ahead.extend(self.ahead_rows.clone().map(compare));
        } else if !is_known {
            return walk.compare(self.rows, y, columns);
        }
        let known = self.ahead[(y - self.ahead_rows.start) as usize];
        known.map(|span| clip(span, limit))
    }
}

/// A displacement that is followed from one column.
struct Walk<'a> {
    pair: &'a Pair<'a>,
    shift: Shift,
    /// What is explained already.
    taken: &'a [Move],
    x: u32,
}

impl Walk<'_> {
    /// The columns around its own that may match in row `y`, inside `limit`; `None` when its own
    /// may not.
    fn columns(&self, y: u32, limit: Span, bounds: Rect) -> Option<Span> {
        let Self { pair, shift, taken, x } = *self;
        let size = pair.next.size();
        y.checked_add_signed(-shift.dy).filter(|y| *y < size.height_px)?;
        let mut span = clip(pair.changes.compared().span_at(x, y)?, limit);
        span.left = span.left.max(shift.dx.max(0) as u32);
        span.right = span.right.min(size.width_px.saturating_add_signed(shift.dx.min(0)));
        for dst in taken.iter().map(|m| m.dst).filter(|dst| dst.y <= y && y < dst.bottom()) {
            if dst.right() <= x {
                span.left = span.left.max(dst.right());
            } else {
                span.right = span.right.min(dst.x);
            }
        }
        let is_inside = span.left <= x && x < span.right && bounds.y <= y && y < bounds.bottom();
        is_inside.then_some(span)
    }

    /// Those of `columns` around its own that match in row `y`; `None` when its own does not.
    fn compare(&self, rows: &Rows, y: u32, columns: Span) -> Option<Span> {
        let Self { pair, shift, x, .. } = *self;
        let mut masks = [0; MAX_SEGMENTS];
        let masks = &mut masks[..segments(columns.width() as usize, 0)];
        let new = pair.next.span(columns.left, y, columns.width());
        let (src_x, src_y) =
            (columns.left.checked_add_signed(-shift.dx)?, y.checked_add_signed(-shift.dy)?);
        let old = pair.canon.span(src_x, src_y, columns.width());
        let differs = (rows.compare)(old, new, 0, masks);
        for (frame, x, y) in [(&pair.next, columns.left, y), (&pair.canon, src_x, src_y)] {
            let span = Span { left: x, right: x + columns.width() };
            Memory::from(frame).after_row(y, frame.size().height_px, span);
        }
        if !differs {
            return Some(columns);
        }
        let (from, to) = zeros_around(masks, (x - columns.left) as usize)?;
        let right = columns.right.min(columns.left + to as u32);
        Some(Span { left: columns.left + from as u32, right })
    }
}

impl Span {
    fn width(self) -> u32 {
        self.right - self.left
    }
}

/// The run of zeros that holds bit `bit`; beyond the words all are zero.
fn zeros_around(words: &[u64], bit: usize) -> Option<(usize, usize)> {
    let (at, shift) = (bit / SEGMENT_PX, bit % SEGMENT_PX);
    if words[at] >> shift & 1 == 1 {
        return None;
    }
    let left = (0..=at).rev().find_map(|i| {
        let ones = if i == at { words[i] & ((1 << shift) - 1) } else { words[i] };
        (ones != 0).then(|| (i + 1) * SEGMENT_PX - ones.leading_zeros() as usize)
    });
    let right = (at..words.len()).find_map(|i| {
        let ones = if i == at { words[i] & (!0 << shift) } else { words[i] };
        (ones != 0).then(|| i * SEGMENT_PX + ones.trailing_zeros() as usize)
    });
    Some((left.unwrap_or(0), right.unwrap_or(words.len() * SEGMENT_PX)))
}

/// The columns in both, which share one.
fn clip(a: Span, b: Span) -> Span {
    Span { left: a.left.max(b.left), right: a.right.min(b.right) }
}

fn area(span: Span, top: u32, bottom: u32) -> Rect {
    Rect::from_edges(span.left, top, span.right, bottom)
}
