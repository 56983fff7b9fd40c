//! What a comparison found: changed tiles, their exact extent and their 32x32 blocks.

use crate::bands::Bands;
use farpane_frame::{Rect, Size, TILE_PX, TileGrid, TileSet};

/// Width and height of a block, a quarter of a tile.
pub(crate) const BLOCK_PX: u32 = 32;
/// The columns of a block, of the left one in a tile.
const BLOCK_MASK: u64 = (1 << BLOCK_PX) - 1;

/// The tiles that changed, each with the bounding box of its changed pixels. Keeps its memory
/// when it is filled again.
#[derive(Clone, Debug)]
pub struct Changes {
    grid: TileGrid,
    changed: TileSet,
    /// Changed tiles that are neither merged nor searched for moves.
    aside: TileSet,
    tiles: Vec<TileChange>,
    compared: Bands,
    hints: Vec<Rect>,
}

/// Columns with a change in the tile's upper and lower half, and rows with one.
#[derive(Clone, Copy, Debug)]
struct TileChange {
    upper: u64,
    lower: u64,
    top: u8,
    bottom: u8,
}

const NOTHING: TileChange = TileChange { upper: 0, lower: 0, top: u8::MAX, bottom: 0 };

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

impl Changes {
    /// No changes, of a picture without size.
    pub fn new() -> Self {
        Self {
            grid: TileGrid::new(Size::default()),
            changed: TileSet::default(),
            aside: TileSet::default(),
            tiles: Vec::new(),
            compared: Bands::default(),
            hints: Vec::new(),
        }
    }

    /// The grid that tile indices refer to.
    pub fn grid(&self) -> TileGrid {
        self.grid
    }

    /// Each changed tile with the smallest rectangle (in frame coordinates) that holds its
    /// changed pixels, row by row.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Rect)> {
        self.changed.iter().map(|tile| (tile, self.extent(tile)))
    }

    /// The same for one row of tiles, without their numbers.
    pub(crate) fn rects_of_row(&self, row: u32) -> impl Iterator<Item = Rect> {
        let first = row * self.grid.columns();
        let tiles = first..first + self.grid.columns();
        tiles.filter(|tile| self.changed.contains(*tile)).map(|tile| self.extent(tile))
    }

    /// The smallest rectangle that holds the changed pixels of tile `index`; empty when there
    /// are none.
    pub fn rect(&self, index: u32) -> Rect {
        if self.changed.contains(index) { self.extent(index) } else { Rect::default() }
    }

    /// The changed tiles.
    pub fn tiles(&self) -> &TileSet {
        &self.changed
    }

    /// Whether the 32x32 block in column `column` and row `row` of the block grid holds a change.
    pub fn block(&self, column: u32, row: u32) -> bool {
        let (tile_column, tile_row) = (column / 2, row / 2);
        tile_column < self.grid.columns()
            && tile_row < self.grid.rows()
            && self.blocks(tile_row * self.grid.columns() + tile_column, row % 2) >> (column % 2)
                & 1
                == 1
    }

    /// Leaves `tiles` out of rectangles and of the search for moves, until the next comparison:
    /// for those in [`crate::Motion`], which are sent as they are anyway.
    pub fn set_aside(&mut self, tiles: &TileSet) {
        self.aside.clear();
        for tile in tiles.iter().filter(|tile| self.changed.contains(*tile)) {
            self.aside.insert(tile);
        }
    }

    /// As [`Changes::iter`], without what was set aside.
    pub(crate) fn searched(&self) -> impl Iterator<Item = (u32, Rect)> {
        self.iter().filter(|(tile, _)| !self.aside.contains(*tile))
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// Pixels in the rectangles of all changed tiles.
    pub fn area_px(&self) -> u64 {
        self.iter().map(|(_, rect)| rect.area_px()).sum()
    }

    /// Forgets all changes.
    pub fn clear(&mut self) {
        for tile in self.changed.iter() {
            self.tiles[tile as usize] = NOTHING;
        }
        self.changed.clear();
        self.aside.clear();
        self.compared.clear();
        self.hints.clear();
    }

    /// Empties it for a comparison of pictures of `size` inside `within`.
    pub(crate) fn start(&mut self, size: Size, within: &[Rect]) {
        if self.grid.size() == size {
            self.clear();
        } else {
            self.grid = TileGrid::new(size);
            self.changed.resize(self.grid.tiles());
            self.aside.resize(self.grid.tiles());
            self.tiles.clear();
            self.tiles.resize(self.grid.tiles() as usize, NOTHING);
        }
        self.compared.rebuild(within, size);
        self.hints.extend(within.iter().map(|r| r.clip(size)).filter(|r| !r.is_empty()));
    }

    /// The rectangles that were compared; they may overlap.
    pub(crate) fn hints(&self) -> &[Rect] {
        &self.hints
    }

    /// The pixels that were compared: where the new frame may be read.
    pub(crate) fn compared(&self) -> &Bands {
        &self.compared
    }

    /// What [`Changes::start`] prepared, and a way to add to it. [`Changes::finish`] follows.
    pub(crate) fn parts(&mut self) -> (&Bands, Recorder<'_>) {
        let columns = self.grid.columns();
        (&self.compared, Recorder { columns, first_row: 0, tiles: &mut self.tiles })
    }

    /// Takes in what recorders added.
    pub(crate) fn finish(&mut self) {
        let columns = self.grid.columns();
        let Some((top, bottom)) = self.compared.rows_bounds() else { return };
        for tile in top / TILE_PX * columns..bottom.div_ceil(TILE_PX) * columns {
            if self.tiles[tile as usize].bottom > 0 {
                self.changed.insert(tile);
            }
        }
    }

    /// Two bits: whether the left and right block of half `half` (0 is the upper) of a tile
    /// changed and was not set aside.
    pub(crate) fn blocks_to_merge(&self, tile: u32, half: u32) -> u64 {
        if self.aside.contains(tile) { 0 } else { self.blocks(tile, half) }
    }

    /// Two bits: whether the left and right block of half `half` (0 is the upper) of a tile
    /// changed.
    fn blocks(&self, tile: u32, half: u32) -> u64 {
        let change = &self.tiles[tile as usize];
        let columns = if half == 0 { change.upper } else { change.lower };
        u64::from(columns as u32 != 0) | u64::from(columns >> 32 != 0) << 1
    }

    fn extent(&self, index: u32) -> Rect {
        let change = &self.tiles[index as usize];
        let columns = change.upper | change.lower;
        let x = index % self.grid.columns() * TILE_PX;
        let y = index / self.grid.columns() * TILE_PX;
        Rect::from_edges(
            x + columns.trailing_zeros(),
            y + u32::from(change.top),
            x + TILE_PX - columns.leading_zeros(),
            y + u32::from(change.bottom),
        )
    }
}

/// Takes the changed pixels of rows of tiles.
pub(crate) struct Recorder<'a> {
    columns: u32,
    first_row: u32,
    tiles: &'a mut [TileChange],
}

impl<'a> Recorder<'a> {
    /// The rows of pixels that it takes, some of which may be below the picture.
    pub(crate) fn rows(&self) -> std::ops::Range<u32> {
        let rows = self.tiles.len() as u32 / self.columns.max(1);
        self.first_row * TILE_PX..(self.first_row + rows) * TILE_PX
    }

    /// Two recorders, the first with half of the rows of tiles; `None` for a single row.
    pub(crate) fn halves(self) -> Result<(Self, Self), Self> {
        let rows = self.tiles.len() / (self.columns as usize).max(1);
        if rows < 2 {
            return Err(self);
        }
        let Self { columns, first_row, tiles } = self;
        let (upper, lower) = tiles.split_at_mut(rows / 2 * columns as usize);
        let below = first_row + rows as u32 / 2;
        let upper = Self { columns, first_row, tiles: upper };
        Ok((upper, Self { columns, first_row: below, tiles: lower }))
    }

    /// Adds the changed pixels of row `y`, a word for each tile from the tile column of `x` on.
    pub(crate) fn add(&mut self, x: u32, y: u32, masks: &[u64]) {
        let first = ((y / TILE_PX - self.first_row) * self.columns + x / TILE_PX) as usize;
        let row = (y % TILE_PX) as u8;
        let is_upper = u32::from(row) < BLOCK_PX;
        for (tile, mask) in self.tiles[first..first + masks.len()].iter_mut().zip(masks) {
            // Without branches: in text nobody foresees which tiles of a row changed.
            let (upper, lower) = if is_upper { (*mask, 0) } else { (0, *mask) };
            let (top, bottom) = if *mask == 0 { (u8::MAX, 0) } else { (row, row + 1) };
            tile.upper |= upper;
            tile.lower |= lower;
            tile.top = tile.top.min(top);
            tile.bottom = tile.bottom.max(bottom);
        }
    }

    /// Whether no further change inside `area`, a part of one tile, would alter what is reported:
    /// the tile's changed rectangle holds it already, and so do its changed blocks.
    pub(crate) fn knows(&self, area: Rect) -> bool {
        let first_row = area.y / TILE_PX - self.first_row;
        let tile = &self.tiles[(first_row * self.columns + area.x / TILE_PX) as usize];
        let (x, y) = (area.x % TILE_PX, area.y % TILE_PX);
        let (left, right) = (x, x + area.width - 1);
        let (top, bottom) = (y, y + area.height - 1);
        if u32::from(tile.top) > top || u32::from(tile.bottom) <= bottom {
            return false;
        }
        let columns = tile.upper | tile.lower;
        let block = |half: u64, x: u32| half >> (x / BLOCK_PX * BLOCK_PX) & BLOCK_MASK != 0;
        let half = |half: u64| block(half, left) && block(half, right);
        columns.trailing_zeros() <= left
            && TILE_PX - columns.leading_zeros() > right
            && (top >= BLOCK_PX || half(tile.upper))
            && (bottom < BLOCK_PX || half(tile.lower))
    }

    /// Sets what changed in a tile that nothing was added to: columns in its upper and in its
    /// lower half, and rows.
    #[cfg(feature = "gpu")]
    pub(crate) fn set(&mut self, tile: u32, upper: u64, lower: u64, rows: u64) {
        if rows != 0 {
            let (top, bottom) = (rows.trailing_zeros() as u8, 64 - rows.leading_zeros() as u8);
            self.tiles[tile as usize] = TileChange { upper, lower, top, bottom };
        }
    }
}
