//! One batch in, pixels on the canvas.

use farpane_frame::{FrameBuf, Move, PixelFormat, Rect, TILE_PX, TileGrid};

use crate::DecodeError;
use crate::cache::TileCache;
use crate::entropy::Unpacker;
use crate::palette;
use crate::predict::{self, Predictor};
use crate::sections::{ColourReader, Sections, trailing};
use crate::streams::{MAX_UNIT_BYTES, OpenDecoder, Streams, Taken, UnitHeader};
use crate::strip;
use crate::video::{self, VideoError};
use crate::wire::{self, Reader, kind, tile};

/// Bytes that the sections of a batch may have unpacked: 85 tiles of noise. A sharer closes a
/// batch before (`BatchEncoder::is_full`).
pub const MAX_RAW_BYTES: usize = 1 << 20;

/// Copies in one batch at most. They are compared pairwise for overlap, so their number is
/// kept small; damage detection finds far fewer.
pub const MAX_COPIES: usize = 256;

/// How often a batch may write each pixel of the canvas, on average, by operations other than
/// copies. Once is what an update needs; twice leaves room for a store after a write.
const MAX_WRITES_PER_PIXEL: u64 = 2;

/// What a decoder accepts. The default suits any batch of `BatchEncoder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// Length of a batch, bytes.
    pub batch_bytes: usize,
    /// Length of a batch's sections when unpacked, bytes.
    pub raw_bytes: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { batch_bytes: MAX_RAW_BYTES + 4096, raw_bytes: MAX_RAW_BYTES }
    }
}

/// Applies batches to a canvas, in order, and holds the tile cache they refer to.
///
/// Safe on any input. Memory: the cache ([`crate::CACHE_SLOTS`] slots of
/// [`crate::SLOT_BYTES`], taken as they are stored to), about four times
/// [`DecodeLimits::raw_bytes`], and a copy of the canvas where copies overlap. Work per batch:
/// twice the canvas, and its unpacked length.
pub struct BatchDecoder {
    limits: DecodeLimits,
    cache: TileCache,
    unpacker: Unpacker,
    sections: Sections,
    palette: Box<[u32; palette::MAX_COLOURS]>,
    strip: Vec<(Rect, usize)>,
    moved: Vec<u8>,
    moves: Vec<Move>,
    streams: Streams,
}

impl std::fmt::Debug for BatchDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchDecoder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Default for BatchDecoder {
    fn default() -> Self {
        Self::new(DecodeLimits::default())
    }
}

impl BatchDecoder {
    /// A decoder with an empty cache.
    pub fn new(limits: DecodeLimits) -> Self {
        Self {
            limits,
            cache: TileCache::new(),
            unpacker: Unpacker::new(),
            sections: Sections::new(),
            palette: Box::new([0; palette::MAX_COLOURS]),
            strip: Vec::new(),
            moved: Vec::new(),
            moves: Vec::new(),
            streams: Streams::new(Box::new(video::decoder)),
        }
    }

    /// Opens decoders of video by `open` instead of [`video::decoder`].
    pub fn set_open_decoder(&mut self, open: OpenDecoder) {
        self.streams = Streams::new(open);
    }

    /// Forgets the cache and all video, for a new canvas.
    pub fn clear(&mut self) {
        self.cache.clear();
        self.streams.clear();
    }

    /// A video stream that could not be decoded, and why. Its areas keep what they had; the
    /// sharer must hear of it, and begins anew with a keyframe.
    pub fn poll_failed_stream(&mut self) -> Option<(u8, VideoError)> {
        self.streams.poll_failed()
    }

    /// Applies `batch` to `canvas` and appends the areas it wrote to `damage`.
    ///
    /// # Errors
    /// What is wrong with the batch; see [`DecodeError`] for what then holds. `damage` names
    /// all that was written.
    pub fn decode(
        &mut self,
        batch: &[u8],
        canvas: &mut FrameBuf,
        damage: &mut Vec<Rect>,
    ) -> Result<(), DecodeError> {
        if !matches!(canvas.format(), PixelFormat::Bgrx | PixelFormat::Bgra) {
            return Err(DecodeError::Canvas(canvas.format()));
        }
        if batch.len() > self.limits.batch_bytes {
            let limit = self.limits.batch_bytes;
            return Err(DecodeError::Long { found: batch.len(), limit });
        }
        self.sections.parse(batch, self.limits.raw_bytes, &mut self.unpacker)?;
        let grid = TileGrid::new(canvas.size());
        let tile_px = u64::from(TILE_PX * TILE_PX);
        self.strip.clear();
        let mut run = Run {
            grid,
            canvas,
            damage,
            cache: &mut self.cache,
            moved: &mut self.moved,
            moves: &mut self.moves,
            ops: Reader::new(&self.sections.ops),
            indices: Reader::new(&self.sections.indices),
            planes: self.sections.planes.each_ref().map(|p| Reader::new(p)),
            colours: ColourReader::new(&self.sections),
            palette: &mut self.palette,
            strip: &mut self.strip,
            taken: 0,
            hand: 0,
            last_tile: -1,
            last_colour: 0,
            copied: false,
            work_px: 0,
            work_limit_px: MAX_WRITES_PER_PIXEL * tile_px * u64::from(grid.tiles()),
            units: Reader::new(&self.sections.units),
            streams: &mut self.streams,
            unit: None,
        };
        while !run.ops.is_empty() {
            run.operation()?;
        }
        run.paint_strip()?;
        run.show_held();
        run.finish(self.sections.bits)
    }
}

/// A batch under way.
struct Run<'a> {
    grid: TileGrid,
    canvas: &'a mut FrameBuf,
    damage: &'a mut Vec<Rect>,
    cache: &'a mut TileCache,
    moved: &'a mut Vec<u8>,
    moves: &'a mut Vec<Move>,
    ops: Reader<'a>,
    indices: Reader<'a>,
    planes: [Reader<'a>; 3],
    colours: ColourReader<'a>,
    palette: &'a mut [u32; palette::MAX_COLOURS],
    /// Areas that are painted together, and how many colours each brings.
    strip: &'a mut Vec<(Rect, usize)>,
    /// Places of the palette taken so far, and the place after the one taken last.
    taken: usize,
    hand: u8,
    last_tile: i32,
    last_colour: u32,
    copied: bool,
    work_px: u64,
    work_limit_px: u64,
    units: Reader<'a>,
    streams: &'a mut Streams,
    /// The stream of the access unit in this batch, and what became of the unit.
    unit: Option<(u8, Taken)>,
}

impl Run<'_> {
    fn finish(&self, bits: u32) -> Result<(), DecodeError> {
        let filling = (8 / bits) as usize - 1;
        let indices = self.indices.len();
        trailing(if indices <= filling { 0 } else { indices })?;
        trailing(self.colours.left())?;
        trailing(self.units.len())?;
        trailing(self.planes.iter().map(|p| p.len()).sum())
    }

    fn operation(&mut self) -> Result<(), DecodeError> {
        let op = self.ops.byte()?;
        let unknown = Err(DecodeError::Operation { found: op });
        let kind = op & kind::MASK;
        let known_flags = match kind {
            kind::COPIES | kind::UNIT => 0,
            kind::SOLID => wire::SAME_COLOUR | 0x38,
            kind::PALETTE => wire::NEW_COLOURS | 0x38,
            kind::PREDICTED => 0xF8,
            _ => 0x38,
        };
        if op & !(kind::MASK | known_flags) != 0 {
            return unknown;
        }
        if kind != kind::PALETTE {
            self.paint_strip()?;
        }
        match kind {
            kind::COPIES => self.copies(),
            kind::STORE => self.store(op),
            kind::CACHED => self.cached(op),
            kind::SOLID => self.solid(op),
            kind::PALETTE => self.palette(op),
            kind::PREDICTED => self.predicted(op),
            kind::UNIT => self.unit(op),
            kind::VIDEO => self.video(op),
            _ => unknown,
        }
    }

    /// The tile and area that an operation names; counts the area as work.
    fn place(&mut self, op: u8) -> Result<(Rect, Rect), DecodeError> {
        let delta = match op & tile::MASK {
            tile::NEXT => 1,
            tile::SAME => 0,
            tile::DELTA => wire::unzigzag(self.ops.varint()?),
            _ => return Err(DecodeError::Operation { found: op }),
        };
        let tiles = self.grid.tiles();
        let tile = self.last_tile.wrapping_add(delta);
        if tile < 0 || tile as u32 >= tiles {
            return Err(DecodeError::Tile { found: tile as u32, tiles });
        }
        self.last_tile = tile;
        let bounds = self.grid.rect(tile as u32);
        let area = if op & wire::WHOLE_TILE != 0 { bounds } else { self.part(bounds)? };
        self.work(area)?;
        Ok((bounds, area))
    }

    fn work(&mut self, area: Rect) -> Result<(), DecodeError> {
        self.work_px += area.area_px();
        let limit = self.work_limit_px;
        if self.work_px > limit { Err(DecodeError::Work { limit }) } else { Ok(()) }
    }

    /// Notes that `area` was written by something that no access unit may overwrite later.
    fn wrote(&mut self, area: Rect) {
        self.streams.keep(area);
        self.damage.push(area);
    }

    fn part(&mut self, bounds: Rect) -> Result<Rect, DecodeError> {
        let [a, b, c] = self.ops.array()?;
        let packed = u32::from_le_bytes([a, b, c, 0]);
        let field = |shift: u32| packed >> shift & (TILE_PX - 1);
        let area =
            Rect::new(bounds.x + field(0), bounds.y + field(6), field(12) + 1, field(18) + 1);
        if bounds.contains(area) { Ok(area) } else { Err(DecodeError::Area(area)) }
    }

    fn copies(&mut self) -> Result<(), DecodeError> {
        let (count, size) = (self.ops.varint()? as usize, self.canvas.size());
        let too_many = DecodeError::Copies { limit: MAX_COPIES };
        if count > MAX_COPIES || self.copied {
            return Err(too_many);
        }
        self.copied = true;
        self.moves.clear();
        let mut area_px = 0;
        for _ in 0..count {
            let m = self.one_move()?;
            if !m.fits(size) || m.dst.is_empty() {
                return Err(DecodeError::Area(m.dst));
            }
            area_px += m.dst.area_px();
            self.moves.push(m);
        }
        if area_px > size.area_px() {
            return Err(too_many);
        }
        self.apply_moves();
        for m in &*self.moves {
            self.streams.keep(m.dst);
            self.damage.push(m.dst);
        }
        Ok(())
    }

    fn one_move(&mut self) -> Result<Move, DecodeError> {
        let mut next = || self.ops.varint();
        let dst = [next()?, next()?, next()?, next()?];
        let (dx, dy) = (wire::unzigzag(next()?), wire::unzigzag(next()?));
        let outside = |v: &u32| *v > farpane_frame::MAX_DIMENSION_PX;
        let dst_rect = Rect { x: dst[0], y: dst[1], width: dst[2], height: dst[3] };
        if dst.iter().any(outside) {
            return Err(DecodeError::Area(dst_rect));
        }
        // below 2^14 plus any i32: no overflow in i64
        let source = |at: u32, by: i32| u32::try_from(i64::from(at) - i64::from(by)).ok();
        let (Some(src_x), Some(src_y)) = (source(dst[0], dx), source(dst[1], dy)) else {
            return Err(DecodeError::Area(dst_rect));
        };
        Ok(Move { dst: dst_rect, src_x, src_y })
    }

    /// Runs the moves as if all at once. In order is as good unless one writes what a later one
    /// reads; then the sources are saved first.
    fn apply_moves(&mut self) {
        let moves = &self.moves[..];
        let clash = |(i, m): (usize, &Move)| {
            moves[i + 1..].iter().any(|later| later.src().intersects(m.dst))
        };
        if !moves.iter().enumerate().any(clash) {
            return moves.iter().for_each(|m| self.canvas.move_within(*m));
        }
        self.moved.clear();
        let view = self.canvas.view();
        for m in moves {
            let src = m.src();
            for y in src.y..src.bottom() {
                self.moved.extend_from_slice(view.span(src.x, y, src.width));
            }
        }
        let mut saved = &self.moved[..];
        for m in moves {
            for y in m.dst.y..m.dst.bottom() {
                let row = self.canvas.span_mut(m.dst.x, y, m.dst.width);
                let (head, rest) = saved.split_at(row.len());
                row.copy_from_slice(head);
                saved = rest;
            }
        }
    }

    fn store(&mut self, op: u8) -> Result<(), DecodeError> {
        if op & wire::WHOLE_TILE == 0 {
            return Err(DecodeError::Operation { found: op });
        }
        let (bounds, _) = self.place(op)?;
        let slot = self.ops.varint()?;
        self.cache.store(slot, &self.canvas.view(), bounds)
    }

    fn cached(&mut self, op: u8) -> Result<(), DecodeError> {
        let (bounds, area) = self.place(op)?;
        let slot = self.ops.varint()?;
        let within = Rect { x: area.x - bounds.x, y: area.y - bounds.y, ..area };
        let rows = self.cache.rows(slot, within)?;
        for (y, row) in (area.y..area.bottom()).zip(rows) {
            self.canvas.span_mut(area.x, y, area.width).copy_from_slice(row);
        }
        self.wrote(area);
        Ok(())
    }

    fn solid(&mut self, op: u8) -> Result<(), DecodeError> {
        let (_, area) = self.place(op)?;
        if op & wire::SAME_COLOUR == 0 {
            let [blue, green, red] = self.ops.array()?;
            self.last_colour = u32::from_le_bytes([blue, green, red, 0xFF]);
        }
        self.canvas.fill(area, self.last_colour.to_le_bytes());
        self.wrote(area);
        Ok(())
    }

    fn palette(&mut self, op: u8) -> Result<(), DecodeError> {
        let (_, area) = self.place(op)?;
        let brings = op & wire::NEW_COLOURS != 0;
        let new = if brings { self.ops.varint()? as usize } else { 0 };
        if new > palette::MAX_COLOURS {
            return Err(DecodeError::Palette { colours: new });
        }
        if self.strip.last().is_some_and(|(last, _)| !strip::goes_on(*last, area)) {
            self.paint_strip()?;
        }
        self.strip.push((area, new));
        Ok(())
    }

    /// Paints the areas that stand side by side, whose indices go row by row across all of them.
    fn paint_strip(&mut self) -> Result<(), DecodeError> {
        if self.strip.is_empty() {
            return Ok(());
        }
        let mut rows = strip::Rows::of(self.strip.iter().map(|(area, _)| *area));
        let indices = self.indices.take(rows.len())?;
        for i in 0..self.strip.len() {
            let (area, new) = self.strip[i];
            self.new_colours(new)?;
            // A row may turn out wrong when others are painted.
            self.wrote(area);
            for (y, at) in (area.y..area.bottom()).zip(rows.take(area)) {
                let row = &indices[at];
                palette::check(row, self.taken)?;
                let span = self.canvas.span_mut(area.x, y, area.width);
                for (pixel, index) in span.chunks_exact_mut(4).zip(row) {
                    pixel.copy_from_slice(&self.palette[usize::from(*index)].to_le_bytes());
                }
            }
        }
        self.strip.clear();
        Ok(())
    }

    fn unit(&mut self, op: u8) -> Result<(), DecodeError> {
        let canvas = self.canvas.size();
        let header = UnitHeader::read(&mut self.ops, canvas)?;
        let bytes = self.ops.varint()?;
        if bytes > MAX_UNIT_BYTES {
            return Err(DecodeError::Unit { bytes });
        }
        let unit = self.units.take(bytes as usize)?;
        if self.unit.is_some() {
            return Err(DecodeError::Operation { found: op });
        }
        self.work(header.area)?;
        self.unit = Some((header.stream, self.streams.handle(header, unit, canvas)?));
        Ok(())
    }

    fn video(&mut self, op: u8) -> Result<(), DecodeError> {
        let (_, area) = self.place(op)?;
        match self.unit {
            Some((stream, Taken::Decoded)) => self.show(stream, area),
            Some((stream, Taken::Held)) => {
                self.streams.show_later(stream, area);
                Ok(())
            }
            Some((_, Taken::Dropped)) => Ok(()),
            None => Err(DecodeError::Operation { found: op }),
        }
    }

    /// Copies `area` from the newest picture of a stream.
    fn show(&mut self, stream: u8, area: Rect) -> Result<(), DecodeError> {
        let shown = self.streams.picture(stream).filter(|(_, at)| at.contains(area));
        let (picture, at) = shown.ok_or(DecodeError::Area(area))?;
        let picture = picture.view();
        for y in area.y..area.bottom() {
            let row = picture.span(area.x - at.x, y - at.y, area.width);
            self.canvas.span_mut(area.x, y, area.width).copy_from_slice(row);
        }
        self.damage.push(area);
        Ok(())
    }

    /// Shows what waited for this batch's unit.
    fn show_held(&mut self) {
        let Some((stream, Taken::Decoded)) = self.unit else { return };
        for area in self.streams.release(stream) {
            // Held areas outside of the newest picture were left out.
            let _ = self.show(stream, area);
        }
    }

    fn new_colours(&mut self, new: usize) -> Result<(), DecodeError> {
        for _ in 0..new {
            let (skipped, colour) = self.colours.next()?;
            let place = self.hand.wrapping_add(skipped);
            if usize::from(place) > self.taken {
                return Err(DecodeError::Palette { colours: usize::from(place) });
            }
            self.palette[usize::from(place)] = colour;
            self.taken = self.taken.max(usize::from(place) + 1);
            self.hand = place.wrapping_add(1);
        }
        Ok(())
    }

    fn predicted(&mut self, op: u8) -> Result<(), DecodeError> {
        let (_, area) = self.place(op)?;
        let how = self.ops.byte()?;
        let (by, plain) = (Predictor::from_byte(how & !wire::PLAIN)?, how & wire::PLAIN != 0);
        let (width, len) = (area.width as usize, area.area_px() as usize);
        if plain && op & (wire::RED_IS_GREEN | wire::BLUE_IS_GREEN) != 0 {
            return Err(DecodeError::Predictor { found: how });
        }
        let absent = [false, op & wire::RED_IS_GREEN != 0, op & wire::BLUE_IS_GREEN != 0];
        let mut planes: [Option<std::slice::ChunksExact<'_, u8>>; 3] = [const { None }; 3];
        for (i, plane) in planes.iter_mut().enumerate() {
            if !absent[i] {
                *plane = Some(self.planes[i].take(len)?.chunks_exact(width));
            }
        }
        let mut rows = [[[predict::BIAS; 64]; 3]; 2];
        let zeros = [0u8; 64];
        for (i, y) in (area.y..area.bottom()).enumerate() {
            let residuals = planes
                .each_mut()
                .map(|plane| plane.as_mut().and_then(Iterator::next).unwrap_or(&zeros[..width]));
            let [even, odd] = &mut rows;
            let (above, row) = if i % 2 == 0 { (&*odd, even) } else { (&*even, odd) };
            predict::restore_row(residuals, (i > 0).then_some(above), by, row);
            join_planes(row, plain, self.canvas.span_mut(area.x, y, area.width));
        }
        self.wrote(area);
        Ok(())
    }
}

fn join_planes([green, red, blue]: &[[u8; 64]; 3], plain: bool, span: &mut [u8]) {
    let planes = green.iter().zip(red).zip(blue);
    let pixels = span.chunks_exact_mut(4).zip(planes);
    if plain {
        for (pixel, ((green, red), blue)) in pixels {
            pixel.copy_from_slice(&[*blue, *green, *red, 0xFF]);
        }
        return;
    }
    for (pixel, ((green, red), blue)) in pixels {
        let add = |plane: u8| green.wrapping_add(plane).wrapping_sub(predict::BIAS);
        pixel.copy_from_slice(&[add(*blue), *green, add(*red), 0xFF]);
    }
}
