//! What a helper types and points at, beside media, on a stream that goes before all else.

use crate::quic::Side;
use farpane_linksim::{MS, Ns};
use quinn_proto::{Dir, StreamId};

/// How often the helper moves the pointer or presses a key.
const EVERY: Ns = 20 * MS;
/// A message: the time of its sending.
const MESSAGE_BYTES: usize = 8;
/// The first bytes on the stream come with the connection's first packets and count for nothing.
const SETTLED: Ns = 1_000 * MS;

/// Messages and when they came.
#[derive(Default)]
pub(crate) struct Input {
    next_at: Ns,
    opened: Option<StreamId>,
    /// Of a message that has come in part.
    partial: Vec<u8>,
    delays: Vec<Ns>,
}

impl Input {
    /// How long each message took.
    pub(crate) fn delays(&self) -> &[Ns] {
        &self.delays
    }

    /// When to call [`drive`](Self::drive).
    pub(crate) fn poll_timeout(&self) -> Ns {
        self.next_at
    }

    /// Writes what is due and reads what has come.
    pub(crate) fn drive(&mut self, now: Ns, helper: &mut Side, sharer: &mut Side) {
        if now >= self.next_at {
            self.next_at = now + EVERY;
            self.write(now, helper);
        }
        self.read(now, sharer);
    }

    fn write(&mut self, now: Ns, helper: &mut Side) {
        if !helper.is_connected {
            return;
        }
        let Some(connection) = helper.connection() else { return };
        if self.opened.is_none() {
            self.opened = connection.streams().open(Dir::Bi);
        }
        let Some(id) = self.opened else { return };
        let mut stream = connection.send_stream(id);
        let _ = stream.set_priority(i32::MAX);
        // A stream that takes no more is seen in the delays: what is not read did not come.
        let _ = stream.write(&now.to_le_bytes());
        helper.pump(now);
    }

    fn read(&mut self, now: Ns, sharer: &mut Side) {
        let Some(id) = sharer.stream else { return };
        let Some(connection) = sharer.connection() else { return };
        let mut stream = connection.recv_stream(id);
        let Ok(mut chunks) = stream.read(true) else { return };
        while let Ok(Some(chunk)) = chunks.next(usize::MAX) {
            self.partial.extend_from_slice(&chunk.bytes);
        }
        let _ = chunks.finalize();
        sharer.pump(now);
        let whole = self.partial.len() / MESSAGE_BYTES * MESSAGE_BYTES;
        for message in self.partial.drain(..whole).as_slice().as_chunks::<MESSAGE_BYTES>().0 {
            let sent = Ns::from_le_bytes(*message);
            if sent >= SETTLED {
                self.delays.push(now - sent);
            }
        }
    }
}
