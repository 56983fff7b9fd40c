//! A transfer of bytes over a QUIC stream: what competes with media.

use crate::flow::{Flow, Look};
use crate::quic::{End, Outgoing, Side};
use farpane_linksim::{Ecn, Ns};
use quinn_proto::{Dir, VarInt};

/// A transfer.
pub(crate) struct Bulk {
    sharer: Side,
    helper: Side,
    stop: Ns,
    /// Bytes that are still to be sent.
    left_bytes: u64,
    opened: bool,
}

/// Bytes of one write.
const CHUNK: [u8; 16_384] = [0; 16_384];

impl Bulk {
    /// A transfer of `bytes` at most, until `stop`, between two ends of which the helper's has
    /// just begun to connect.
    pub(crate) fn new(sharer: Side, helper: Side, bytes: u64, stop: Ns) -> Self {
        Self { sharer, helper, stop, left_bytes: bytes, opened: false }
    }

    fn drive(&mut self, now: Ns) {
        self.open(now);
        self.write(now);
        self.read(now);
    }

    /// The helper opens the stream, as it does in a session, and asks for the data.
    fn open(&mut self, now: Ns) {
        if self.opened || !self.helper.is_connected {
            return;
        }
        if let Some(connection) = self.helper.connection()
            && let Some(id) = connection.streams().open(Dir::Bi)
        {
            // A receiver that reads at once is never what limits.
            connection.set_receive_window(VarInt::from_u32(8 << 20));
            let _ = connection.send_stream(id).write(b"please");
            self.opened = true;
            self.helper.stream = Some(id);
            self.helper.pump(now);
        }
    }

    fn write(&mut self, now: Ns) {
        let Some(id) = self.sharer.stream.filter(|_| now < self.stop) else { return };
        let Some(connection) = self.sharer.connection() else { return };
        while self.left_bytes > 0 {
            let bytes = self.left_bytes.min(CHUNK.len() as u64) as usize;
            let Ok(written) = connection.send_stream(id).write(&CHUNK[..bytes]) else { break };
            self.left_bytes -= written as u64;
        }
        self.sharer.pump(now);
    }

    fn read(&mut self, now: Ns) {
        let Some(id) = self.helper.stream else { return };
        let Some(connection) = self.helper.connection() else { return };
        let mut stream = connection.recv_stream(id);
        let Ok(mut chunks) = stream.read(true) else { return };
        while let Ok(Some(chunk)) = chunks.next(usize::MAX) {
            drop(chunk);
        }
        let _ = chunks.finalize();
        self.helper.pump(now);
    }
}

impl Flow for Bulk {
    fn handle(&mut self, now: Ns, at: End, data: &[u8], ecn: Ecn) {
        match at {
            End::Sharer => self.sharer.handle(now, data, ecn),
            End::Helper => self.helper.handle(now, data, ecn),
        }
        self.drive(now);
    }

    fn handle_timeout(&mut self, now: Ns) {
        self.sharer.handle_timeout(now);
        self.helper.handle_timeout(now);
        self.drive(now);
    }

    fn poll_timeout(&mut self) -> Option<Ns> {
        [self.sharer.poll_timeout(), self.helper.poll_timeout()].into_iter().flatten().min()
    }

    fn poll_transmit(&mut self) -> Option<(End, Outgoing)> {
        if let Some(outgoing) = self.sharer.poll_transmit() {
            return Some((End::Sharer, outgoing));
        }
        Some((End::Helper, self.helper.poll_transmit()?))
    }

    fn look(&self, _now: Ns) -> Look {
        Look::default()
    }
}
