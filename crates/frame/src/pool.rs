//! Frames that are used again instead of allocated again.

use crate::{FrameBuf, FrameError, PixelFormat, Size};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps up to a fixed number of unused frames. Cheap to clone; clones share the frames.
#[derive(Clone, Debug)]
pub struct BufferPool {
    free: Arc<Mutex<Vec<FrameBuf>>>,
}

impl BufferPool {
    /// A pool that keeps at most `capacity` unused frames; further ones are freed.
    pub fn new(capacity: usize) -> Self {
        Self { free: Arc::new(Mutex::new(Vec::with_capacity(capacity))) }
    }

    /// A frame of unspecified content, from the pool when it has one. In the steady state
    /// (sizes no longer grow) this does not allocate.
    ///
    /// # Errors
    /// A side of 0 or above [`crate::MAX_DIMENSION_PX`].
    pub fn take(&self, size: Size, format: PixelFormat) -> Result<Pooled, FrameError> {
        let reused = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let frame = match reused {
            Some(mut frame) => {
                frame.reshape(size, format)?;
                frame
            }
            None => FrameBuf::new(size, format)?,
        };
        Ok(Pooled { frame: Some(frame), pool: self.clone() })
    }

    /// How many unused frames it holds now.
    pub fn idle(&self) -> usize {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn give_back(&self, frame: FrameBuf) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < free.capacity() {
            free.push(frame);
        }
    }
}

/// A frame that returns to its pool when dropped.
#[derive(Debug)]
pub struct Pooled {
    frame: Option<FrameBuf>,
    pool: BufferPool,
}

impl Deref for Pooled {
    type Target = FrameBuf;

    fn deref(&self) -> &FrameBuf {
        self.frame.as_ref().expect("present until drop")
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut FrameBuf {
        self.frame.as_mut().expect("present until drop")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            self.pool.give_back(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_are_bounded() {
        let pool = BufferPool::new(2);
        let size = Size::new(64, 64);
        let take = || pool.take(size, PixelFormat::Bgrx).unwrap();
        let frames = [take(), take(), take()];
        assert_eq!(pool.idle(), 0);
        drop(frames);
        assert_eq!(pool.idle(), 2);
        let smaller = pool.take(Size::new(10, 10), PixelFormat::Rgba).unwrap();
        assert_eq!((smaller.size(), smaller.format()), (Size::new(10, 10), PixelFormat::Rgba));
        assert!(pool.take(Size::new(0, 1), PixelFormat::Bgrx).is_err());
    }

    #[test]
    fn the_steady_state_reuses_the_same_memory() {
        let pool = BufferPool::new(1);
        let size = Size::new(640, 480);
        let address = |f: &Pooled| f.view().data().as_ptr();
        let first = address(&pool.take(size, PixelFormat::Bgrx).unwrap());
        for _ in 0..100 {
            assert_eq!(address(&pool.take(size, PixelFormat::Bgrx).unwrap()), first);
        }
    }
}
