//! TURN's messages over UDP.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::AsyncUdpSocket;
use quinn::udp::{RecvMeta, Transmit};

/// Reads between two looks at other work.
const READS: usize = 4;
/// Most that one read gives: what the system joins from one flow.
const READ_BYTES: usize = 64 << 10;

/// A socket that talks to one relay.
#[derive(Debug)]
pub(super) struct UdpCarrier {
    socket: Arc<dyn AsyncUdpSocket>,
    server: SocketAddr,
    buffer: Vec<u8>,
}

impl UdpCarrier {
    pub(super) fn new(socket: Arc<dyn AsyncUdpSocket>, server: SocketAddr) -> Self {
        Self { socket, server, buffer: vec![0; READ_BYTES] }
    }

    /// Sends messages of `message_bytes`, the last of which may be shorter. What the system does
    /// not take is lost.
    pub(super) fn send(&self, messages: &[u8], message_bytes: usize) {
        let most = message_bytes * self.socket.max_transmit_segments();
        for contents in messages.chunks(most) {
            let segment_size = (contents.len() > message_bytes).then_some(message_bytes);
            let destination = self.server;
            let transmit =
                Transmit { destination, ecn: None, contents, segment_size, src_ip: None };
            if self.socket.try_send(&transmit).is_err() {
                return;
            }
        }
    }

    /// Calls with every message that has come from the relay; ready when the socket is broken.
    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&[u8]),
    ) -> Poll<io::Error> {
        for _ in 0..READS {
            let (mut meta, mut slices) =
                ([RecvMeta::default()], [IoSliceMut::new(&mut self.buffer)]);
            match ready!(self.socket.poll_recv(cx, &mut slices, &mut meta)) {
                Ok(_) => {}
                // Somebody unreachable; not the socket.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
                Err(error) => return Poll::Ready(error),
            }
            let [RecvMeta { addr, len, stride, .. }] = meta;
            if addr == self.server {
                self.buffer[..len].chunks(stride.max(1)).for_each(&mut take);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
