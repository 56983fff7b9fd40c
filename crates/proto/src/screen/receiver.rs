//! The helper's side of screen synchronisation.

use super::assembly::Assembly;
use super::order::{Ordered, Whole};
use super::reorder::Reorder;
use crate::datagram::{Body, Cursor, Datagram, Part};
use crate::{WireError, feedback::Feedback};
use bytes::Bytes;
use farpane_frame::Size;
use std::collections::VecDeque;

/// Time between reports while datagrams arrive, until [`ScreenReceiver::set_rtt`] says better.
const DEFAULT_REPORT_US: u64 = 5_000;
/// Bounds of that time: a quarter of the round trip inside them.
const REPORT_US: std::ops::RangeInclusive<u64> = 1_000..=20_000;

/// What the helper is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiverEvent {
    /// A new canvas: black, of this size; the tile cache is empty.
    Canvas {
        /// Its generation.
        generation: u32,
        /// Its size.
        size: Size,
    },
    /// Operations to apply to the canvas.
    Batch {
        /// The update they belong to.
        update: u64,
        /// Their encoding.
        data: Bytes,
        /// When the datagram that completed the batch arrived.
        received_us: u64,
    },
    /// The last datagram of an update was processed: a good moment to show the canvas.
    UpdateEnd {
        /// The update.
        update: u64,
    },
    /// Where the sharer's pointer is.
    Cursor(Cursor),
}

/// Receives one sharer's screen.
///
/// Feed it with [`handle_datagram`](Self::handle_datagram) and, at the time that
/// [`poll_timeout`](Self::poll_timeout) gives, [`handle_timeout`](Self::handle_timeout). After
/// each, drain [`poll_event`](Self::poll_event) and [`poll_feedback`](Self::poll_feedback).
#[derive(Debug)]
pub struct ScreenReceiver {
    reorder: Reorder<Body>,
    assembly: Assembly,
    ordered: Ordered,
    canvas: Option<(u32, Size)>,
    events: VecDeque<ReceiverEvent>,
    update: u64,
    report_us: u64,
    report_at_us: Option<u64>,
    /// Packets that arrived marked.
    marked: u64,
}

impl Default for ScreenReceiver {
    fn default() -> Self {
        Self::new()
    }
}

impl ScreenReceiver {
    /// A receiver that has seen nothing.
    pub fn new() -> Self {
        Self {
            reorder: Reorder::new(),
            assembly: Assembly::default(),
            ordered: Ordered::default(),
            canvas: None,
            events: VecDeque::new(),
            update: 0,
            report_us: DEFAULT_REPORT_US,
            report_at_us: None,
            marked: 0,
        }
    }

    /// Tells the round-trip time, which paces reports: a quarter of it, within 1 to 20 ms.
    pub fn set_rtt(&mut self, rtt_us: u64) {
        self.report_us = (rtt_us / 4).clamp(*REPORT_US.start(), *REPORT_US.end());
    }

    /// Tells how many packets have arrived marked by the network (CE) since the connection began.
    /// The next report says so.
    pub fn set_marked(&mut self, packets: u64) {
        self.marked = packets;
    }

    /// Takes a sharer's datagram in. Duplicates and late ones are ignored.
    ///
    /// # Errors
    /// The datagram is invalid; the connection should end.
    pub fn handle_datagram(&mut self, now_us: u64, bytes: &Bytes) -> Result<(), WireError> {
        let Datagram { seq, mut body } = Datagram::read(bytes)?;
        let urgent =
            matches!(&body, Body::Probe) || matches!(&body, Body::Part(part) if part.ends_update);
        if let Body::Part(part) = &mut body
            && !self.reorder.is_next(seq)
        {
            // It may be held: let go of the memory of packets that arrived together.
            part.data = Bytes::copy_from_slice(&part.data);
        }
        if self.reorder.insert(now_us, seq, body) {
            self.report_by(if urgent { now_us } else { now_us + self.report_us });
        }
        self.release(now_us)
    }

    /// Lets time pass: gives up gaps that were open too long.
    ///
    /// # Errors
    /// A datagram held behind the gap is invalid; the connection should end.
    pub fn handle_timeout(&mut self, now_us: u64) -> Result<(), WireError> {
        self.release(now_us)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and
    /// [`poll_feedback`](Self::poll_feedback) next; `None` while all is quiet.
    pub fn poll_timeout(&self) -> Option<u64> {
        match (self.reorder.gap_until_us(), self.report_at_us) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// What to do next.
    pub fn poll_event(&mut self) -> Option<ReceiverEvent> {
        self.events.pop_front()
    }

    /// A report to send to the sharer, when one is due.
    pub fn poll_feedback(&mut self, now_us: u64) -> Option<Feedback> {
        self.report_at_us.take_if(|at| now_us >= *at)?;
        Some(Feedback { marked: self.marked, ..self.reorder.report(now_us, self.update) })
    }

    fn report_by(&mut self, at_us: u64) {
        self.report_at_us = Some(self.report_at_us.map_or(at_us, |due| due.min(at_us)));
    }

    fn release(&mut self, now_us: u64) -> Result<(), WireError> {
        if self.reorder.gap_until_us().is_some_and(|until| now_us >= until) {
            self.report_by(now_us);
        }
        while let Some((received_us, body)) = self.reorder.pop(now_us) {
            match body {
                Body::Part(part) => self.handle_part(received_us, &part)?,
                Body::Cursor(cursor) => self.events.push_back(ReceiverEvent::Cursor(cursor)),
                Body::Probe => {}
            }
        }
        Ok(())
    }

    fn handle_part(&mut self, received_us: u64, part: &Part) -> Result<(), WireError> {
        let current = self.canvas.map(|(generation, _)| generation);
        if current.is_some_and(|current| part.generation < current) {
            return Ok(());
        }
        if current != Some(part.generation) {
            // Until the helper has confirmed a generation, every part of it names the size.
            let size = part.size.ok_or(WireError::Short("canvas size"))?;
            let generation = part.generation;
            self.canvas = Some((generation, size));
            self.assembly.clear();
            self.ordered.clear();
            self.events.push_back(ReceiverEvent::Canvas { generation, size });
        }
        let update = part.update;
        if let Some(data) = self.assembly.insert(part) {
            let whole = Whole { update, data, received_us, order: part.order };
            let ready = self.ordered.insert(part.batch, whole).into_iter();
            self.events.extend(ready.map(|Whole { update, data, received_us, .. }| {
                ReceiverEvent::Batch { update, data, received_us }
            }));
        }
        if part.ends_update {
            self.update = self.update.max(update);
            self.events.push_back(ReceiverEvent::UpdateEnd { update });
        }
        Ok(())
    }
}
