//! Reads traces, whoever made them.

use super::{
    FLAG_SHAPE, FLAG_VISIBLE, KIND_CURSOR, KIND_FRAME, KIND_SIZE, MAGIC, MAX_TRACE_PX, TraceError,
    VERSION, WINDOW_LOG,
};
use crate::{CursorShape, CursorUpdate};
use farpane_frame::{FrameBuf, Rect, Region, Size};
use std::io::{BufReader, Read};
use std::sync::Arc;

/// One record of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceRecord {
    /// A generation begins: the picture has this size, and is black.
    Size(Size),
    /// The picture changed in these rectangles.
    Frame(Region),
    /// The pointer changed.
    Cursor(CursorUpdate),
}

/// Reads a trace record by record.
///
/// The input is not trusted: nothing panics, one record costs at most as much as a whole
/// picture, and the memory used is the window of the compression (8 MiB) and what the caller
/// lets become of [`TraceRecord::Size`], which is at most [`MAX_TRACE_PX`] pixels.
pub struct TraceReader<R: Read> {
    input: zstd::stream::read::Decoder<'static, BufReader<R>>,
    size: Option<Size>,
    time_us: u64,
    records: u64,
    row: Vec<u8>,
}

impl<R: Read> TraceReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When `input` cannot be read, is no trace or one of another version.
    pub fn new(mut input: R) -> Result<Self, TraceError> {
        let mut magic = [0; 8];
        input.read_exact(&mut magic)?;
        if magic != MAGIC {
            return Err(TraceError::Magic(magic));
        }
        let mut version = [0; 2];
        input.read_exact(&mut version)?;
        let found = u16::from_le_bytes(version);
        if found != VERSION {
            return Err(TraceError::Version { found, known: VERSION });
        }
        let mut input = zstd::stream::read::Decoder::new(input)?;
        input.window_log_max(WINDOW_LOG)?;
        Ok(Self { input, size: None, time_us: 0, records: 0, row: Vec::new() })
    }

    /// The next record with its time, in microseconds since the first one; `None` at the end.
    /// Pixels go to `picture`, which the caller must make of the size that the last
    /// [`TraceRecord::Size`] told; those that do not fit are dropped.
    ///
    /// # Errors
    /// When the input cannot be read or is damaged; the trace is then of no further use.
    pub fn read(
        &mut self,
        picture: &mut FrameBuf,
    ) -> Result<Option<(u64, TraceRecord)>, TraceError> {
        let mut kind = [0];
        loop {
            match self.input.read(&mut kind) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let pause_us = u32::from_le_bytes(self.bytes()?);
        self.time_us += u64::from(pause_us);
        let record = match kind[0] {
            KIND_SIZE => TraceRecord::Size(self.read_size()?),
            KIND_FRAME => TraceRecord::Frame(self.read_frame(picture)?),
            KIND_CURSOR => TraceRecord::Cursor(self.read_cursor()?),
            _ => return Err(self.damaged("its kind is unknown")),
        };
        self.records += 1;
        Ok(Some((self.time_us, record)))
    }

    fn read_size(&mut self) -> Result<Size, TraceError> {
        let size = Size::new(self.u16()?, self.u16()?);
        if !size.is_valid() || size.area_px() > MAX_TRACE_PX {
            return Err(TraceError::Size(size));
        }
        self.size = Some(size);
        Ok(size)
    }

    fn read_frame(&mut self, picture: &mut FrameBuf) -> Result<Region, TraceError> {
        let size = self.size.ok_or_else(|| self.damaged("it comes before any size"))?;
        let count = self.u16()? as usize;
        if count == 0 || count > Region::MAX_RECTS {
            return Err(self.damaged("its number of rectangles is out of range"));
        }
        let mut region = Region::new();
        let mut rects = [Rect::default(); Region::MAX_RECTS];
        let mut area_px = 0;
        for rect in &mut rects[..count] {
            *rect = Rect::new(self.u16()?, self.u16()?, self.u16()?, self.u16()?);
            if rect.is_empty() || !size.rect().contains(*rect) {
                return Err(TraceError::Outside { rect: *rect, size });
            }
            area_px += rect.area_px();
            region.add(*rect);
        }
        if area_px > size.area_px() {
            return Err(self.damaged("its rectangles hold more than the picture"));
        }
        for rect in &rects[..count] {
            self.read_pixels(*rect, picture)?;
        }
        Ok(region)
    }

    fn read_pixels(&mut self, rect: Rect, picture: &mut FrameBuf) -> Result<(), TraceError> {
        self.row.resize(rect.width as usize * 3, 0);
        for y in rect.y..rect.bottom() {
            self.input.read_exact(&mut self.row)?;
            let fits = Rect::new(rect.x, y, rect.width, 1).clip(picture.size());
            if fits.is_empty() {
                continue;
            }
            let to = picture.span_mut(fits.x, y, fits.width).chunks_exact_mut(4);
            for (to, from) in to.zip(self.row.chunks_exact(3)) {
                to[..3].copy_from_slice(from);
            }
        }
        Ok(())
    }

    fn read_cursor(&mut self) -> Result<CursorUpdate, TraceError> {
        let (x, y) = (i32::from_le_bytes(self.bytes()?), i32::from_le_bytes(self.bytes()?));
        let [flags] = self.bytes()?;
        if flags & !(FLAG_VISIBLE | FLAG_SHAPE) != 0 {
            return Err(self.damaged("its flags are unknown"));
        }
        let shape = if flags & FLAG_SHAPE != 0 { Some(Arc::new(self.read_shape()?)) } else { None };
        Ok(CursorUpdate { x, y, visible: flags & FLAG_VISIBLE != 0, shape })
    }

    fn read_shape(&mut self) -> Result<CursorShape, TraceError> {
        let serial = u64::from_le_bytes(self.bytes()?);
        let [width, height] = [self.u16()?, self.u16()?];
        let [hot_x, hot_y] = [self.u16()?, self.u16()?];
        if [width, height, hot_x, hot_y].iter().any(|side| *side > CursorShape::MAX_PX) {
            return Err(self.damaged("its pointer is too large"));
        }
        let mut bgra = vec![0; (width * height * 4) as usize];
        self.input.read_exact(&mut bgra)?;
        Ok(CursorShape { serial, width, height, hot_x, hot_y, bgra })
    }

    fn u16(&mut self) -> Result<u32, TraceError> {
        Ok(u16::from_le_bytes(self.bytes()?).into())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], TraceError> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn damaged(&self, what: &'static str) -> TraceError {
        TraceError::Damaged { record: self.records, what }
    }
}
