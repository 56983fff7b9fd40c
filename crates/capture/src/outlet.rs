//! What the sources that paint on a canvas share: what is pending, and how it is handed out.

use crate::{
    CaptureCounters, CaptureEvent, CursorUpdate, Damage, Frame, PixelMemory, Pixels, monotonic_us,
};
use farpane_frame::{Canvas, FrameBuf, FrameError, FrameRef, Move, Rect, Size};
use std::sync::Arc;

/// A canvas, and what of it changed since the last frame.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) canvas: Canvas,
    generation: Option<u32>,
    moves: Vec<Move>,
    /// Changes since the last frame; moves are told only when there is one.
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
        self.canvas = Canvas::new(size)?;
        self.generation = Some(self.generation.map_or(0, |g| g + 1));
        self.full = true;
        Ok(())
    }

    /// Whether there is a picture.
    pub(crate) fn has_begun(&self) -> bool {
        self.generation.is_some()
    }

    pub(crate) fn refresh(&mut self) {
        self.full = true;
    }

    /// One update painted inside `rects`, by `moves` first.
    pub(crate) fn changed(&mut self, rects: &[Rect], moves: &[Move]) {
        self.canvas.add_damage(rects);
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
        if let (Some(generation), true) = (self.generation, self.full || self.canvas.is_damaged()) {
            self.cursor_first = true;
            return Some(CaptureEvent::Frame(self.frame(generation)));
        }
        self.cursor.take().map(CaptureEvent::Cursor)
    }

    fn frame(&mut self, generation: u32) -> Frame {
        let size = self.canvas.picture().size();
        let full = std::mem::take(&mut self.full);
        let moves = std::mem::take(&mut self.moves);
        self.updates = 0;
        if full {
            self.canvas.add_damage(&[size.rect()]);
        }
        let capture_us = monotonic_us();
        let (picture, mut region) = self.canvas.publish();
        region.clip(size);
        let id = self.next_id;
        self.next_id += 1;
        self.counters.frames += 1;
        self.counters.pixels += region.area_px().min(size.area_px());
        let (moves, damage) =
            if full { (Vec::new(), Damage::Unknown) } else { (moves, Damage::Exact(region)) };
        let pixels = Pixels::new(Snapshot(picture));
        Frame { id, generation, capture_us, notice_us: capture_us, pixels, damage, moves }
    }
}

/// The canvas as it was when a frame was made.
struct Snapshot(Arc<FrameBuf>);

impl PixelMemory for Snapshot {
    fn view(&self) -> FrameRef<'_> {
        self.0.view()
    }
}
