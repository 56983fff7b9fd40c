//! Few rectangles out of many changed blocks.

use crate::Changes;
use crate::bits::{next_run, ones};
use crate::changes::BLOCK_PX;
use farpane_frame::{Rect, TILE_PX};

/// What a rectangle costs and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergeParams {
    /// What one more rectangle costs, in pixels: two are joined when that wastes fewer.
    /// Default 256: about what the encoder spends on one more (the bench `damage` measures 20 for
    /// text and 300 for photographs).
    pub rect_cost_px: u32,
    /// The most rectangles, 1 to 48. Default 40.
    pub max_rects: usize,
    /// Above this share of changed blocks the whole frame is one rectangle. Default 60 %.
    pub whole_above_percent: u32,
}

impl Default for MergeParams {
    fn default() -> Self {
        Self { rect_cost_px: 256, max_rects: 40, whole_above_percent: 60 }
    }
}

/// Replaces `out` by disjoint rectangles that hold all changes but those set aside, each at least
/// one, and are cropped to the changed pixels of their tiles. They may hold pixels that were not
/// compared: read them from the canonical frame.
///
/// Runs of changed blocks are stacked to rectangles, then the cheapest pair is joined while that
/// pays or there are too many. If even the stacks are many, the blocks are taken coarser.
pub fn merge(changes: &Changes, params: &MergeParams, out: &mut Vec<Rect>) {
    out.clear();
    if changes.is_empty() {
        return;
    }
    let size = changes.grid().size();
    let blocks: u32 = changes
        .tiles()
        .iter()
        .flat_map(|tile| [0, 1].map(|half| changes.blocks_to_merge(tile, half).count_ones()))
        .sum();
    let total = size.width_px.div_ceil(BLOCK_PX) * size.height_px.div_ceil(BLOCK_PX);
    if u64::from(blocks) * 100 > u64::from(total) * u64::from(params.whole_above_percent) {
        out.push(size.rect());
        return;
    }
    let mut rects = Rects::stack(changes);
    rects.join(i64::from(params.rect_cost_px), params.max_rects.clamp(1, CANDIDATES));
    out.extend(rects.iter().map(|r| crop(changes, r)));
}

/// Stacks kept at most, fewer than the bits of a word. Joining is quadratic in it.
const CANDIDATES: usize = 48;
/// Words for a row of cells, of a frame as wide as can be.
const ROW_WORDS: usize = (farpane_frame::MAX_DIMENSION_PX / BLOCK_PX / u64::BITS) as usize;

/// Half-open in pixels; wide enough for areas and their differences.
#[derive(Clone, Copy, Debug, Default)]
struct Cells {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Cells {
    fn area(self) -> i64 {
        (self.right - self.left) * (self.bottom - self.top)
    }

    fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    fn overlaps(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Pixels that joining the two adds.
    fn waste(self, other: Self) -> i64 {
        self.union(other).area() - self.area() - other.area()
    }
}

/// Up to [`CANDIDATES`] disjoint rectangles; bit `i` of `alive` says that number `i` is one.
struct Rects {
    cells: [Cells; CANDIDATES],
    alive: u64,
}

impl Rects {
    fn stack(changes: &Changes) -> Self {
        let mut rects = Self { cells: [Cells::default(); CANDIDATES], alive: 0 };
        let mut level = 0;
        while !rects.stack_at(changes, level) {
            level += 1;
        }
        rects
    }

    /// Stacks equal runs of cells of `BLOCK_PX << level` pixels; false when there are too many.
    /// A single cell covers the largest frame, so some level succeeds.
    fn stack_at(&mut self, changes: &Changes, level: u32) -> bool {
        let cell_px = i64::from(BLOCK_PX << level);
        let height = i64::from(changes.grid().size().height_px);
        let (mut count, mut open, mut still_open) = (0, 0u64, 0u64);
        for row in 0..(height + cell_px - 1) / cell_px {
            let bits = cell_row(changes, level, row as u32);
            let mut from = 0;
            while let Some((left, right)) = next_run(&bits, from) {
                from = right;
                let (left, right) = (left as i64 * cell_px, right as i64 * cell_px);
                let above = ones(open).find(|i| {
                    let cells = &self.cells[*i];
                    cells.left == left && cells.right == right
                });
                let index = above.unwrap_or(count);
                if above.is_none() {
                    if count == CANDIDATES {
                        return false;
                    }
                    self.cells[count] = Cells { left, top: row * cell_px, right, bottom: 0 };
                    count += 1;
                }
                self.cells[index].bottom = (row + 1) * cell_px;
                still_open |= 1 << index;
            }
            (open, still_open) = (still_open, 0);
        }
        self.alive = (1 << count) - 1;
        true
    }

    /// Joins the pair that wastes least, as long as it wastes less than `cost` or there are more
    /// than `most`.
    fn join(&mut self, cost: i64, most: usize) {
        let mut partner = [(i64::MAX, 0u8); CANDIDATES];
        for i in ones(self.alive) {
            partner[i] = self.partner(i);
        }
        while self.alive.count_ones() > 1 {
            let Some(i) = ones(self.alive).min_by_key(|i| partner[*i].0) else { return };
            let (waste, j) = partner[i];
            if waste >= cost && self.alive.count_ones() as usize <= most {
                return;
            }
            let died = self.absorb(i, usize::from(j));
            for k in ones(self.alive) {
                if k == i || died >> partner[k].1 & 1 == 1 || usize::from(partner[k].1) == i {
                    partner[k] = self.partner(k);
                } else if k < i {
                    let waste = self.cells[k].waste(self.cells[i]);
                    partner[k] = partner[k].min((waste, i as u8));
                }
            }
        }
    }

    /// The cheapest of the higher-numbered rectangles to join number `i` with.
    fn partner(&self, i: usize) -> (i64, u8) {
        let cells = self.cells[i];
        ones(self.alive & !(!0 >> (63 - i)))
            .map(|j| (cells.waste(self.cells[j]), j as u8))
            .min()
            .unwrap_or((i64::MAX, i as u8))
    }

    /// Joins `j` and all that the union meets into `i`; tells which are gone.
    fn absorb(&mut self, i: usize, j: usize) -> u64 {
        let mut died = 1 << j;
        let mut union = self.cells[i].union(self.cells[j]);
        self.alive &= !died;
        loop {
            let others = self.alive & !(1 << i);
            let Some(k) = ones(others).find(|k| self.cells[*k].overlaps(union)) else { break };
            union = union.union(self.cells[k]);
            died |= 1 << k;
            self.alive &= !(1 << k);
        }
        self.cells[i] = union;
        died
    }

    fn iter(&self) -> impl Iterator<Item = Rect> {
        ones(self.alive).map(|i| {
            let c = self.cells[i];
            Rect::from_edges(c.left as u32, c.top as u32, c.right as u32, c.bottom as u32)
        })
    }
}

/// A bit for each cell of a row of cells that holds a change.
fn cell_row(changes: &Changes, level: u32, row: u32) -> [u64; ROW_WORDS] {
    let mut bits = [0u64; ROW_WORDS];
    let columns = changes.grid().columns();
    if level == 0 {
        for column in 0..columns {
            let pair = changes.blocks_to_merge(row / 2 * columns + column, row % 2);
            bits[(column / 32) as usize] |= pair << (column % 32 * 2);
        }
        return bits;
    }
    let tiles = 1u32 << (level - 1);
    for tile_row in row * tiles..((row + 1) * tiles).min(changes.grid().rows()) {
        for column in 0..columns {
            let changed = changes.tiles().contains(tile_row * columns + column);
            let cell = column >> (level - 1);
            bits[(cell / 64) as usize] |= u64::from(changed) << (cell % 64);
        }
    }
    bits
}

fn crop(changes: &Changes, rect: Rect) -> Rect {
    debug_assert!(rect.x.is_multiple_of(BLOCK_PX) && TILE_PX == 2 * BLOCK_PX);
    changes
        .grid()
        .split(rect)
        .fold(Rect::default(), |all, (tile, part)| all.union(changes.rect(tile).intersect(part)))
}
