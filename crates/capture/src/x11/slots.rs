//! The frames that a source lends out, and gets back when they are dropped.

use super::bell::Bell;
use super::segment::Segment;
use crate::PixelMemory;
use crossbeam::queue::ArrayQueue;
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Size};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Frames in one pool at most: one being filled, one being read, one waiting in between.
pub(super) const MAX_SLOTS: usize = 3;

/// One frame's memory.
#[derive(Debug)]
pub(super) enum Slot {
    /// Shared with the display, which writes pixels straight to their place. Rows follow each
    /// other without padding; behind the last one is scratch space.
    Shared {
        /// The display's name of it.
        id: u32,
        /// The memory.
        segment: Segment,
    },
    /// Private memory, for pixels that are converted or came through the socket.
    Private(FrameBuf),
}

impl Slot {
    fn view(&self, size: Size) -> FrameRef<'_> {
        match self {
            Self::Shared { segment, .. } => {
                let stride = size.width_px as usize * 4;
                FrameRef::new(segment.as_slice(), size, stride, PixelFormat::Bgrx)
                    .expect("a segment is made for frames of this size")
            }
            Self::Private(frame) => frame.view(),
        }
    }
}

/// Frames of one size that nobody reads now.
#[derive(Debug)]
pub(super) struct Pool {
    size: Size,
    free: ArrayQueue<Slot>,
    made: AtomicUsize,
    starved: AtomicBool,
    bell: Arc<Bell>,
}

impl Pool {
    pub(super) fn new(size: Size, bell: Arc<Bell>) -> Arc<Self> {
        Arc::new(Self {
            size,
            free: ArrayQueue::new(MAX_SLOTS),
            made: AtomicUsize::new(0),
            starved: AtomicBool::new(false),
            bell,
        })
    }

    /// A free frame; a new one from `make` while there are fewer than [`MAX_SLOTS`]. `None` when
    /// all are lent: the bell is then nudged as soon as one comes back.
    pub(super) fn take<E>(
        self: &Arc<Self>,
        make: impl FnOnce() -> Result<Slot, E>,
    ) -> Result<Option<Lease>, E> {
        if let Some(lease) = self.take_free() {
            return Ok(Some(lease));
        }
        if self.made.load(Ordering::Relaxed) < MAX_SLOTS {
            let slot = make()?;
            self.made.fetch_add(1, Ordering::Relaxed);
            return Ok(Some(self.lease(slot)));
        }
        self.starved.store(true, Ordering::SeqCst);
        // One may have come back before the flag was seen.
        Ok(self.take_free())
    }

    /// Takes a frame out for good.
    pub(super) fn retire_free(&self) -> Option<Slot> {
        let slot = self.free.pop()?;
        self.made.fetch_sub(1, Ordering::Relaxed);
        Some(slot)
    }

    /// Frames made and not retired, lent ones included.
    pub(super) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    fn take_free(self: &Arc<Self>) -> Option<Lease> {
        self.free.pop().map(|slot| self.lease(slot))
    }

    fn lease(self: &Arc<Self>, slot: Slot) -> Lease {
        Lease { slot: Some(slot), pool: Arc::clone(self) }
    }
}

/// A lent frame; returns to its pool when dropped.
#[derive(Debug)]
pub(super) struct Lease {
    slot: Option<Slot>,
    pool: Arc<Pool>,
}

impl Lease {
    pub(super) fn slot_mut(&mut self) -> &mut Slot {
        self.slot.as_mut().expect("present until drop")
    }
}

impl PixelMemory for Lease {
    fn view(&self) -> FrameRef<'_> {
        self.slot.as_ref().expect("present until drop").view(self.pool.size)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            // There is room: the queue holds as many as are ever made.
            let _ = self.pool.free.push(slot);
            if self.pool.starved.swap(false, Ordering::SeqCst) {
                self.pool.bell.nudge();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bell::Woken;
    use super::*;
    use std::time::Duration;

    #[test]
    fn lent_frames_are_bounded_and_their_return_ends_the_wait() {
        let bell = Bell::new().unwrap();
        let size = Size::new(64, 64);
        let pool = Pool::new(size, Arc::clone(&bell));
        let make = || FrameBuf::new(size, PixelFormat::Bgrx).map(Slot::Private);
        let mut lent: Vec<_> = (0..MAX_SLOTS).map(|_| pool.take(make).unwrap().unwrap()).collect();
        assert!(pool.take(make).unwrap().is_none());
        assert_eq!(bell.wait(None, Duration::ZERO).unwrap(), Woken::Timeout);
        let returning = lent.pop();
        let thread = std::thread::spawn(move || drop(returning));
        assert_eq!(bell.wait(None, Duration::from_secs(10)).unwrap(), Woken::Ready);
        thread.join().unwrap();
        assert!(!bell.take_rung(), "a nudge is no ring");
        assert!(pool.take(make).unwrap().is_some());
        assert_eq!(pool.made(), MAX_SLOTS);
    }
}
