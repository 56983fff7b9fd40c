//! A picture that a source changes in place and lends out as frames.

use crate::{PixelMemory, Pixels};
use crossbeam::queue::ArrayQueue;
use farpane_frame::{FrameBuf, FrameError, FrameRef, PixelFormat, Region, Size};
use std::collections::VecDeque;
use std::sync::Arc;

/// Returned frames kept. A consumer that holds more makes the source allocate.
const SPARES: usize = 3;
/// Changes remembered, to bring a spare frame up to date by copying only them.
const HISTORY: usize = 8;

/// The current picture, and spare copies of it that are some changes behind.
///
/// All pixels of every frame lent are valid; lending one costs a copy of what changed since that
/// spare was lent last.
#[derive(Debug)]
pub(crate) struct Canvas {
    picture: FrameBuf,
    spares: Arc<ArrayQueue<Spare>>,
    /// Changes that were published, the latest last.
    history: VecDeque<Region>,
    published: u64,
}

#[derive(Debug)]
struct Spare {
    frame: FrameBuf,
    /// How many changes it contains.
    published: u64,
}

impl Canvas {
    /// A black picture.
    pub(crate) fn new(size: Size) -> Result<Self, FrameError> {
        Ok(Self {
            picture: FrameBuf::new(size, PixelFormat::Bgrx)?,
            spares: Arc::new(ArrayQueue::new(SPARES)),
            history: VecDeque::with_capacity(HISTORY),
            published: 0,
        })
    }

    /// A black picture of another size. Frames that are lent stay valid.
    pub(crate) fn resize(&mut self, size: Size) -> Result<(), FrameError> {
        *self = Self::new(size)?;
        Ok(())
    }

    pub(crate) fn picture(&self) -> &FrameBuf {
        &self.picture
    }

    pub(crate) fn picture_mut(&mut self) -> &mut FrameBuf {
        &mut self.picture
    }

    /// A frame of the picture, which was changed in `changed` since the last call.
    pub(crate) fn publish(&mut self, changed: &Region) -> Pixels {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(changed.clone());
        self.published += 1;
        let frame = match self.spares.pop() {
            Some(spare) => self.updated(spare),
            None => self.picture.clone(),
        };
        let spare = Spare { frame, published: self.published };
        Pixels::new(Lent { spare: Some(spare), home: Arc::clone(&self.spares) })
    }

    fn updated(&self, spare: Spare) -> FrameBuf {
        let mut frame = spare.frame;
        let behind = (self.published - spare.published) as usize;
        let picture = self.picture.view();
        if behind > self.history.len() {
            frame.copy_from(&picture, picture.size().rect());
            return frame;
        }
        for rect in self.history.iter().rev().take(behind).flat_map(|region| region.rects()) {
            frame.copy_from(&picture, *rect);
        }
        frame
    }
}

struct Lent {
    spare: Option<Spare>,
    home: Arc<ArrayQueue<Spare>>,
}

impl PixelMemory for Lent {
    fn view(&self) -> FrameRef<'_> {
        self.spare.as_ref().expect("present until drop").frame.view()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(spare) = self.spare.take() {
            // Beyond what is kept, it is freed.
            let _ = self.home.push(spare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_frame::Rect;

    #[test]
    fn every_frame_equals_the_picture_however_long_it_was_away() {
        let size = Size::new(100, 80);
        let mut canvas = Canvas::new(size).unwrap();
        let mut kept = VecDeque::new();
        for i in 0..200u32 {
            let rect = Rect::new(i * 7 % 90, i * 5 % 70, 10, 10);
            canvas.picture_mut().fill(rect, [i as u8, 1, 2, 0]);
            let pixels = canvas.publish(&Region::from_rect(rect));
            assert!(pixels.view().same_rgb(&canvas.picture().view()), "update {i}");
            kept.push_back(pixels);
            while kept.len() > (i as usize / 10) % 6 {
                kept.pop_front();
            }
        }
    }
}
