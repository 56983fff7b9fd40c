//! Where packets that relays forward wait to be read.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Bytes that may wait, each packet counted with what it takes beside: as much as a socket's
/// buffer. What comes then is lost.
const MAX_BYTES: usize = 2 << 20;
const PACKET_BYTES: usize = 128;
/// Memory that is kept while nothing waits.
const KEPT_BYTES: usize = 64 << 10;

/// Packets one after the other, by one of their reader's relays from one peer, as the system joins
/// those of a flow (GRO, udp(7)): all of `packet_bytes`, only the last may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) relay: usize,
    pub(crate) peer: SocketAddr,
    pub(crate) bytes: usize,
    pub(crate) packet_bytes: usize,
}

/// One reader's queue, as one of its relays fills it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    shared: Arc<Mutex<Shared>>,
    relay: usize,
}

#[derive(Debug, Default)]
struct Shared {
    runs: VecDeque<Run>,
    /// What they hold, from `start` on.
    data: Vec<u8>,
    start: usize,
    packets: usize,
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
        if data.is_empty() || shared.bytes() + data.len() + PACKET_BYTES > MAX_BYTES {
            return;
        }
        shared.is_new = true;
        shared.packets += 1;
        shared.data.extend_from_slice(data);
        let (relay, bytes) = (self.relay, data.len());
        match shared.runs.back_mut() {
            Some(run) if run.is_continued_by(relay, peer, bytes) => run.bytes += bytes,
            _ => shared.runs.push_back(Run { relay, peer, bytes, packet_bytes: bytes }),
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

    /// Moves the next packets of one kind to `buffer`, as many as fit there; a packet that alone
    /// does not fit is lost. When nothing waits the reader will be woken.
    pub(crate) fn read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Option<Run> {
        let mut shared = self.shared();
        loop {
            let Some(next) = shared.runs.front().copied() else {
                shared.waker = Some(cx.waker().clone());
                return None;
            };
            let whole = buffer.len() - buffer.len() % next.packet_bytes;
            let bytes = if next.bytes <= buffer.len() { next.bytes } else { whole };
            let taken = Run { bytes, ..next };
            if bytes > 0 {
                let start = shared.start;
                buffer[..bytes].copy_from_slice(&shared.data[start..start + bytes]);
                shared.drop_first(bytes);
                return Some(taken);
            }
            shared.drop_first(next.packet_bytes.min(next.bytes));
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    fn is_continued_by(&self, relay: usize, peer: SocketAddr, bytes: usize) -> bool {
        let is_open = self.bytes.is_multiple_of(self.packet_bytes);
        is_open && bytes <= self.packet_bytes && (self.relay, self.peer) == (relay, peer)
    }
}

impl Shared {
    /// What waits takes.
    fn bytes(&self) -> usize {
        self.data.len() - self.start + self.packets * PACKET_BYTES
    }

    /// Drops the first run's first `bytes`.
    fn drop_first(&mut self, bytes: usize) {
        let Some(run) = self.runs.front_mut() else { return };
        self.packets -= bytes.div_ceil(run.packet_bytes);
        self.start += bytes;
        run.bytes -= bytes;
        if run.bytes == 0 {
            self.runs.pop_front();
        }
        if self.runs.is_empty() {
            (self.start, self.packets) = (0, 0);
            self.data.clear();
            self.data.shrink_to(KEPT_BYTES);
        } else if self.start >= KEPT_BYTES.max(self.data.len() / 2) {
            self.data.drain(..self.start);
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    /// All that waits, as packets.
    fn packets(inbox: &Inbox, buffer: &mut [u8]) -> Vec<(usize, u16, Vec<u8>)> {
        let (mut all, cx) = (Vec::new(), Context::from_waker(Waker::noop()));
        while let Some(run) = inbox.read(&cx, buffer) {
            let Run { relay, peer, bytes, packet_bytes } = run;
            let packets = buffer[..bytes].chunks(packet_bytes);
            all.extend(packets.map(|packet| (relay, peer.port(), packet.to_vec())));
        }
        all
    }

    #[test]
    fn what_nobody_reads_is_bounded() {
        let inbox = Inbox::default();
        (0..100_000).for_each(|_| inbox.of(3).push(peer(1), b"x"));
        let all = packets(&inbox, &mut [0; 100]);
        assert_eq!(all.len(), MAX_BYTES / (PACKET_BYTES + 1));
        assert!(all.iter().all(|packet| *packet == (3, 1, b"x".to_vec())));
        assert_eq!(inbox.shared().bytes(), 0);
        assert!(inbox.shared().data.capacity() <= KEPT_BYTES);
    }

    #[test]
    fn packets_come_out_as_they_went_in_however_they_are_read() {
        // Relay, port and length; the contents tell them apart.
        let given: Vec<(usize, u16, usize)> = (0..3_000usize)
            .map(|i| (i / 700, (i / 90 % 2) as u16, [30, 30, 30, 7, 30, 40, 30][i % 7]))
            .collect();
        for buffer_bytes in [40, 64, 100, 4_096] {
            let (inbox, mut buffer) = (Inbox::default(), vec![0; buffer_bytes]);
            let (mut expected, mut had) = (Vec::new(), Vec::new());
            for (index, &(relay, port, bytes)) in given.iter().enumerate() {
                let data = vec![index as u8; bytes];
                inbox.of(relay).push(peer(port), &data);
                expected.push((relay, port, data));
                if index % 1_000 == 500 {
                    had.extend(packets(&inbox, &mut buffer));
                }
            }
            had.extend(packets(&inbox, &mut buffer));
            assert_eq!(had, expected);
        }
    }

    #[test]
    fn packets_of_one_kind_are_read_at_once() {
        let inbox = Inbox::default();
        [9, 9, 4, 9].iter().for_each(|bytes| inbox.push(peer(1), &vec![0; *bytes]));
        let cx = Context::from_waker(Waker::noop());
        let run = |bytes| Some(Run { relay: 0, peer: peer(1), bytes, packet_bytes: 9 });
        assert_eq!(inbox.read(&cx, &mut [0; 64]), run(22));
        assert_eq!(inbox.read(&cx, &mut [0; 64]), run(9));
        assert_eq!(inbox.read(&cx, &mut [0; 64]), None);
    }

    #[test]
    fn a_packet_that_does_not_fit_is_lost_alone() {
        let inbox = Inbox::default();
        [9, 200, 9].iter().for_each(|bytes| inbox.push(peer(1), &vec![0; *bytes]));
        let lengths: Vec<_> = packets(&inbox, &mut [0; 64]).iter().map(|p| p.2.len()).collect();
        assert_eq!(lengths, [9, 9]);
        assert_eq!(inbox.shared().bytes(), 0);
    }
}
