//! Room for blobs that wait between two threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of blobs of one peer that may wait; further ones are lost. Three of the longest.
const MAX_WAITING_BYTES: usize = 900 << 10;

/// What is left of it. One takes, another gives back.
#[derive(Clone, Default)]
pub(crate) struct BlobRoom(Arc<AtomicUsize>);

impl BlobRoom {
    /// Takes room for a blob; whether there was any.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let fits = self.0.load(Ordering::Relaxed) + bytes <= MAX_WAITING_BYTES;
        if fits {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// The blob waits no more.
    pub(crate) fn give(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}
