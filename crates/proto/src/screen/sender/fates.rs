//! What reports say: what arrived, what was lost, and what that means for tiles.

use super::again::Again;
use super::{FeedbackReport, Sample, ScreenSender, SenderEvent, Sent};
use crate::WireError;
use crate::feedback::Feedback;
use crate::screen::inflight::{BatchId, BatchInfo, Repeat};
use farpane_frame::Rect;

impl ScreenSender {
    /// Takes a helper's report in.
    ///
    /// # Errors
    /// It reports datagrams that were never sent; the connection should end.
    pub fn handle_feedback(
        &mut self,
        now_us: u64,
        feedback: &Feedback,
    ) -> Result<FeedbackReport, WireError> {
        let mut report = FeedbackReport::default();
        if feedback.decided > self.next_seq {
            let (value, bound) = (feedback.decided, self.next_seq);
            return Err(WireError::Bound { field: "decided", value, bound });
        }
        self.measure(now_us, feedback, &mut report);
        // Reports may overtake each other; what a later one said counts.
        report.marked = feedback.marked.saturating_sub(self.marked);
        self.marked = self.marked.max(feedback.marked);
        let first = self.next_seq - self.sent.len() as u64;
        let ranges: Vec<_> = feedback.ranges().collect();
        for seq in first..feedback.decided {
            let Some(datagram) = self.sent.pop_front() else { break };
            self.sent_bytes -= u64::from(datagram.bytes);
            if matches!(datagram.what, Sent::Part { is_video: true, .. }) {
                self.sent_video_bytes -= u64::from(datagram.bytes);
            }
            let received =
                ranges.iter().any(|(from, to, received)| *received && (*from..*to).contains(&seq));
            if received {
                report.acked_bytes += u64::from(datagram.bytes);
                self.acked(&datagram.what);
            } else {
                report.lost_datagrams += 1;
                report.lost_bytes += u64::from(datagram.bytes);
                self.lost(&datagram.what);
            }
        }
        if report.lost_datagrams > 0 {
            self.lost_us = Some(now_us);
        }
        if feedback.decided > first {
            self.probes = 0;
            let waits = !self.sent.is_empty();
            if !waits {
                self.tail_us.clear();
            }
            self.probe_at_us = waits.then(|| now_us + self.probe_wait_us(now_us));
        }
        Ok(report)
    }

    fn measure(&mut self, now_us: u64, feedback: &Feedback, report: &mut FeedbackReport) {
        let first = self.next_seq - self.sent.len() as u64;
        for arrival in &feedback.arrivals {
            let index = arrival.seq.checked_sub(first).map(|i| i as usize);
            let Some(datagram) = index.and_then(|i| self.sent.get(i)) else { continue };
            let (sent_us, bytes) = (datagram.sent_us, datagram.bytes);
            report.samples.push(Sample { sent_us, received_us: arrival.received_us, bytes });
        }
        let newest = report.samples.iter().max_by_key(|s| s.received_us);
        report.rtt_us = newest
            .map(|s| now_us.saturating_sub(s.sent_us).saturating_sub(feedback.delay_us).max(1));
        if let Some(rtt_us) = report.rtt_us {
            self.rtt_us = rtt_us;
        }
    }

    fn acked(&mut self, what: &Sent) {
        let Sent::Part { batch, index, generation, .. } = *what else { return };
        if generation != self.generation {
            return;
        }
        self.generation_known = true;
        let Some(acked) = self.in_flight.get_mut(batch) else { return };
        if acked.ack(index) {
            acked.arrived = true;
            self.handle_arrived(batch);
        }
    }

    /// A batch arrived as a whole: it was applied, unless it waits for another. Then that is, too,
    /// what waited for it.
    fn handle_arrived(&mut self, id: BatchId) {
        let mut arrived = vec![id];
        while let Some(id) = arrived.pop() {
            let order = self.in_flight.get(id).and_then(|batch| batch.order);
            if self.chain.holds(order) {
                continue;
            }
            let Some(done) = self.in_flight.remove(id) else { continue };
            if done.info.repeat == Repeat::WhileVideo {
                self.parity.handle_delivered(done.spare < done.parity.len() as u32);
            }
            self.land(&done.info);
            self.events.push_back(SenderEvent::Delivered(id));
            if order.is_some_and(|order| order.is_member) {
                self.chain.handle_applied(id);
                let waiting = self.in_flight.iter().filter(|(_, batch)| batch.arrived);
                arrived.extend(waiting.map(|(id, _)| id).collect::<Vec<_>>().into_iter().rev());
            }
        }
    }

    fn lost(&mut self, what: &Sent) {
        match *what {
            Sent::Cursor => self.cursor_due = true,
            Sent::Part { batch, index, generation, .. } if generation == self.generation => {
                self.lost_part(batch, index);
            }
            Sent::Probe | Sent::Part { .. } => {}
        }
    }

    fn lost_part(&mut self, id: BatchId, index: u32) {
        let Some(batch) = self.in_flight.get_mut(id).filter(|batch| !batch.has(index)) else {
            return; // an earlier one of the same arrived, or it is of no use any more
        };
        // One that was to go as a copy, or again, goes once.
        self.repeats.retain(|other| (other.batch, other.index) != (id, index));
        if batch.lose() {
            return; // parity stands for it
        }
        let is_in_order = batch.info.repeat == Repeat::InOrder;
        if batch.info.repeat == Repeat::WhileVideo {
            self.parity.handle_repeat();
        }
        if !self.is_retained(id) || !self.may_repeat(id) {
            return self.give_up(id);
        }
        self.repeats.push_back(Again { batch: id, index, is_copy: false });
        // Later copies read what it should have written, unless they wait for it.
        let Some(batch) = self.in_flight.get_mut(id).filter(|_| !is_in_order) else { return };
        batch.repaired = true;
        let areas = batch.info.writes.iter().map(|(_, area)| *area).collect();
        self.spoil(id, areas);
    }

    fn is_retained(&self, id: BatchId) -> bool {
        self.in_flight.get(id).is_some_and(|batch| self.in_flight.is_retained(id, batch))
    }

    /// Whether the batch lost a part that is being sent again.
    pub fn is_repaired(&self, id: BatchId) -> bool {
        self.in_flight.get(id).is_some_and(|batch| batch.repaired)
    }

    /// Gives a batch up, because the helper cannot use it: what it wrote is stale, unless it was
    /// optional. Nothing when its fate is known.
    pub fn abandon(&mut self, id: BatchId) {
        self.give_up(id);
    }

    /// The helper will not apply this batch: what it wrote is stale, and so is what copies took
    /// from there, unless it was optional.
    pub(super) fn give_up(&mut self, id: BatchId) {
        let Some(batch) = self.in_flight.get(id) else { return };
        if !batch.order.is_some_and(|order| order.is_member) {
            return self.give_up_one(id);
        }
        // What waits for a member waits in vain, and the next begins a new chain.
        let waiting = self.in_flight.iter().filter(|(_, batch)| self.chain.holds(batch.order));
        let ordered: Vec<BatchId> = waiting.map(|(id, _)| id).chain(self.chain.front()).collect();
        self.chain.clear();
        ordered.into_iter().for_each(|id| self.give_up_one(id));
    }

    fn give_up_one(&mut self, id: BatchId) {
        let Some(batch) = self.in_flight.get(id) else { return };
        let mut areas: Vec<Rect> = batch.info.writes.iter().map(|(_, area)| *area).collect();
        areas.extend(batch.info.copies.iter().map(|m| m.dst));
        self.spoil(id, areas);
        let Some(batch) = self.in_flight.remove(id) else { return };
        for (tile, area) in batch.info.writes.iter().filter(|_| !batch.info.optional) {
            self.tiles.lose(id, *tile, *area);
        }
        for m in &batch.info.copies {
            self.tiles.lose_area(id, m.dst);
        }
        self.land(&batch.info);
        self.events.push_back(SenderEvent::Failed(id));
    }

    fn spoil(&mut self, id: BatchId, areas: Vec<Rect>) {
        if self.in_flight.get(id).is_some_and(|batch| batch.info.optional) {
            return;
        }
        let tiles = &mut self.tiles;
        self.in_flight.spoiled_by(id, areas, |copy, area| tiles.lose_area(copy, area));
    }

    fn land(&mut self, info: &BatchInfo) {
        for (tile, _) in &info.writes {
            let tile = self.tiles.get_mut(*tile);
            tile.flight = tile.flight.saturating_sub(1);
        }
        for m in &info.copies {
            for (tile, _) in self.tiles.grid().split(m.dst) {
                let tile = self.tiles.get_mut(tile);
                tile.flight = tile.flight.saturating_sub(1);
            }
        }
    }
}
