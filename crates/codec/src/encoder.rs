//! Operations in, one batch out.

use farpane_frame::{FrameRef, Move, Rect, TileGrid};

use crate::cell::Cell;
use crate::entropy::{Content, Effort, Packer};
use crate::ops::OpWriter;
use crate::palette::{self, NewColour, Palette};
use crate::predict::{Predictor, forward};
use crate::reduction::{Memo, Reduction};
use crate::strip::Strips;
use crate::wire::{self, kind, put_varint, section};
use crate::{BatchStats, MAX_RAW_BYTES, UnitHeader};

/// A cell coded by palette has at least this many pixels for each colour it brings; with more
/// colours the palette would cost more than it saves.
const PX_PER_NEW_COLOUR: usize = 4;

/// What a whole tile can add to a batch's sections at most: three planes and its operation.
const TILE_RAW_BYTES: usize = 3 * 64 * 64 + 64;

/// Builds batches, one after the other: [`BatchEncoder::begin`], operations in the order in
/// which the helper shall apply them, [`BatchEncoder::finish`].
///
/// Keeps its memory from batch to batch and allocates nothing once it has seen its largest.
/// One encoder belongs to one thread at a time; batches are independent, so several encoders
/// can work on one update.
pub struct BatchEncoder {
    ops: OpWriter,
    cell: Box<Cell>,
    memo: Memo,
    palette: Palette,
    /// Colours in the order in which cells bring them.
    colours: Vec<NewColour>,
    indices: Vec<u8>,
    strips: Strips,
    /// The indices strip by strip.
    joined: Vec<u8>,
    /// What a palette section is put together in.
    scratch: Vec<u8>,
    /// Residuals of green, red minus green, blue minus green.
    planes: [Vec<u8>; 3],
    /// Bytes of an access unit.
    units: Vec<u8>,
    packer: Packer,
    stats: BatchStats,
}

impl Default for BatchEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchEncoder {
    /// An encoder with an empty batch for an empty grid.
    pub fn new() -> Self {
        Self {
            ops: OpWriter::default(),
            cell: Box::new(Cell::new()),
            memo: Memo::new(),
            palette: Palette::new(),
            colours: Vec::new(),
            indices: Vec::new(),
            strips: Strips::default(),
            joined: Vec::new(),
            scratch: Vec::new(),
            planes: [const { Vec::new() }; 3],
            units: Vec::new(),
            packer: Packer::new(),
            stats: BatchStats::default(),
        }
    }

    /// Starts a batch for a canvas with this grid; what was not finished is dropped.
    ///
    /// Stores, cached areas and pixels of one batch shall together name at most twice as many
    /// pixels as the tiles of the canvas have: decoders refuse more.
    pub fn begin(&mut self, grid: TileGrid) {
        self.ops.begin(grid);
        self.palette.clear();
        self.memo.clear();
        self.packer.set_effort(Effort::Quick);
        self.colours.clear();
        self.indices.clear();
        self.strips.clear();
        self.planes.iter_mut().for_each(Vec::clear);
        self.units.clear();
        self.stats = BatchStats::default();
    }

    /// What bytes are worth of this batch: [`Effort::Quick`] unless said otherwise.
    pub fn set_effort(&mut self, effort: Effort) {
        self.packer.set_effort(effort);
    }

    /// Whether no operation was added since [`BatchEncoder::begin`].
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Bytes of the batch's differences between neighbouring pixels, before they are packed: of
    /// all content they compress least.
    pub fn differences_bytes(&self) -> usize {
        self.planes.iter().map(Vec::len).sum()
    }

    /// Whether another tile may bring the batch above [`MAX_RAW_BYTES`], which decoders refuse.
    pub fn is_full(&self) -> bool {
        let bytes = self.ops.len() + self.indices.len() + self.differences_bytes();
        bytes + TILE_RAW_BYTES > MAX_RAW_BYTES
    }

    /// Moves pixels inside the canvas. All copies of a batch run at the place of the first one
    /// and read the canvas as it is there, whatever their order and overlap. Their destinations
    /// shall not overlap, and there may be [`crate::MAX_COPIES`] of them.
    pub fn copy(&mut self, m: Move) {
        self.stats.copies += 1;
        self.ops.copy(m);
    }

    /// Puts `tile` of the canvas, as it is at this point of the batch, into the helper's cache.
    /// `slot` is below [`crate::CACHE_SLOTS`].
    pub fn store(&mut self, tile: u32, slot: u16) {
        self.stats.stores += 1;
        self.ops.tile_op(kind::STORE, tile, None);
        put_varint(self.ops.bytes(), u32::from(slot));
    }

    /// Writes `area` of the canvas, which lies inside `tile`, from the same place within the
    /// tile that was stored in `slot`.
    pub fn cached(&mut self, slot: u16, tile: u32, area: Rect) {
        self.stats.cached += 1;
        self.ops.tile_op(kind::CACHED, tile, Some(area));
        put_varint(self.ops.bytes(), u32::from(slot));
    }

    /// Brings an access unit of at most [`crate::MAX_UNIT_BYTES`], the only one of this batch.
    pub fn unit(&mut self, header: &UnitHeader, unit: &[u8]) {
        let UnitHeader { stream, codec, index, needs, area } = *header;
        self.stats.units += 1;
        let bytes = self.ops.bytes();
        bytes.extend_from_slice(&[kind::UNIT, stream, codec.to_byte()]);
        let bounds = [area.x, area.y, area.width, area.height];
        for number in [index, needs].into_iter().chain(bounds).chain([unit.len() as u32]) {
            put_varint(bytes, number);
        }
        self.units.extend_from_slice(unit);
    }

    /// Writes `area`, which lies inside `tile` and inside the area of this batch's unit, from the
    /// picture of the unit.
    pub fn video(&mut self, tile: u32, area: Rect) {
        self.stats.video += 1;
        self.ops.tile_op(kind::VIDEO, tile, Some(area));
    }

    /// Fills `area`, which lies inside one tile, with a colour: red, green and blue.
    ///
    /// # Panics
    /// When `area` is empty or crosses a tile's edge.
    pub fn solid(&mut self, area: Rect, colour: [u8; 3]) {
        let tile = self.ops.tile_of(area);
        self.stats.solid += 1;
        self.stats.raw_bytes += 4 * area.area_px();
        self.ops.solid(tile, area, colour);
    }

    /// Writes `area`, which lies inside one tile, as `frame` has it: exactly, in the cheapest
    /// of the three ways that its content allows.
    ///
    /// # Panics
    /// When `area` is empty, leaves `frame`, or crosses a tile's edge.
    pub fn pixels(&mut self, frame: &FrameRef<'_>, area: Rect) {
        self.cell_of(frame, area, None);
    }

    /// The same with fewer colours and perhaps less detail, and packed more thoroughly: it is for
    /// slow paths.
    ///
    /// # Panics
    /// As [`BatchEncoder::pixels`].
    pub fn reduced_pixels(&mut self, frame: &FrameRef<'_>, area: Rect, reduction: &Reduction) {
        self.packer.set_effort(Effort::Thorough);
        self.cell_of(frame, area, Some(reduction));
    }

    fn cell_of(&mut self, frame: &FrameRef<'_>, area: Rect, reduction: Option<&Reduction>) {
        if let Some(colour) = frame.uniform(area) {
            return self.solid(area, colour);
        }
        let tile = self.ops.tile_of(area);
        self.stats.raw_bytes += 4 * area.area_px();
        self.cell.load(frame, area);
        if let Some(reduction) = reduction {
            reduction.coarsen(self.cell.pixels_mut(), area.width as usize);
            self.memo.reduce(self.cell.pixels_mut(), reduction);
        }
        if !self.palette(tile, area) {
            self.predicted(tile, area);
        }
    }

    /// Codes the loaded cell with the palette; false when it brings too many colours.
    fn palette(&mut self, tile: u32, area: Rect) -> bool {
        let (pixels, known) = (self.cell.pixels(), self.colours.len());
        let limit = palette::MAX_COLOURS.min(pixels.len().div_ceil(PX_PER_NEW_COLOUR));
        if !self.palette.map(pixels, limit, &mut self.indices, &mut self.colours) {
            return false;
        }
        let count = (self.colours.len() - known) as u32;
        let flags = if count > 0 { wire::NEW_COLOURS } else { 0 };
        let before = self.ops.len();
        self.ops.tile_op(kind::PALETTE | flags, tile, Some(area));
        if count > 0 {
            put_varint(self.ops.bytes(), count);
        }
        self.strips.push(area, before, self.ops.len());
        self.stats.palette += 1;
        true
    }

    fn predicted(&mut self, tile: u32, area: Rect) {
        self.stats.predicted += 1;
        let width = area.width as usize;
        let equal = self.cell.split_differences();
        let by = forward::choose(self.cell.planes()[0], width);
        let mut how = by as u8;
        if equal == [false; 2] {
            let differences = colour_cost(&self.cell, width, by);
            self.cell.split_plain();
            if colour_cost(&self.cell, width, by) < differences {
                how |= wire::PLAIN;
            } else {
                self.cell.split_differences();
            }
        }
        let mut flags = kind::PREDICTED;
        let [green, red, blue] = self.cell.planes();
        forward::residuals(green, width, by, &mut self.planes[0]);
        for (plane, out, equal, flag) in
            [(red, 1, equal[0], wire::RED_IS_GREEN), (blue, 2, equal[1], wire::BLUE_IS_GREEN)]
        {
            if equal {
                flags |= flag;
            } else {
                forward::residuals(plane, width, by, &mut self.planes[out]);
            }
        }
        self.ops.tile_op(flags, tile, Some(area));
        self.ops.bytes().push(how);
    }

    /// Appends the batch to `out` and leaves an empty one for the same grid.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> BatchStats {
        let start = out.len();
        let mut format = wire::FORMAT;
        if !self.indices.is_empty() {
            format |= section::PALETTE;
        }
        let flags = [section::GREEN, section::RED, section::BLUE];
        for (plane, flag) in self.planes.iter().zip(flags) {
            if !plane.is_empty() {
                format |= flag;
            }
        }
        if !self.units.is_empty() {
            format |= section::UNITS;
        }
        out.push(format);
        self.packer.section(self.ops.finish(), Content::Symbols, out);
        if !self.indices.is_empty() {
            self.palette_section(out);
        }
        for plane in &self.planes {
            if !plane.is_empty() {
                self.packer.section(plane, Content::Residuals, out);
            }
        }
        out.extend_from_slice(&self.units);
        let stats = BatchStats { coded_bytes: (out.len() - start) as u64, ..self.stats };
        self.begin(self.ops.grid());
        stats
    }

    fn palette_section(&mut self, out: &mut Vec<u8>) {
        let (colours, bits) = (&self.colours[..], palette::index_bits(self.palette.taken()));
        let gray = colours.iter().all(|c| c.colour == (c.colour & 0xFF) * 0x01_01_01);
        let in_order = colours.iter().all(|c| c.skipped == 0);
        let shape = u8::from(!in_order) << 3 | u8::from(gray) << 2 | bits.ilog2() as u8;
        out.push(shape);
        self.scratch.clear();
        if !in_order {
            self.scratch.extend(colours.iter().map(|c| c.skipped));
        }
        let planes: [fn([u8; 4]) -> u8; 3] =
            [|[_, g, ..]| g, |[_, g, r, _]| r.wrapping_sub(g), |[b, g, ..]| b.wrapping_sub(g)];
        for plane in &planes[..if gray { 1 } else { 3 }] {
            let mut last = 0;
            self.scratch.extend(colours.iter().map(|c| {
                let value = plane(c.colour.to_le_bytes());
                value.wrapping_sub(std::mem::replace(&mut last, value))
            }));
        }
        self.packer.section(&self.scratch, Content::Symbols, out);
        self.joined.clear();
        self.strips.join(&self.indices, &mut self.joined);
        let packed = palette::pack(&self.joined, bits, &mut self.scratch);
        self.packer.section(packed, Content::Symbols, out);
    }
}

/// What the planes of red and blue cost.
fn colour_cost(cell: &Cell, width: usize, by: Predictor) -> u32 {
    let [_, red, blue] = cell.planes();
    forward::cost(red, width, by) + forward::cost(blue, width, by)
}
