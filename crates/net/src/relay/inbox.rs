//! Where packets that relays forward wait to be read.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;

/// Bytes that may wait, each packet counted with what it takes beside: as much as a socket's
/// buffer. What comes then is lost.
const MAX_BYTES: usize = 2 << 20;
const PACKET_BYTES: usize = 128;

/// A packet, and by which of its reader's relays it came from whom.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) relay: usize,
    pub(crate) peer: SocketAddr,
    pub(crate) data: Bytes,
}

/// One reader's queue, as one of its relays fills it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    shared: Arc<Mutex<Shared>>,
    relay: usize,
}

#[derive(Debug, Default)]
struct Shared {
    packets: VecDeque<Packet>,
    bytes: usize,
    is_new: bool,
    waker: Option<Waker>,
}

impl Inbox {
    /// The same queue for another relay of its reader.
    pub(crate) fn of(&self, relay: usize) -> Self {
        Self { shared: self.shared.clone(), relay }
    }

    /// Puts a packet in; wake the reader afterwards.
    pub(super) fn push(&self, peer: SocketAddr, data: &[u8]) {
        let mut shared = self.shared();
        let bytes = data.len() + PACKET_BYTES;
        if shared.bytes + bytes <= MAX_BYTES {
            shared.bytes += bytes;
            shared.is_new = true;
            let data = Bytes::copy_from_slice(data);
            shared.packets.push_back(Packet { relay: self.relay, peer, data });
        }
    }

    /// Wakes the reader if something has come.
    pub(super) fn wake(&self) {
        let mut shared = self.shared();
        if std::mem::take(&mut shared.is_new)
            && let Some(waker) = shared.waker.take()
        {
            drop(shared);
            waker.wake();
        }
    }

    /// The next packet; without one the reader will be woken.
    pub(crate) fn pop(&self, cx: &Context<'_>) -> Option<Packet> {
        let mut shared = self.shared();
        let packet = shared.packets.pop_front();
        match &packet {
            Some(packet) => shared.bytes -= packet.data.len() + PACKET_BYTES,
            None => shared.waker = Some(cx.waker().clone()),
        }
        packet
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_bounded() {
        let inbox = Inbox::default();
        let peer = "192.0.2.1:1".parse().unwrap();
        (0..100_000).for_each(|_| inbox.of(3).push(peer, b"x"));
        let cx = Context::from_waker(Waker::noop());
        let packets = std::iter::from_fn(|| inbox.pop(&cx));
        let count = packets.inspect(|p| assert_eq!((p.relay, &p.data[..]), (3, &b"x"[..]))).count();
        assert_eq!(count, MAX_BYTES / (PACKET_BYTES + 1));
        assert_eq!(inbox.shared().bytes, 0);
    }
}
