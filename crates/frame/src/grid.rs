//! The grid of 64x64 tiles over a picture, and sets of tiles.

use crate::{Rect, Size};

/// Width and height of a tile. Tiles at the right and lower edge may be smaller.
pub const TILE_PX: u32 = 64;

/// The tiles that cover a picture, numbered row by row from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileGrid {
    size: Size,
    columns: u32,
    rows: u32,
}

impl TileGrid {
    /// The grid over a picture of `size`.
    pub const fn new(size: Size) -> Self {
        Self {
            size,
            columns: size.width_px.div_ceil(TILE_PX),
            rows: size.height_px.div_ceil(TILE_PX),
        }
    }

    /// The picture's size.
    pub const fn size(self) -> Size {
        self.size
    }

    /// Tiles in a row.
    pub const fn columns(self) -> u32 {
        self.columns
    }

    /// Rows of tiles.
    pub const fn rows(self) -> u32 {
        self.rows
    }

    /// How many tiles there are; their indices are `0..tiles()`.
    pub const fn tiles(self) -> u32 {
        self.columns * self.rows
    }

    /// The pixels of tile `index`; empty for an index outside the grid.
    pub fn rect(self, index: u32) -> Rect {
        if index >= self.tiles() {
            return Rect::default();
        }
        let (column, row) = (index % self.columns, index / self.columns);
        Rect::new(column * TILE_PX, row * TILE_PX, TILE_PX, TILE_PX).clip(self.size)
    }

    /// The tile that holds the pixel (`x`, `y`), which must be inside the picture.
    pub const fn tile_at(self, x: u32, y: u32) -> u32 {
        (y / TILE_PX) * self.columns + x / TILE_PX
    }

    /// Each tile that `area` touches with the part of `area` inside it, row by row.
    pub fn split(self, area: Rect) -> impl Iterator<Item = (u32, Rect)> + Clone {
        let area = area.clip(self.size);
        let columns =
            if area.is_empty() { 0..0 } else { area.x / TILE_PX..area.right().div_ceil(TILE_PX) };
        let rows = area.y / TILE_PX..area.bottom().div_ceil(TILE_PX);
        rows.flat_map(move |row| {
            columns.clone().map(move |column| {
                let index = row * self.columns + column;
                (index, self.rect(index).intersect(area))
            })
        })
    }
}

/// A set of tiles as a bitmap. Does not allocate after [`TileSet::resize`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileSet {
    words: Vec<u64>,
    tiles: u32,
}

impl TileSet {
    /// An empty set over `tiles` tiles.
    pub fn new(tiles: u32) -> Self {
        let mut set = Self::default();
        set.resize(tiles);
        set
    }

    /// Empties the set and makes it range over `tiles` tiles.
    pub fn resize(&mut self, tiles: u32) {
        self.words.clear();
        self.words.resize(tiles.div_ceil(64) as usize, 0);
        self.tiles = tiles;
    }

    /// Adds tile `index`; true when it was not in the set. An index outside is ignored.
    pub fn insert(&mut self, index: u32) -> bool {
        if index >= self.tiles {
            return false;
        }
        let (word, bit) = (&mut self.words[(index / 64) as usize], 1u64 << (index % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Removes tile `index`; true when it was in the set.
    pub fn remove(&mut self, index: u32) -> bool {
        let was = self.contains(index);
        if was {
            self.words[(index / 64) as usize] &= !(1u64 << (index % 64));
        }
        was
    }

    /// Whether tile `index` is in the set.
    pub fn contains(&self, index: u32) -> bool {
        index < self.tiles && self.words[(index / 64) as usize] >> (index % 64) & 1 == 1
    }

    /// Empties the set.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// How many tiles are in the set.
    pub fn len(&self) -> u32 {
        self.words.iter().map(|w| w.count_ones()).sum()
    }

    /// Whether no tile is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// The tiles in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(i, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(i as u32 * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_partition_the_picture() {
        for size in [Size::new(1, 1), Size::new(64, 64), Size::new(65, 130), Size::new(1920, 1080)]
        {
            let grid = TileGrid::new(size);
            let area: u64 = (0..grid.tiles()).map(|t| grid.rect(t).area_px()).sum();
            assert_eq!(area, size.area_px());
            assert_eq!(grid.split(size.rect()).count() as u32, grid.tiles());
        }
    }

    #[test]
    fn split_covers_exactly_the_area() {
        let grid = TileGrid::new(Size::new(200, 150));
        let area = Rect::new(60, 63, 80, 200);
        let parts: Vec<_> = grid.split(area).collect();
        assert_eq!(
            parts.iter().map(|(_, r)| r.area_px()).sum::<u64>(),
            area.clip(grid.size()).area_px()
        );
        for (tile, part) in parts {
            assert!(grid.rect(tile).contains(part) && area.contains(part));
            assert_eq!(grid.tile_at(part.x, part.y), tile);
        }
        assert_eq!(grid.split(Rect::new(500, 0, 10, 10)).count(), 0);
    }

    #[test]
    fn a_set_holds_what_was_inserted() {
        let mut set = TileSet::new(130);
        assert!(set.insert(0) && set.insert(64) && set.insert(129));
        assert!(!set.insert(64) && !set.insert(130));
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 64, 129]);
        assert!(set.remove(64) && !set.remove(64));
        assert_eq!(set.len(), 2);
        set.clear();
        assert!(set.is_empty());
    }
}
