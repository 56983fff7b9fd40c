//! What the sources that paint on a canvas share: what is pending, and how it is handed out.

use crate::canvas::Canvas;
use crate::{CaptureCounters, CaptureEvent, CursorUpdate, Damage, Frame, monotonic_us};
use farpane_frame::{FrameError, Move, Rect, Region, Size};

/// A canvas, and what of it changed since the last frame.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) canvas: Canvas,
    generation: Option<u32>,
    changed: Region,
    moves: Vec<Move>,
    /// Changes that `changed` holds; moves are told only when there is one.
    updates: u32,
    full: bool,
    cursor: Option<CursorUpdate>,
    cursor_first: bool,
    next_id: u64,
    pub(crate) counters: CaptureCounters,
}

impl Outlet {
    /// A black canvas of `size`, of which nothing is handed out yet.
    pub(crate) fn new(size: Size) -> Result<Self, FrameError> {
        Ok(Self {
            canvas: Canvas::new(size)?,
            generation: None,
            changed: Region::new(),
            moves: Vec::new(),
            updates: 0,
            full: false,
            cursor: None,
            cursor_first: false,
            next_id: 0,
            counters: CaptureCounters::default(),
        })
    }

    /// Begins a generation with a black picture.
    pub(crate) fn begin_generation(&mut self, size: Size) -> Result<(), FrameError> {
        self.canvas.resize(size)?;
        self.generation = Some(self.generation.map_or(0, |g| g + 1));
        self.full = true;
        Ok(())
    }

    pub(crate) fn refresh(&mut self) {
        self.full = true;
    }

    /// One update painted inside `rects`, by `moves` first.
    pub(crate) fn changed(&mut self, rects: &[Rect], moves: &[Move]) {
        rects.iter().for_each(|rect| self.changed.add(rect.clip(self.canvas.picture().size())));
        self.updates += 1;
        self.moves.clear();
        if self.updates == 1 {
            self.moves.extend_from_slice(moves);
        }
    }

    /// The pointer changed. Of several changes the last position and the last shape count.
    pub(crate) fn cursor(&mut self, mut update: CursorUpdate) {
        if update.shape.is_none() {
            update.shape = self.cursor.take().and_then(|before| before.shape);
        }
        self.cursor = Some(update);
    }

    /// What is pending: a frame or the pointer, in turns when there are both.
    pub(crate) fn take(&mut self) -> Option<CaptureEvent> {
        if std::mem::take(&mut self.cursor_first)
            && let Some(update) = self.cursor.take()
        {
            return Some(CaptureEvent::Cursor(update));
        }
        if let (Some(generation), true) = (self.generation, self.full || !self.changed.is_empty()) {
            self.cursor_first = true;
            return Some(CaptureEvent::Frame(self.frame(generation)));
        }
        self.cursor.take().map(CaptureEvent::Cursor)
    }

    fn frame(&mut self, generation: u32) -> Frame {
        let size = self.canvas.picture().size();
        let full = std::mem::take(&mut self.full);
        let region = std::mem::take(&mut self.changed);
        let moves = std::mem::take(&mut self.moves);
        self.updates = 0;
        let (region, moves, damage) = if full {
            (Region::from_rect(size.rect()), Vec::new(), Damage::Unknown)
        } else {
            (region.clone(), moves, Damage::Exact(region))
        };
        let capture_us = monotonic_us();
        let pixels = self.canvas.publish(&region);
        let id = self.next_id;
        self.next_id += 1;
        self.counters.frames += 1;
        self.counters.pixels += region.area_px().min(size.area_px());
        Frame { id, generation, capture_us, notice_us: capture_us, pixels, damage, moves }
    }
}
