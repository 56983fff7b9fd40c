//! Writing of operation headers.

use farpane_frame::{Move, Rect, TILE_PX, TileGrid};

use crate::wire::{SAME_COLOUR, WHOLE_TILE, kind, put_varint, tile, zigzag};

/// The operations section of a batch under construction.
#[derive(Debug)]
pub(crate) struct OpWriter {
    grid: TileGrid,
    bytes: Vec<u8>,
    copies: Vec<u8>,
    copy_count: u32,
    /// Where in `bytes` the copies go: where the first one came.
    copies_at: usize,
    joined: Vec<u8>,
    /// The tile of the last operation; the first tile's predecessor at the start.
    last_tile: i32,
    last_colour: Option<[u8; 3]>,
}

impl Default for OpWriter {
    fn default() -> Self {
        Self {
            grid: TileGrid::new(Default::default()),
            bytes: Vec::new(),
            copies: Vec::new(),
            copy_count: 0,
            copies_at: 0,
            joined: Vec::new(),
            last_tile: -1,
            last_colour: None,
        }
    }
}

impl OpWriter {
    pub(crate) fn begin(&mut self, grid: TileGrid) {
        self.grid = grid;
        self.bytes.clear();
        self.copies.clear();
        self.copy_count = 0;
        self.last_tile = -1;
        self.last_colour = None;
    }

    pub(crate) fn grid(&self) -> TileGrid {
        self.grid
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.copy_count == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.copies.len()
    }

    /// Where the arguments of the last operation go.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The tile that `area` lies in.
    ///
    /// # Panics
    /// When it is empty or crosses a tile's edge.
    pub(crate) fn tile_of(&self, area: Rect) -> u32 {
        let inside = !area.is_empty() && self.grid.size().rect().contains(area);
        assert!(inside, "{area:?} is empty or leaves the canvas");
        let tile = self.grid.tile_at(area.x, area.y);
        assert!(self.grid.rect(tile).contains(area), "{area:?} crosses a tile's edge");
        tile
    }

    pub(crate) fn copy(&mut self, m: Move) {
        if self.copy_count == 0 {
            self.copies_at = self.bytes.len();
        }
        self.copy_count += 1;
        for value in [m.dst.x, m.dst.y, m.dst.width, m.dst.height, zigzag(m.dx()), zigzag(m.dy())] {
            put_varint(&mut self.copies, value);
        }
    }

    /// Writes kind and flags, tile and, unless it is the whole tile, area.
    pub(crate) fn tile_op(&mut self, kind: u8, tile: u32, area: Option<Rect>) {
        let bounds = self.grid.rect(tile);
        let part = area.filter(|a| *a != bounds);
        let whole = if part.is_some() { 0 } else { WHOLE_TILE };
        let delta = tile as i32 - self.last_tile;
        self.last_tile = tile as i32;
        let named = match delta {
            0 => tile::SAME,
            1 => tile::NEXT,
            _ => tile::DELTA,
        };
        self.bytes.push(kind | whole | named);
        if named == tile::DELTA {
            put_varint(&mut self.bytes, zigzag(delta));
        }
        if let Some(part) = part {
            let inside = (part.x % TILE_PX) | (part.y % TILE_PX) << 6;
            let packed = inside | (part.width - 1) << 12 | (part.height - 1) << 18;
            self.bytes.extend_from_slice(&packed.to_le_bytes()[..3]);
        }
    }

    /// Fills `area` with a colour: red, green and blue.
    pub(crate) fn solid(&mut self, tile: u32, area: Rect, colour: [u8; 3]) {
        if self.last_colour == Some(colour) {
            return self.tile_op(kind::SOLID | SAME_COLOUR, tile, Some(area));
        }
        self.last_colour = Some(colour);
        self.tile_op(kind::SOLID, tile, Some(area));
        let [red, green, blue] = colour;
        self.bytes.extend_from_slice(&[blue, green, red]);
    }

    /// All operations in order, the copies at the place of the first.
    pub(crate) fn finish(&mut self) -> &[u8] {
        if self.copy_count == 0 {
            return &self.bytes;
        }
        let (before, after) = self.bytes.split_at(self.copies_at);
        self.joined.clear();
        self.joined.extend_from_slice(before);
        self.joined.push(kind::COPIES);
        put_varint(&mut self.joined, self.copy_count);
        self.joined.extend_from_slice(&self.copies);
        self.joined.extend_from_slice(after);
        &self.joined
    }
}
