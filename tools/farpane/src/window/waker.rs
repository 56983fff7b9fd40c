//! Ends a wait of the window from another thread.

use anyhow::{Context, Result};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// Makes [`super::Window::wait`] return. Cheap to clone; harmless after the window is gone.
#[derive(Clone, Debug)]
pub(crate) struct WindowWaker(Arc<OwnedFd>);

impl WindowWaker {
    pub(super) fn new() -> Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .context("cannot make an event descriptor to wake the window by")?;
        Ok(Self(Arc::new(fd)))
    }

    /// Makes the current or next wait return at once.
    pub(crate) fn ring(&self) {
        // It can fail only when 2^64 - 2 rings are pending, and then the wait returns anyway.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Forgets the rings so far.
    pub(super) fn clear(&self) {
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for WindowWaker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
