//! The bounded queue of datagrams between any thread and the network thread.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// Bounded by bytes; when full it pushes back and keeps what it has.
#[derive(Debug)]
pub(crate) struct DatagramQueue {
    inner: Mutex<Inner>,
    filled: Notify,
    limit_bytes: usize,
}

#[derive(Debug, Default)]
struct Inner {
    datagrams: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
}

impl DatagramQueue {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { inner: Mutex::default(), filled: Notify::new(), limit_bytes }
    }

    /// Takes datagrams in order until one does not fit; returns how many. Wakes the network
    /// thread once.
    pub(crate) fn push(&self, datagrams: impl IntoIterator<Item = Bytes>) -> usize {
        let mut inner = self.lock();
        let mut accepted = 0;
        for datagram in datagrams {
            if inner.closed || inner.bytes + datagram.len() > self.limit_bytes {
                break;
            }
            inner.bytes += datagram.len();
            inner.datagrams.push_back(datagram);
            accepted += 1;
        }
        drop(inner);
        if accepted > 0 {
            self.filled.notify_one();
        }
        accepted
    }

    pub(crate) fn pop(&self) -> Option<Bytes> {
        let mut inner = self.lock();
        let datagram = inner.datagrams.pop_front()?;
        inner.bytes -= datagram.len();
        Some(datagram)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Forgets what is queued and takes nothing more.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        *inner = Inner { closed: true, ..Inner::default() };
        drop(inner);
        self.filled.notify_one();
    }

    /// Waits until something was pushed or the queue closed; `false` when it is closed.
    pub(crate) async fn filled(&self) -> bool {
        self.filled.notified().await;
        !self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic of the caller's iterator leaves what was pushed so far, counted correctly.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(bytes: usize) -> Bytes {
        Bytes::from(vec![0; bytes])
    }

    #[test]
    fn a_full_queue_pushes_back_and_keeps_the_order() {
        let queue = DatagramQueue::new(10);
        let offered = [datagram(4), datagram(5), datagram(2), datagram(1)];
        assert_eq!(queue.push(offered), 2, "a later, smaller one must not overtake");
        assert_eq!(queue.bytes(), 9);
        assert_eq!(queue.pop().map(|d| d.len()), Some(4));
        assert_eq!(queue.push([datagram(5)]), 1);
        assert_eq!(queue.pop().map(|d| d.len()), Some(5));
        assert_eq!(queue.pop().map(|d| d.len()), Some(5));
        assert_eq!((queue.pop(), queue.bytes()), (None, 0));
    }

    #[test]
    fn a_closed_queue_is_empty_and_takes_nothing() {
        let queue = DatagramQueue::new(10);
        assert_eq!(queue.push([datagram(1)]), 1);
        queue.close();
        assert_eq!((queue.pop(), queue.push([datagram(1)])), (None, 0));
    }
}
