//! What every proxy has: an address, threads, an end.

use crate::schedule::Lateness;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A proxy at work. Dropping it ends it.
pub struct Proxy {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Lateness>>,
}

impl Proxy {
    /// `threads` look at `ends` and end soon after it is set.
    pub(crate) fn new(
        address: SocketAddr,
        ends: Arc<AtomicBool>,
        threads: [JoinHandle<Lateness>; 2],
    ) -> Self {
        Self { address, ends, threads: threads.into() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, and says how late packets were.
    pub fn stop(mut self) -> Lateness {
        self.end()
    }

    fn end(&mut self) -> Lateness {
        self.ends.store(true, Ordering::Relaxed);
        let mut lateness = Lateness::default();
        for thread in self.threads.drain(..) {
            if let Ok(of_thread) = thread.join() {
                lateness.add(&of_thread);
            }
        }
        lateness
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.end();
    }
}
