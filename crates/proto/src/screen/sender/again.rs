//! What goes again: lost parts, parts that may have been, and questions for reports.

use super::{ScreenSender, Sent};
use crate::datagram::MAX_PART_HEADER_BYTES;
use crate::screen::inflight::{Batch, BatchId, Repeat};

/// After the last part that is queued probes follow so soon: a loss at the end shows as a gap then,
/// as one in the middle does. Several, as losses come in bursts; on a path that loses more of them.
const TAIL_US: &[u64] = &[5_000, 15_000];
const LOSSY_TAIL_US: &[u64] = &[3_000, 7_000, 12_000];
/// What was lost before goes a second time so soon, unless it is known to have arrived.
const AGAIN_US: u64 = 10_000;
/// A path that lost something is one that loses for so long: what others wait for goes twice.
const LOSSY_US: u64 = 10_000_000;
/// With a question for feedback so many of the oldest parts go again, and where something was lost
/// of late once more after these times: a burst of losses may not be over.
const AGAIN_PARTS: usize = 8;
const AGAIN_AFTER_US: [u64; 2] = [4_000, 8_000];
/// The first waits for feedback grow no longer: a path that is cut comes back soon, or not.
const EVEN_PROBES: u32 = 6;
/// Waits for feedback are at least this long before asking for it, and where something was lost of
/// late before asking again.
const MIN_PROBE_US: u64 = 40_000;
const MIN_NEXT_PROBE_US: u64 = 20_000;
/// And at most this long, however often there was no answer.
const MAX_PROBE_US: u64 = 500_000;

/// A part that goes again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    pub(super) batch: BatchId,
    pub(super) index: u32,
    /// Whether the one before may still arrive.
    pub(super) is_copy: bool,
}

impl ScreenSender {
    /// Nothing else is queued: probes are to show whether the last part arrived.
    pub(super) fn probe_the_end(&mut self, now_us: u64) {
        let tail_us = if self.is_lossy_path(now_us) { LOSSY_TAIL_US } else { TAIL_US };
        self.tail_us.extend(tail_us.iter().map(|after_us| now_us + after_us));
    }

    /// The same part goes a second time, unless it is known by then to have arrived.
    pub(super) fn copy_later(&mut self, now_us: u64, batch: BatchId, index: u32) {
        self.copy_at(now_us + AGAIN_US, batch, index);
    }

    fn copy_at(&mut self, at_us: u64, batch: BatchId, index: u32) {
        let place = self.copies.partition_point(|(other_us, _)| *other_us <= at_us);
        self.copies.insert(place, (at_us, Again { batch, index, is_copy: true }));
    }

    /// Whether something was lost of late.
    fn is_lossy_path(&self, now_us: u64) -> bool {
        self.lost_us.is_some_and(|at_us| now_us < at_us + LOSSY_US)
    }

    /// Whether the path still carries the parts that the batch was cut into.
    pub(super) fn fits(&self, id: BatchId) -> bool {
        let part = |batch: &Batch| batch.part(0).len() + MAX_PART_HEADER_BYTES;
        self.in_flight.get(id).is_none_or(|batch| part(batch) <= self.max_datagram_bytes)
    }

    /// Whether the batch may be applied later than its turn was.
    pub(super) fn may_repeat(&self, id: BatchId) -> bool {
        self.in_flight.get(id).is_some_and(|batch| {
            let mut tiles = batch.info.writes.iter().map(|(tile, _)| self.tiles.get(*tile));
            match batch.info.repeat {
                Repeat::Never => false,
                Repeat::InOrder => true,
                Repeat::WhileUnchanged => tiles.all(|tile| tile.changed_state <= batch.state),
                Repeat::WhileVideo => tiles.all(|tile| tile.kept_from <= id),
            }
        })
    }

    /// Whether a batch is worth a second try before the first is known to have failed.
    pub(super) fn goes_twice(&self, now_us: u64, id: BatchId) -> bool {
        let Some(batch) = self.in_flight.get(id) else { return false };
        let is_awaited = batch.parts == 1 && batch.order.is_some_and(|order| order.is_member);
        batch.mends || (is_awaited && self.is_lossy_path(now_us))
    }

    /// Lets time pass: asks for feedback that has been missing for too long.
    pub fn handle_timeout(&mut self, now_us: u64) {
        while let Some((_, again)) = self.copies.pop_front_if(|(at_us, _)| *at_us <= now_us) {
            let Again { batch, index, .. } = again;
            if self.in_flight.get(batch).is_some_and(|batch| !batch.has(index)) {
                self.repeats.push_back(again);
            }
        }
        if self.probe_at_us.is_some_and(|at| now_us >= at) {
            self.repeat_oldest(now_us);
            self.probe_due = true;
            self.probes += 1;
            self.probe_at_us = Some(now_us + self.probe_wait_us(now_us));
        }
        while self.tail_us.pop_front_if(|at_us| *at_us <= now_us).is_some() {
            self.probe_due = true;
        }
    }

    /// Datagrams go by another path from now on: asks at once what arrived by the old one.
    pub fn handle_path_change(&mut self, now_us: u64) {
        if self.probe_at_us.is_some() {
            self.repeat_oldest(now_us);
            self.probe_due = true;
            self.probes = 0;
            self.probe_at_us = Some(now_us + self.probe_wait_us(now_us));
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next; `None` while all is settled.
    pub fn poll_timeout(&self) -> Option<u64> {
        let copy_us = self.copies.front().map(|(at_us, _)| *at_us);
        let tail_us = self.tail_us.front().copied();
        [self.probe_at_us, tail_us, copy_us].into_iter().flatten().min()
    }

    /// Sends the oldest parts whose fate is not known once more.
    fn repeat_oldest(&mut self, now_us: u64) {
        if !self.repeats.is_empty() {
            return;
        }
        let parts = self.sent.iter().filter_map(|datagram| match datagram.what {
            Sent::Part { batch, index, generation, .. } if generation == self.generation => {
                Some(Again { batch, index, is_copy: true })
            }
            _ => None,
        });
        let missing = parts.filter(|again| {
            let batch = self.in_flight.get(again.batch);
            batch.is_some_and(|batch| !batch.has(again.index))
        });
        self.repeats = missing.take(AGAIN_PARTS).collect();
        let twice = if self.is_lossy_path(now_us) { self.repeats.len() } else { 0 };
        for at in 0..twice {
            let Again { batch, index, .. } = self.repeats[at];
            for after_us in AGAIN_AFTER_US {
                self.copy_at(now_us + after_us, batch, index);
            }
        }
    }

    pub(super) fn probe_wait_us(&self, now_us: u64) -> u64 {
        // A queue that grows must not pass for a loss.
        let wait = match (self.is_lossy_path(now_us), self.probes) {
            (false, _) => (self.rtt_us * 5 / 4).max(MIN_PROBE_US),
            (true, 0) => (self.rtt_us * 9 / 8).max(MIN_PROBE_US),
            (true, _) => (self.rtt_us / 2).max(MIN_NEXT_PROBE_US),
        };
        let doubled = self.probes.saturating_sub(EVEN_PROBES).min(8);
        (wait << doubled).min(MAX_PROBE_US.max(wait))
    }
}
