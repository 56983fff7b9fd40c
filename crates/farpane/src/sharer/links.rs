//! What the network thread tells the pipeline.

use super::input::InputDoor;
use crate::channel::BlobRoom;
use bytes::Bytes;
use crossbeam::channel::{Sender, TrySendError};
use farpane_net::{CloseReason, Connection, LinkSink, PathSwitch};
use farpane_proto::control::Control;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Names a helper within a sharer.
pub(crate) type PeerId = u64;

/// Something from a helper.
pub(crate) enum LinkEvent {
    /// A helper proved itself.
    Joined(Box<Connection>),
    /// A datagram arrived.
    Datagram(Bytes),
    /// A control message arrived.
    Control(Bytes),
    /// A blob arrived.
    Blob(u8, Bytes),
    /// The display takes no input.
    InputFailed(String),
    /// Datagrams may have this size now.
    Mtu(usize),
    /// The session goes by another path.
    Path(PathSwitch),
    /// The queue to the network is empty again, as was asked for.
    Drained,
    /// The connection is over.
    Closed(CloseReason),
}

/// Passes what one link brings to the pipeline. Never blocks: a datagram that finds the queue
/// full is lost, as on the network.
pub(crate) struct Sink {
    pub(crate) peer: PeerId,
    pub(crate) events: Sender<(PeerId, LinkEvent)>,
    /// Set by the pipeline when it waits for the queue to the network.
    pub(crate) tell_drained: Arc<AtomicBool>,
    /// Where input goes.
    pub(crate) input: InputDoor,
    /// Room for blobs in the queue.
    pub(crate) room: BlobRoom,
}

impl Sink {
    fn tell(&self, event: LinkEvent) {
        let _ = self.events.try_send((self.peer, event));
    }
}

impl LinkSink for Sink {
    fn datagram(&mut self, _received_us: u64, bytes: Bytes) {
        self.tell(LinkEvent::Datagram(bytes));
    }

    fn control(&mut self, bytes: Bytes) {
        match Control::input(&bytes) {
            Some(batch) => self.input.pass(batch.to_vec()),
            None => self.tell(LinkEvent::Control(bytes)),
        }
    }

    fn blob(&mut self, kind: u8, bytes: Bytes) {
        let length = bytes.len();
        let event = (self.peer, LinkEvent::Blob(kind, bytes));
        if self.room.take(length) && self.events.try_send(event).is_err() {
            self.room.give(length);
        }
    }

    fn mtu(&mut self, max_datagram_bytes: usize) {
        self.tell(LinkEvent::Mtu(max_datagram_bytes));
    }

    fn path(&mut self, switch: PathSwitch) {
        self.tell(LinkEvent::Path(switch));
    }

    fn drained(&mut self) {
        if self.tell_drained.swap(false, Ordering::AcqRel) {
            self.tell(LinkEvent::Drained);
        }
    }

    fn closed(&mut self, reason: CloseReason) {
        let mut last = (self.peer, LinkEvent::Closed(reason));
        // The pipeline always drains its queue, and the end must not be lost.
        while let Err(TrySendError::Full(back)) = self.events.try_send(last) {
            last = back;
            std::thread::yield_now();
        }
    }
}
