//! The eventfd by which other threads end a wait for the display.

use crate::Waker;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Wakes the capture thread. Ringing it is a request to return; nudging it only says that
/// something may go on (a buffer came back).
#[derive(Debug)]
pub(super) struct Bell {
    fd: OwnedFd,
    rung: AtomicBool,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// The display's descriptor is readable, closed or broken, or the bell was nudged.
    Ready,
    /// Nothing happened in the given time.
    Timeout,
}

impl Bell {
    pub(super) fn new() -> io::Result<Arc<Self>> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Arc::new(Self { fd, rung: AtomicBool::new(false) }))
    }

    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        let bell = Arc::clone(self);
        Waker::new(move || {
            bell.rung.store(true, Ordering::Release);
            bell.nudge();
        })
    }

    /// Ends the current or the next wait.
    pub(super) fn nudge(&self) {
        // A full counter means that the descriptor is readable already.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
    }

    /// Whether the waker was rung since the last call.
    pub(super) fn take_rung(&self) -> bool {
        self.rung.swap(false, Ordering::Acquire)
    }

    /// Waits for the bell or for `display` to become readable, at most `timeout`.
    pub(super) fn wait(
        &self,
        display: Option<BorrowedFd<'_>>,
        timeout: Duration,
    ) -> io::Result<Woken> {
        let interest = PollFlags::IN;
        let bell = PollFd::from_borrowed_fd(self.fd.as_fd(), interest);
        let mut both;
        let mut one;
        let fds: &mut [PollFd<'_>] = match display {
            Some(fd) => {
                both = [bell, PollFd::from_borrowed_fd(fd, interest)];
                &mut both
            }
            None => {
                one = [bell];
                &mut one
            }
        };
        let timeout = Timespec::try_from(timeout).ok();
        match poll(fds, timeout.as_ref()) {
            Ok(0) => return Ok(Woken::Timeout),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if !fds[0].revents().is_empty() {
            let mut count = [0; 8];
            let _ = rustix::io::read(&self.fd, &mut count);
        }
        Ok(Woken::Ready)
    }
}
