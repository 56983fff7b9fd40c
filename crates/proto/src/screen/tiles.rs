//! What the sharer knows of the helper's canvas, tile by tile.

use farpane_frame::{Move, Rect, Size, TileGrid, TileSet};

/// One tile of the helper's canvas, as the sharer knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tile {
    /// What the helper lacks and nothing in flight brings. In frame coordinates.
    pub(super) stale: Rect,
    /// What the helper has only nearly, or will once all in flight has arrived. In frame
    /// coordinates.
    pub(super) lossy: Rect,
    /// Batches in flight that write the tile.
    pub(super) flight: u16,
    /// The captured state in which the tile last changed.
    pub(super) changed_state: u64,
    /// When that was.
    pub(super) changed_us: u64,
    /// Whether something of it was lost that no batch has brought since.
    pub(super) lost: bool,
    /// The last batch that wrote pixels to the tile, and which.
    pub(super) writer: u64,
    pub(super) written: Rect,
    /// One more than the last batch that wrote to the tile what it must keep: anything but
    /// access units.
    pub(super) kept_from: u64,
}

/// All tiles.
#[derive(Debug)]
pub(super) struct Tiles {
    grid: TileGrid,
    tiles: Vec<Tile>,
    dirty: TileSet,
    rough: TileSet,
}

impl Tiles {
    /// A canvas of which nothing is known: all stale.
    pub(super) fn new(size: Size, now_us: u64) -> Self {
        let grid = TileGrid::new(size);
        let (mut dirty, rough) = (TileSet::new(grid.tiles()), TileSet::new(grid.tiles()));
        let tiles = (0..grid.tiles())
            .map(|index| {
                dirty.insert(index);
                Tile { stale: grid.rect(index), changed_us: now_us, ..Tile::default() }
            })
            .collect();
        Self { grid, tiles, dirty, rough }
    }

    pub(super) fn grid(&self) -> TileGrid {
        self.grid
    }

    pub(super) fn dirty(&self) -> &TileSet {
        &self.dirty
    }

    /// The tiles of which something is lossy.
    pub(super) fn rough(&self) -> &TileSet {
        &self.rough
    }

    pub(super) fn get(&self, index: u32) -> &Tile {
        &self.tiles[index as usize]
    }

    pub(super) fn get_mut(&mut self, index: u32) -> &mut Tile {
        &mut self.tiles[index as usize]
    }

    /// Makes the stale part of a tile exactly `stale`.
    pub(super) fn set_stale(&mut self, index: u32, stale: Rect) {
        self.tiles[index as usize].stale = stale;
        if stale.is_empty() {
            self.dirty.remove(index);
        } else {
            self.dirty.insert(index);
        }
    }

    /// Makes the lossy part of a tile exactly `lossy`.
    pub(super) fn set_lossy(&mut self, index: u32, lossy: Rect) {
        self.tiles[index as usize].lossy = lossy;
        if lossy.is_empty() {
            self.rough.remove(index);
        } else {
            self.rough.insert(index);
        }
    }

    /// Adds `area` of one tile to what is stale.
    pub(super) fn add_stale(&mut self, index: u32, area: Rect) {
        if !area.is_empty() {
            self.set_stale(index, self.get(index).stale.union(area));
        }
    }

    /// Adds `area` of a tile unless a batch after `batch` has written all of it.
    pub(super) fn lose(&mut self, batch: u64, index: u32, area: Rect) {
        let tile = self.get(index);
        if tile.writer <= batch || !tile.written.contains(area) {
            self.get_mut(index).lost = true;
            self.add_stale(index, area);
        }
    }

    /// Whether something of a tile was lost, which is about to be sent.
    pub(super) fn take_lost(&mut self, index: u32) -> bool {
        std::mem::take(&mut self.get_mut(index).lost)
    }

    /// Adds every part of `area` that no batch after `batch` has written.
    pub(super) fn lose_area(&mut self, batch: u64, area: Rect) {
        for (index, part) in self.grid.split(area) {
            self.lose(batch, index, part);
        }
    }

    /// The stale parts inside `area`.
    pub(super) fn stale_in(&self, area: Rect) -> impl Iterator<Item = Rect> + '_ {
        self.grid
            .split(area)
            .filter(|(index, _)| self.dirty.contains(*index))
            .map(|(index, part)| self.get(index).stale.intersect(part))
            .filter(|rect| !rect.is_empty())
    }

    /// The lossy parts inside `area`.
    fn lossy_in(&self, area: Rect) -> impl Iterator<Item = Rect> + '_ {
        self.grid
            .split(area)
            .filter(|(index, _)| self.rough.contains(*index))
            .map(|(index, part)| self.get(index).lossy.intersect(part))
            .filter(|rect| !rect.is_empty())
    }

    /// Accounts for a new captured state: `changed` differs from the state before, `moves`
    /// explains parts of it. Gives the moves that are worth sending, given what is stale.
    pub(super) fn change(
        &mut self,
        state: u64,
        now_us: u64,
        changed: &[(u32, Rect)],
        moves: &[Move],
        useful: &mut Vec<Move>,
    ) {
        useful.clear();
        let (mut inherited, mut inherited_lossy) = (Vec::new(), Vec::new());
        for m in moves.iter().filter(|m| m.fits(self.grid.size())) {
            let from = inherited.len();
            inherited
                .extend(self.stale_in(m.src()).filter_map(|rect| rect.translate(m.dx(), m.dy())));
            let stale_px: u64 = inherited[from..].iter().map(|r| r.area_px()).sum();
            if stale_px * 2 > m.dst.area_px() {
                inherited.truncate(from);
            } else {
                useful.push(*m);
                let moved = |rect: Rect| rect.translate(m.dx(), m.dy());
                inherited_lossy.extend(self.lossy_in(m.src()).filter_map(moved));
            }
        }
        for (index, area) in changed {
            let tile = self.get_mut(*index);
            (tile.changed_state, tile.changed_us) = (state, now_us);
            self.add_stale(*index, *area);
        }
        // What a copy overwrites is as fresh as what it reads.
        for m in useful.iter() {
            for (index, part) in self.grid.split(m.dst) {
                let tile = self.get_mut(index);
                (tile.changed_state, tile.changed_us) = (state, now_us);
                let (stale, lossy) = (tile.stale, tile.lossy);
                self.set_stale(index, without(stale, part));
                self.set_lossy(index, without(lossy, part));
            }
        }
        for rect in inherited_lossy {
            for (index, part) in self.grid.split(rect) {
                self.set_lossy(index, self.get(index).lossy.union(part));
            }
        }
        for rect in inherited {
            for (index, part) in self.grid.split(rect) {
                self.add_stale(index, part);
            }
        }
    }
}

/// The smallest rectangle around what is left of `rect` without `taken`.
pub(super) fn without(rect: Rect, taken: Rect) -> Rect {
    rect.subtract(taken).into_iter().fold(Rect::default(), Rect::union)
}
