//! A picture that is changed in place while nobody looks, and published without a copy.

use crate::{FrameBuf, FrameError, PixelFormat, Rect, Region, Size};
use std::sync::Arc;

/// Buffers kept at most: one shown, one published, one changed. Whoever holds on to more
/// snapshots makes the canvas allocate.
const MAX_BUFFERS: usize = 3;

#[derive(Debug)]
struct Buffer {
    picture: Arc<FrameBuf>,
    /// Where it lags behind the front buffer.
    missing: Region,
}

/// A BGRX picture that is changed step by step and handed out as immutable snapshots.
///
/// While no snapshot of the front buffer is alive it is changed in place. Otherwise another
/// buffer takes over, brought up to date by copying only what it missed.
#[derive(Debug)]
pub struct Canvas {
    size: Size,
    buffers: Vec<Buffer>,
    front: usize,
    damage: Region,
}

impl Canvas {
    /// A black canvas.
    ///
    /// # Errors
    /// A side of 0 or above the largest allowed.
    pub fn new(size: Size) -> Result<Self, FrameError> {
        let picture = Arc::new(FrameBuf::new(size, PixelFormat::Bgrx)?);
        let buffers = vec![Buffer { picture, missing: Region::new() }];
        Ok(Self { size, buffers, front: 0, damage: Region::from_rect(size.rect()) })
    }

    /// The picture.
    pub fn picture(&self) -> &FrameBuf {
        &self.buffers[self.front].picture
    }

    /// The picture, to be changed. Report what was changed with [`Canvas::add_damage`] before the
    /// next call.
    pub fn picture_mut(&mut self) -> &mut FrameBuf {
        if Arc::get_mut(&mut self.buffers[self.front].picture).is_none() {
            self.turn_over();
        }
        let front = &mut self.buffers[self.front].picture;
        Arc::get_mut(front).expect("no snapshot of this buffer is alive")
    }

    /// Makes a buffer the front that no snapshot shows.
    fn turn_over(&mut self) {
        let old = Arc::clone(&self.buffers[self.front].picture);
        let is_free = |b: &mut Buffer| Arc::get_mut(&mut b.picture).is_some();
        let free = self.buffers.iter_mut().position(is_free);
        self.front = match free {
            Some(free) => free,
            None => {
                let picture = FrameBuf::new(self.size, PixelFormat::Bgrx);
                let picture = Arc::new(picture.expect("the size was valid before"));
                let missing = Region::from_rect(self.size.rect());
                if self.buffers.len() >= MAX_BUFFERS {
                    // Its snapshots stay alive; the canvas no longer keeps track of it.
                    let oldest = (self.front + 1) % self.buffers.len();
                    self.buffers[oldest] = Buffer { picture, missing };
                    oldest
                } else {
                    self.buffers.push(Buffer { picture, missing });
                    self.buffers.len() - 1
                }
            }
        };
        let buffer = &mut self.buffers[self.front];
        let picture = Arc::get_mut(&mut buffer.picture).expect("chosen because it is free");
        for rect in buffer.missing.rects() {
            picture.copy_from(&old.view(), *rect);
        }
        buffer.missing.clear();
    }

    /// Notes what was changed.
    pub fn add_damage(&mut self, rects: &[Rect]) {
        for rect in rects {
            self.damage.add(*rect);
            let front = self.front;
            let others = self.buffers.iter_mut().enumerate().filter(|(i, _)| *i != front);
            others.for_each(|(_, buffer)| buffer.missing.add(*rect));
        }
    }

    /// A snapshot, and what changed since the last one.
    pub fn publish(&mut self) -> (Arc<FrameBuf>, Region) {
        let damage = std::mem::take(&mut self.damage);
        (Arc::clone(&self.buffers[self.front].picture), damage)
    }

    /// Takes back the damage of a snapshot that nobody saw.
    pub fn restore_damage(&mut self, damage: &Region) {
        self.damage.add_region(damage);
    }

    /// Whether something changed since the last snapshot.
    pub fn is_damaged(&self) -> bool {
        !self.damage.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_stay_as_they_were_and_the_canvas_goes_on() {
        let size = Size::new(100, 80);
        let mut canvas = Canvas::new(size).unwrap();
        let mut plain = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        let mut held: Vec<(Arc<FrameBuf>, FrameBuf)> = Vec::new();
        for i in 0..400u32 {
            let area = Rect::new(i * 37 % 90, i * 53 % 70, 1 + i % 30, 1 + i % 17);
            let pixel = [i as u8, (i >> 3) as u8, 9, 0];
            canvas.picture_mut().fill(area, pixel);
            canvas.add_damage(&[area.clip(size)]);
            plain.fill(area, pixel);
            let (snapshot, damage) = canvas.publish();
            assert!(damage.bounds().contains(area.clip(size)));
            held.push((snapshot, plain.clone()));
            // Sometimes let go at once, sometimes hold several.
            match i % 7 {
                0 => held.clear(),
                3 if held.len() > 1 => drop(held.swap_remove(0)),
                _ => held.truncate(5),
            }
            for (snapshot, expected) in &held {
                assert!(snapshot.view().same_rgb(&expected.view()), "step {i}");
            }
            assert!(canvas.buffers.len() <= MAX_BUFFERS);
        }
        assert!(canvas.publish().0.view().same_rgb(&plain.view()));
    }

    #[test]
    fn without_snapshots_alive_one_buffer_does() {
        let mut canvas = Canvas::new(Size::new(64, 64)).unwrap();
        for _ in 0..10 {
            canvas.picture_mut();
            canvas.add_damage(&[Rect::new(1, 1, 2, 2)]);
            drop(canvas.publish());
        }
        assert_eq!(canvas.buffers.len(), 1);
    }
}
