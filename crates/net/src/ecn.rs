//! Explicit congestion notification: media goes out as ECT(1), and marks are counted.
//!
//! The media controller answers to marks in proportion (L4S, RFC 9330 and 9331), so its packets
//! say so. quinn sends ECT(0) and takes a mark for a loss. This socket stands between: ECT(0) out
//! becomes ECT(1), and what comes in as ECT(1) or CE is ECT(0) to quinn, which goes on to notice
//! paths that clear the bits (RFC 9000, section 13.4.2) and then sends without them.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use quinn::udp::{EcnCodepoint, RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};

/// Packets that have arrived marked by the network (CE).
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks(Arc<AtomicU64>);

impl Marks {
    /// How many since the socket was opened.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts the packets of one read and shows quinn what it expects.
    fn take(&self, meta: &mut RecvMeta) {
        let packets = meta.len.div_ceil(meta.stride.max(1)) as u64;
        match meta.ecn {
            Some(EcnCodepoint::Ce) => self.0.fetch_add(packets, Ordering::Relaxed),
            Some(EcnCodepoint::Ect1) => 0,
            _ => return,
        };
        meta.ecn = Some(EcnCodepoint::Ect0);
    }
}

/// A socket whose packets are ECT(1).
#[derive(Debug)]
pub(crate) struct EcnSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    marks: Marks,
}

impl EcnSocket {
    pub(crate) fn new(inner: Arc<dyn AsyncUdpSocket>, marks: Marks) -> Self {
        Self { inner, marks }
    }
}

impl AsyncUdpSocket for EcnSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.inner.clone().create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let ecn = transmit.ecn.map(|_| EcnCodepoint::Ect1);
        self.inner.try_send(&Transmit { ecn, ..transmit.clone() })
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let reads = ready!(self.inner.poll_recv(cx, bufs, meta))?;
        meta[..reads].iter_mut().for_each(|meta| self.marks.take(meta));
        Poll::Ready(Ok(reads))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}
