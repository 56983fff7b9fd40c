//! A batch's bytes, taken apart into its sections.

use crate::DecodeError;
use crate::entropy::Unpacker;
use crate::palette;
use crate::wire::{self, Reader, section};

/// The unpacked sections of the batch at hand.
#[derive(Debug)]
pub(crate) struct Sections {
    pub(crate) ops: Vec<u8>,
    packed: Vec<u8>,
    pub(crate) indices: Vec<u8>,
    /// Bits that an index was packed in.
    pub(crate) bits: u32,
    colours: Vec<u8>,
    /// Whether each colour is one byte.
    gray: bool,
    /// Whether a byte before each colour says how many places it skips.
    skips: bool,
    /// Residuals of green, red minus green, blue minus green.
    pub(crate) planes: [Vec<u8>; 3],
    /// Bytes of access units.
    pub(crate) units: Vec<u8>,
}

impl Sections {
    pub(crate) fn new() -> Self {
        Self {
            ops: Vec::new(),
            packed: Vec::new(),
            indices: Vec::new(),
            bits: 8,
            colours: Vec::new(),
            gray: false,
            skips: false,
            planes: [const { Vec::new() }; 3],
            units: Vec::new(),
        }
    }

    /// Unpacks `batch` into at most `limit` bytes.
    pub(crate) fn parse(
        &mut self,
        batch: &[u8],
        limit: usize,
        unpacker: &mut Unpacker,
    ) -> Result<(), DecodeError> {
        let mut input = Reader::new(batch);
        let format = input.byte()?;
        if format & wire::FORMAT_MASK != wire::FORMAT {
            return Err(DecodeError::Format { found: format });
        }
        let mut budget = Budget { limit, used: 0 };
        self.indices.clear();
        self.colours.clear();
        budget.section(&mut input, unpacker, &mut self.ops)?;
        if format & section::PALETTE != 0 {
            let shape = input.byte()?;
            if shape > 15 {
                return Err(DecodeError::Operation { found: shape });
            }
            (self.gray, self.skips) = (shape & 4 != 0, shape & 8 != 0);
            self.bits = 1 << (shape & 3);
            budget.section(&mut input, unpacker, &mut self.colours)?;
            budget.section(&mut input, unpacker, &mut self.packed)?;
            palette::unpack(&self.packed, self.bits, &mut self.indices);
        }
        let flags = [section::GREEN, section::RED, section::BLUE];
        for (plane, flag) in self.planes.iter_mut().zip(flags) {
            plane.clear();
            if format & flag != 0 {
                budget.section(&mut input, unpacker, plane)?;
            }
        }
        self.units.clear();
        if format & section::UNITS != 0 {
            // Access units are packed already.
            self.units.extend_from_slice(input.take(input.len())?);
        }
        trailing(input.len())
    }
}

/// Takes colours off the front of the planes of the colour section.
pub(crate) struct ColourReader<'a> {
    /// Places skipped, if any are.
    skips: Option<Reader<'a>>,
    /// Green, red minus green, blue minus green, as differences from the colour before; one plane
    /// when the colours are gray.
    planes: [Reader<'a>; 3],
    gray: bool,
    /// The same of the last colour.
    last: [u8; 3],
}

impl<'a> ColourReader<'a> {
    pub(crate) fn new(sections: &'a Sections) -> Self {
        let colours = &sections.colours[..];
        let planes = usize::from(sections.skips) + if sections.gray { 1 } else { 3 };
        let count = colours.len() / planes;
        let (skips, colours) = colours.split_at(if sections.skips { count } else { 0 });
        let (green, rest) = colours.split_at(if sections.gray { colours.len() } else { count });
        let (red, blue) = rest.split_at(rest.len().min(count));
        let planes = [green, red, blue].map(Reader::new);
        let skips = sections.skips.then(|| Reader::new(skips));
        Self { skips, planes, gray: sections.gray, last: [0; 3] }
    }

    pub(crate) fn left(&self) -> usize {
        // the planes are of one length unless the section's is no multiple of their number
        let skips = self.skips.as_ref().map_or(0, Reader::len);
        skips + self.planes.iter().map(Reader::len).sum::<usize>()
    }

    /// How many places the next colour skips, and the colour.
    pub(crate) fn next(&mut self) -> Result<(u8, u32), DecodeError> {
        let skipped = self.skips.as_mut().map_or(Ok(0), Reader::byte)?;
        let planes = if self.gray { 1 } else { 3 };
        for (last, plane) in self.last.iter_mut().zip(&mut self.planes[..planes]) {
            *last = last.wrapping_add(plane.byte()?);
        }
        let [g, red, blue] = self.last;
        let (r, b) = (red.wrapping_add(g), blue.wrapping_add(g));
        Ok((skipped, u32::from_le_bytes([b, g, r, 0xFF])))
    }
}

/// The error of bytes left over, when there are any.
pub(crate) fn trailing(bytes: usize) -> Result<(), DecodeError> {
    if bytes == 0 { Ok(()) } else { Err(DecodeError::Trailing { bytes }) }
}

/// Unpacked bytes that a batch may still announce.
struct Budget {
    limit: usize,
    used: usize,
}

impl Budget {
    fn section(
        &mut self,
        input: &mut Reader<'_>,
        unpacker: &mut Unpacker,
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        let shape = input.varint()?;
        let raw_len = (shape >> 1) as usize;
        self.used = self.used.saturating_add(raw_len);
        if self.used > self.limit {
            return Err(DecodeError::Raw { found: self.used, limit: self.limit });
        }
        out.clear();
        if shape & 1 == 0 {
            out.extend_from_slice(input.take(raw_len)?);
            return Ok(());
        }
        let blocks_len = input.varint()? as usize;
        let blocks = input.take(blocks_len)?;
        out.resize(raw_len, 0);
        unpacker.unpack(blocks, out)
    }
}
