//! Writes traces.

use super::{
    FLAG_SHAPE, FLAG_VISIBLE, KIND_CURSOR, KIND_FRAME, KIND_SIZE, MAGIC, MAX_TRACE_PX, TraceError,
    VERSION, WINDOW_LOG,
};
use crate::{CursorShape, CursorUpdate};
use farpane_frame::{FrameRef, PixelFormat, Rect, Region, Size};
use std::io::Write;

/// Costs some 20 times a screen's copy, and compresses text about as well as higher ones.
const LEVEL: i32 = 12;

/// Records a desktop. Only what [`TraceWriter::finish`] followed can be read to the end.
pub struct TraceWriter<W: Write> {
    out: zstd::stream::write::Encoder<'static, W>,
    generation: Option<(u32, Size)>,
    last_us: Option<u64>,
    row: Vec<u8>,
}

impl<W: Write> TraceWriter<W> {
    /// Begins a trace in `out`, which should be buffered.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(mut out: W) -> Result<Self, TraceError> {
        out.write_all(&MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        let mut out = zstd::stream::write::Encoder::new(out, LEVEL)?;
        out.window_log(WINDOW_LOG)?;
        out.include_checksum(true)?;
        Ok(Self { out, generation: None, last_us: None, row: Vec::new() })
    }

    /// Adds a state of the screen: at `time_us` of a clock that never goes back (later times
    /// than the record before count; longer pauses than 71 minutes are cut), `picture` in BGRX
    /// or BGRA differs from the one before in `changed`. In another generation or size all of
    /// it is written. More rectangles than [`Region::MAX_RECTS`] are joined.
    ///
    /// # Errors
    /// When the picture is too large or in another format, or when writing fails.
    pub fn write_frame(
        &mut self,
        time_us: u64,
        generation: u32,
        picture: &FrameRef<'_>,
        changed: &[Rect],
    ) -> Result<(), TraceError> {
        let size = picture.size();
        if size.area_px() > MAX_TRACE_PX {
            return Err(TraceError::Size(size));
        }
        if !matches!(picture.format(), PixelFormat::Bgrx | PixelFormat::Bgra) {
            let what = "only BGRX pictures can be recorded; convert them first";
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, what).into());
        }
        let mut region = Region::new();
        if self.generation == Some((generation, size)) {
            changed.iter().for_each(|rect| region.add(rect.clip(size)));
            if region.is_empty() {
                return Ok(());
            }
        } else {
            self.generation = Some((generation, size));
            self.begin(KIND_SIZE, time_us)?;
            self.u16(size.width_px)?;
            self.u16(size.height_px)?;
        }
        if region.is_empty() || region.area_px() > size.area_px() {
            region = Region::from_rect(size.rect());
        }
        self.begin(KIND_FRAME, time_us)?;
        self.u16(region.rects().len() as u32)?;
        for rect in region.rects() {
            for side in [rect.x, rect.y, rect.width, rect.height] {
                self.u16(side)?;
            }
        }
        for rect in region.rects() {
            self.write_pixels(picture, *rect)?;
        }
        Ok(())
    }

    /// Adds a change of the pointer.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write_cursor(&mut self, time_us: u64, update: &CursorUpdate) -> Result<(), TraceError> {
        self.begin(KIND_CURSOR, time_us)?;
        self.out.write_all(&update.x.to_le_bytes())?;
        self.out.write_all(&update.y.to_le_bytes())?;
        let shape = update.shape.as_deref().filter(|s| is_sound(s));
        let visible = if update.visible { FLAG_VISIBLE } else { 0 };
        self.out.write_all(&[visible | if shape.is_some() { FLAG_SHAPE } else { 0 }])?;
        if let Some(shape) = shape {
            self.out.write_all(&shape.serial.to_le_bytes())?;
            for side in [shape.width, shape.height, shape.hot_x, shape.hot_y] {
                self.u16(side)?;
            }
            self.out.write_all(&shape.bgra)?;
        }
        Ok(())
    }

    /// Ends the trace and gives back what it was written to.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(self) -> Result<W, TraceError> {
        let mut out = self.out.finish()?;
        out.flush()?;
        Ok(out)
    }

    fn begin(&mut self, kind: u8, time_us: u64) -> Result<(), TraceError> {
        let last_us = self.last_us.unwrap_or(time_us);
        let pause_us = u32::try_from(time_us.saturating_sub(last_us)).unwrap_or(u32::MAX);
        self.last_us = Some(time_us.max(last_us));
        self.out.write_all(&[kind])?;
        Ok(self.out.write_all(&pause_us.to_le_bytes())?)
    }

    fn u16(&mut self, value: u32) -> Result<(), TraceError> {
        debug_assert!(value <= u32::from(u16::MAX));
        Ok(self.out.write_all(&(value as u16).to_le_bytes())?)
    }

    fn write_pixels(&mut self, picture: &FrameRef<'_>, rect: Rect) -> Result<(), TraceError> {
        for y in rect.y..rect.bottom() {
            self.row.clear();
            for pixel in picture.span(rect.x, y, rect.width).chunks_exact(4) {
                self.row.extend_from_slice(&pixel[..3]);
            }
            self.out.write_all(&self.row)?;
        }
        Ok(())
    }
}

/// Whether a reader would accept the shape.
pub(super) fn is_sound(shape: &CursorShape) -> bool {
    shape.width <= CursorShape::MAX_PX
        && shape.height <= CursorShape::MAX_PX
        && shape.bgra.len() == (shape.width * shape.height * 4) as usize
        && shape.hot_x <= CursorShape::MAX_PX
        && shape.hot_y <= CursorShape::MAX_PX
}
