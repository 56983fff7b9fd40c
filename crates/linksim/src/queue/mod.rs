//! What waits in front of a link's transmitter.

mod codel;
mod drop_tail;
mod dual_pi2;

use crate::{Ns, Packet};
use codel::CoDel;
use drop_tail::DropTail;
use dual_pi2::DualPi2;

/// How a link's queue is managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// First in, first out; what comes to a full queue is dropped.
    DropTail {
        /// The most bytes that wait.
        bytes: u64,
    },
    /// Drop-tail whose size is a time at the link's rate of that moment.
    DropTailTime {
        /// How long the last packet may have to wait.
        time: Ns,
    },
    /// Controlled delay (RFC 8289): drops, or marks what may be marked.
    CoDel {
        /// The wait aimed at; 5 ms in the RFC.
        target: Ns,
        /// About a round trip; 100 ms in the RFC.
        interval: Ns,
        /// The most bytes that wait.
        bytes: u64,
    },
    /// Dual queue, coupled, with a PI2 controller (RFC 9332).
    DualPi2 {
        /// The most bytes that wait in both queues.
        bytes: u64,
    },
}

/// A packet that waits.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    pub(crate) packet: Packet<T>,
    pub(crate) since: Ns,
}

#[derive(Debug)]
pub(crate) enum Queue<T> {
    DropTail(DropTail<T>),
    CoDel(CoDel<T>),
    DualPi2(DualPi2<T>),
}

impl<T> Queue<T> {
    pub(crate) fn new(kind: QueueKind) -> Self {
        match kind {
            QueueKind::DropTail { bytes } => Self::DropTail(DropTail::new(bytes)),
            // The link knows its rate and asks for the time itself.
            QueueKind::DropTailTime { .. } => Self::DropTail(DropTail::new(u64::MAX)),
            QueueKind::CoDel { target, interval, bytes } => {
                Self::CoDel(CoDel::new(target, interval, bytes))
            }
            QueueKind::DualPi2 { bytes } => Self::DualPi2(DualPi2::new(bytes)),
        }
    }

    /// Takes a packet in; false when it was dropped.
    pub(crate) fn push(&mut self, now: Ns, packet: Packet<T>) -> bool {
        let waiting = Waiting { packet, since: now };
        match self {
            Self::DropTail(queue) => queue.push(waiting),
            Self::CoDel(queue) => queue.push(waiting),
            Self::DualPi2(queue) => queue.push(waiting),
        }
    }

    /// The next packet to send at `now`, and how many were dropped before it.
    pub(crate) fn pop(&mut self, now: Ns, random: &mut fastrand::Rng) -> (Option<Waiting<T>>, u64) {
        match self {
            Self::DropTail(queue) => (queue.pop(), 0),
            Self::CoDel(queue) => queue.pop(now),
            Self::DualPi2(queue) => queue.pop(now, random),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::DropTail(queue) => queue.bytes(),
            Self::CoDel(queue) => queue.bytes(),
            Self::DualPi2(queue) => queue.bytes(),
        }
    }

    /// Since when the packet that waits longest has waited.
    pub(crate) fn oldest(&self) -> Option<Ns> {
        match self {
            Self::DropTail(queue) => queue.oldest(),
            Self::CoDel(queue) => queue.oldest(),
            Self::DualPi2(queue) => queue.oldest(),
        }
    }
}
