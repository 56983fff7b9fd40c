//! Finding what only moved.
//!
//! Distinctive anchors of the new frame are looked up among those of the old one; each hit votes
//! for a displacement. From the anchors of the strongest displacements rectangles are grown that
//! match pixel for pixel. So a dragged window is found as well as a scrolled pane or the rest of
//! a line being typed in, several of them at once.

mod anchors;
mod grow;
mod index;
mod votes;

use crate::kernel::Rows;
use crate::{Changes, Kernel, MergeParams, merge};
use anchors::{Reach, Scanner};
use farpane_frame::{FrameRef, Move, Rect};
use grow::Grower;
use index::Index;
use votes::Votes;

/// Finds rectangles of a new frame that are moved copies of the frame before.
///
/// Keeps its scratch memory (about 1 MiB); nothing is allocated once frames stop growing.
#[derive(Debug)]
pub struct MoveFinder {
    rows: &'static Rows,
    scanner: Scanner,
    index: Index,
    votes: Votes,
    grower: Grower,
    areas: Vec<Rect>,
    seeds: Vec<(u32, u32)>,
    stats: MoveStats,
    fruitless: u32,
    skipped: u32,
}

/// What the last search did, for benches and logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoveStats {
    /// Distinctive places of the new frame that were looked for.
    pub anchors: u32,
    /// Places of the old frame that looked the same.
    pub hits: u32,
    /// Displacements with enough votes.
    pub candidates: u32,
    /// Pixels compared to verify and to grow.
    pub compared_px: u64,
}

impl MoveFinder {
    /// The most moves found in a frame.
    pub const MAX_MOVES: usize = 16;
    /// Fewer changed pixels are not searched: sending them is cheaper than searching.
    pub const MIN_CHANGED_PX: u64 = 256;
    /// A move must make at least this many changed pixels right: below, the tile operation that
    /// it saves costs about as much as the move itself.
    pub const MIN_GAIN_PX: u64 = 64;
    /// Displacements tried in a frame; each has the votes of at least two anchors.
    const MAX_CANDIDATES: usize = 12;
    /// Rectangles grown for one displacement, successful or not.
    const MAX_ATTEMPTS: usize = 6;
    /// Anchors whose row is probed to choose where to grow from.
    const PROBES: usize = 8;
    /// Pixels compared at most, for each changed one and on top: bounds the time on content that
    /// votes for much and moves nowhere.
    const BUDGET_PER_CHANGED: u64 = 3;
    const BUDGET_PX: u64 = 1 << 17;
    /// When at most one in so many changed pixels is not explained, the quick search was enough.
    const ENOUGH_OF: u64 = 4;
    /// After so many full searches in vain, only every so manieth frame gets one.
    const FRUITLESS_FRAMES: u32 = 3;
    const FRUITLESS_EVERY: u32 = 4;

    /// A finder that uses `kernel`, or the scalar one if this machine cannot run it.
    pub fn new(kernel: Kernel) -> Self {
        let rows = kernel.rows();
        Self {
            rows,
            scanner: Scanner::new(rows),
            index: Index::new(),
            votes: Votes::new(),
            grower: Grower::new(rows),
            areas: Vec::new(),
            seeds: Vec::with_capacity(index::MAX_ANCHORS),
            stats: MoveStats::default(),
            fruitless: 0,
            skipped: 0,
        }
    }

    /// Replaces `out` by at most [`MoveFinder::MAX_MOVES`] moves, the largest few that explain
    /// `changes`, which a comparison of the same two frames found. Each is verified: all pixels
    /// of `next` in its destination equal those of `canon` in its source. Destinations are
    /// disjoint; sources refer to `canon` as it is, so apply the moves from a copy of it.
    /// `next` is read only where the comparison read it, and destinations lie there.
    ///
    /// Frames of another size than the compared ones have no moves.
    pub fn find(
        &mut self,
        canon: &FrameRef<'_>,
        next: &FrameRef<'_>,
        changes: &Changes,
        out: &mut Vec<Move>,
    ) {
        out.clear();
        self.stats = MoveStats::default();
        let size = changes.grid().size();
        let area_px = changes.searched().map(|(_, rect)| rect.area_px()).sum();
        if canon.size() != size || next.size() != size || area_px < Self::MIN_CHANGED_PX {
            return;
        }
        let params = MergeParams { rect_cost_px: 1 << 14, max_rects: 16, whole_above_percent: 60 };
        merge(changes, &params, &mut self.areas);
        for area in &mut self.areas {
            *area = anchors::with_margin(*area).clip(size);
        }
        self.grower.start(changes, area_px * Self::BUDGET_PER_CHANGED + Self::BUDGET_PX);
        let pair = Pair { canon: *canon, next: *next, changes };
        self.search(&pair, Reach::Strips, out);
        if unexplained_px(changes, out) * Self::ENOUGH_OF <= area_px {
            self.fruitless = 0;
        } else if self.is_worth_all() {
            let before = out.len();
            self.search(&pair, Reach::All, out);
            self.fruitless = if out.len() > before { 0 } else { self.fruitless + 1 };
        }
        self.stats.compared_px = self.grower.compared_px();
    }

    /// What the last [`MoveFinder::find`] did.
    pub fn stats(&self) -> MoveStats {
        self.stats
    }

    /// Whether to look everywhere: not at every frame when that found nothing lately, as in films.
    fn is_worth_all(&mut self) -> bool {
        self.skipped = (self.skipped + 1) % Self::FRUITLESS_EVERY;
        self.fruitless < Self::FRUITLESS_FRAMES || self.skipped == 0
    }

    fn search(&mut self, pair: &Pair<'_>, reach: Reach, out: &mut Vec<Move>) {
        self.vote(pair, reach);
        let candidates = self.votes.rank(&self.index, Self::MAX_CANDIDATES);
        for candidate in 0..candidates {
            self.grow_all(pair, candidate, out);
        }
        self.stats.anchors += self.index.len() as u32;
        self.stats.hits += self.votes.hits() as u32;
        self.stats.candidates += candidates as u32;
    }

    /// Indexes anchors of the new frame and lets those of the old one vote.
    fn vote(&mut self, pair: &Pair<'_>, reach: Reach) {
        self.index.clear();
        self.votes.clear();
        let (new_rows, old_rows) = reach.rows(self.areas.iter().map(|a| a.area_px()).sum());
        for (area, _) in self.areas.iter().flat_map(|area| reach.parts(*area)) {
            for hint in pair.changes.hints() {
                let (index, part) = (&mut self.index, area.intersect(*hint));
                let insert = |x, y, sign| index.insert(x, y, sign);
                self.scanner.scan(&pair.next, part, new_rows, insert);
            }
        }
        if self.index.len() == 0 {
            return;
        }
        for (_, area) in self.areas.iter().flat_map(|area| reach.parts(*area)) {
            let (index, votes) = (&mut self.index, &mut self.votes);
            let add = |x, y, sign| votes.add(index, x, y, sign);
            self.scanner.scan(&pair.canon, area, old_rows, add);
        }
    }

    /// Grows rectangles for one displacement until its anchors are inside moves or given up.
    fn grow_all(&mut self, pair: &Pair<'_>, candidate: usize, out: &mut Vec<Move>) {
        let shift = self.votes.candidates()[candidate];
        self.seeds.clear();
        self.seeds.extend(self.votes.supporters(&self.index, shift));
        let inside = |r: Rect, s: &(u32, u32)| r.contains(Rect::new(s.0, s.1, 1, 1));
        self.seeds.retain(|s| !out.iter().any(|m| inside(m.dst, s)));
        for _ in 0..Self::MAX_ATTEMPTS {
            if self.seeds.len() < votes::MIN_SUPPORTERS || out.len() >= Self::MAX_MOVES {
                return;
            }
            let stride = self.seeds.len().div_ceil(Self::PROBES);
            let probed = self.seeds.iter().step_by(stride).map(|seed| {
                (self.grower.probe(pair, shift, *seed, out).map_or(0, |s| s.right - s.left), *seed)
            });
            let Some((width, seed)) = probed.max_by_key(|p| p.0) else { return };
            if width == 0 {
                return;
            }
            let grown = self.grower.grow(pair, shift, seed, out);
            self.seeds.retain(|s| *s != seed && !inside(grown, s));
            let dst = trim(pair.changes, grown);
            let found = (!dst.is_empty() && gain(self.rows, pair, dst) >= Self::MIN_GAIN_PX)
                .then(|| dst.translate(-shift.dx, -shift.dy))
                .flatten();
            if let Some(src) = found {
                out.push(Move { dst, src_x: src.x, src_y: src.y });
            }
        }
    }
}

/// The frames of a search.
struct Pair<'a> {
    canon: FrameRef<'a>,
    next: FrameRef<'a>,
    changes: &'a Changes,
}

/// A displacement from the old frame to the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shift {
    dx: i32,
    dy: i32,
}

/// Pixels in the rectangles of changed tiles that no move covers.
fn unexplained_px(changes: &Changes, moves: &[Move]) -> u64 {
    let covered = |rect: Rect| moves.iter().map(move |m| m.dst.intersect(rect).area_px());
    changes.searched().map(|(_, rect)| rect.area_px() - covered(rect).sum::<u64>()).sum()
}

/// What of `area` is around changed pixels.
fn trim(changes: &Changes, area: Rect) -> Rect {
    let tiles = changes.grid().split(area);
    tiles.fold(Rect::default(), |all, (tile, part)| all.union(changes.rect(tile).intersect(part)))
}

/// About how many pixels of `dst` changed, from up to about 64 of its rows.
fn gain(rows: &Rows, pair: &Pair<'_>, dst: Rect) -> u64 {
    let step = (dst.height / 64).max(1);
    let mut masks = [0u64; crate::kernel::MAX_SEGMENTS];
    let masks = &mut masks[..crate::kernel::segments(dst.width as usize, 0)];
    let mut changed = 0;
    for y in (dst.y..dst.bottom()).step_by(step as usize) {
        let old = pair.canon.span(dst.x, y, dst.width);
        (rows.compare)(old, pair.next.span(dst.x, y, dst.width), 0, masks);
        changed += masks.iter().map(|m| u64::from(m.count_ones())).sum::<u64>();
    }
    changed * u64::from(step)
}
