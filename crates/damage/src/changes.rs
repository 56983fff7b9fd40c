//! What a comparison found: changed tiles, their exact extent and their 32x32 blocks.

use crate::bands::Bands;
use farpane_frame::{Rect, Size, TILE_PX, TileGrid, TileSet};

/// Width and height of a block, a quarter of a tile.
pub(crate) const BLOCK_PX: u32 = 32;

/// The tiles that changed, each with the bounding box of its changed pixels. Keeps its memory
/// when it is filled again.
#[derive(Clone, Debug)]
pub struct Changes {
    grid: TileGrid,
    changed: TileSet,
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

    /// What [`Changes::start`] prepared, and a way to add to it.
    pub(crate) fn parts(&mut self) -> (&Bands, Recorder<'_>) {
        let columns = self.grid.columns();
        (&self.compared, Recorder { columns, changed: &mut self.changed, tiles: &mut self.tiles })
    }

    /// Two bits: whether the left and right block of half `half` (0 is the upper) of a tile
    /// changed.
    pub(crate) fn blocks(&self, tile: u32, half: u32) -> u64 {
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

/// Takes the changed pixels of rows.
pub(crate) struct Recorder<'a> {
    columns: u32,
    changed: &'a mut TileSet,
    tiles: &'a mut [TileChange],
}

impl Recorder<'_> {
    /// Adds the changed pixels of row `y`, a word for each tile from the tile column of `x` on.
    pub(crate) fn add(&mut self, x: u32, y: u32, masks: &[u64]) {
        let first = y / TILE_PX * self.columns + x / TILE_PX;
        let row = (y % TILE_PX) as u8;
        let tiles = &mut self.tiles[first as usize..first as usize + masks.len()];
        for (index, (tile, mask)) in (first..).zip(tiles.iter_mut().zip(masks)) {
            if *mask == 0 {
                continue;
            }
            if tile.bottom == 0 {
                self.changed.insert(index);
            }
            if u32::from(row) < BLOCK_PX {
                tile.upper |= mask;
            } else {
                tile.lower |= mask;
            }
            tile.top = tile.top.min(row);
            tile.bottom = tile.bottom.max(row + 1);
        }
    }
}
