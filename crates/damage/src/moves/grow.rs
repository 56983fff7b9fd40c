//! Growing a rectangle that matches pixel for pixel.

use super::{Pair, Shift};
use crate::Changes;
use crate::bands::Span;
use crate::kernel::{MAX_SEGMENTS, Rows, SEGMENT_PX, segments};
use farpane_frame::{Move, Rect};

/// A walk does not cross more rows without changes than this: comparing them costs as much as
/// what may lie behind them saves.
const MAX_GAP_ROWS: u32 = 64;

/// Compares displaced rows, as long as its budget lasts.
#[derive(Debug)]
pub(super) struct Grower {
    rows: &'static Rows,
    masks: Vec<u64>,
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
            masks: vec![0; MAX_SEGMENTS],
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
        self.run(pair, shift, taken, seed, all)
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
        let up = |this: &mut Self, top: u32, span| {
            let near = top.saturating_sub(MAX_GAP_ROWS).max(rows.start);
            let goes_on = top > rows.start && this.worth(span, near, top) > 0;
            goes_on.then(|| this.run(pair, shift, taken, (x, top - 1), span)).flatten()
        };
        let down = |this: &mut Self, bottom: u32, span| {
            let near = (bottom + MAX_GAP_ROWS).min(rows.end);
            let goes_on = bottom < rows.end && this.worth(span, bottom, near) > 0;
            goes_on.then(|| this.run(pair, shift, taken, (x, bottom), span)).flatten()
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

    /// The matching columns around `x` in row `y` and inside `limit`; `None` when that pixel does
    /// not match, is not known, or the budget is used up.
    fn run(
        &mut self,
        pair: &Pair<'_>,
        shift: Shift,
        taken: &[Move],
        (x, y): (u32, u32),
        limit: Span,
    ) -> Option<Span> {
        let size = pair.next.size();
        let src_y = y.checked_add_signed(-shift.dy).filter(|y| *y < size.height_px)?;
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
        if x < span.left || x >= span.right || y < self.bounds.y || y >= self.bounds.bottom() {
            return None;
        }
        self.left_px = self.left_px.checked_sub(u64::from(span.width()))?;
        let words = segments(span.width() as usize, 0);
        let masks = &mut self.masks[..words];
        let new = pair.next.span(span.left, y, span.width());
        let src_x = span.left.checked_add_signed(-shift.dx)?;
        let old = pair.canon.span(src_x, src_y, span.width());
        if !(self.rows.compare)(old, new, 0, masks) {
            return Some(span);
        }
        let (from, to) = zeros_around(masks, (x - span.left) as usize)?;
        let right = span.right.min(span.left + to as u32);
        Some(Span { left: span.left + from as u32, right })
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
