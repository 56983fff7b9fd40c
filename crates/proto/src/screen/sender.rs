//! The sharer's side of screen synchronisation, for one helper.

mod again;
mod fates;

use self::again::Again;
use super::chain::Chain;
use super::inflight::{Batch, BatchId, BatchInfo, InFlight, Repeat};
use super::parity::Parity;
use super::tiles::{Tile, Tiles, without};
use crate::datagram::{
    Body, Code, Cursor, Datagram, MAX_PART_HEADER_BYTES, MAX_PARTS, MIN_DATAGRAM_BYTES, Part,
};
use bytes::Bytes;
use farpane_frame::{Move, Rect, Size, TileGrid};
use std::collections::VecDeque;

/// The round-trip time assumed before the first measurement.
const INITIAL_RTT_US: u64 = 100_000;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderEvent {
    /// The helper has applied it.
    Delivered(BatchId),
    /// The helper will never apply it; what it carried is stale again.
    Failed(BatchId),
}

/// One datagram's journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was sent, sharer's clock.
    pub sent_us: u64,
    /// When it arrived, helper's clock.
    pub received_us: u64,
    /// Its size.
    pub bytes: u32,
}

/// What a helper's feedback said, for the rate controller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedbackReport {
    /// Datagrams that arrived, with times.
    pub samples: Vec<Sample>,
    /// Bytes that arrived.
    pub acked_bytes: u64,
    /// Datagrams that were lost.
    pub lost_datagrams: u64,
    /// Bytes that were lost.
    pub lost_bytes: u64,
    /// Packets that arrived marked by the network since the report before.
    pub marked: u64,
    /// The round-trip time without the helper's own wait, when measured.
    pub rtt_us: Option<u64>,
}

#[derive(Debug)]
enum Sent {
    Part { batch: BatchId, index: u32, generation: u32, is_video: bool },
    Cursor,
    Probe,
}

/// A part that has never been sent.
#[derive(Debug)]
struct Fresh {
    batch: BatchId,
    index: u32,
    bytes: u64,
}

#[derive(Debug)]
struct SentDatagram {
    what: Sent,
    sent_us: u64,
    bytes: u32,
}

/// Keeps one helper's canvas equal to the sharer's screen.
///
/// Tell it each captured state with [`handle_frame`](Self::handle_frame), encode what
/// [`stale_tiles`](Self::stale_tiles) names, hand batches over with
/// [`push_batch`](Self::push_batch), send what [`poll_datagram`](Self::poll_datagram) gives, feed
/// reports to [`handle_feedback`](Self::handle_feedback) and call
/// [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct ScreenSender {
    generation: u32,
    generation_known: bool,
    tiles: Tiles,
    state: u64,
    update: u64,
    in_flight: InFlight,
    chain: Chain,
    fresh: VecDeque<Fresh>,
    /// Parts of access units and what must not overtake them; they go last.
    fresh_video: VecDeque<Fresh>,
    repeats: VecDeque<Again>,
    /// What goes a second time, and when.
    copies: VecDeque<(u64, Again)>,
    newest: Option<BatchId>,
    cursor: Option<Cursor>,
    cursor_due: bool,
    probe_due: bool,
    next_seq: u64,
    sent: VecDeque<SentDatagram>,
    sent_bytes: u64,
    sent_video_bytes: u64,
    queued_bytes: u64,
    queued_video_bytes: u64,
    probe_at_us: Option<u64>,
    probes: u32,
    /// When probes follow what was sent last.
    tail_us: VecDeque<u64>,
    /// When the last loss was reported.
    lost_us: Option<u64>,
    parity: Parity,
    rtt_us: u64,
    /// What the reports said of marks.
    marked: u64,
    max_datagram_bytes: usize,
    events: VecDeque<SenderEvent>,
}

impl ScreenSender {
    /// A helper that knows nothing yet of a screen of `size`.
    pub fn new(now_us: u64, generation: u32, size: Size, max_datagram_bytes: usize) -> Self {
        Self {
            generation,
            generation_known: false,
            tiles: Tiles::new(size, now_us),
            state: 1,
            update: 0,
            in_flight: InFlight::default(),
            chain: Chain::new(TileGrid::new(size).tiles()),
            fresh: VecDeque::new(),
            fresh_video: VecDeque::new(),
            repeats: VecDeque::new(),
            copies: VecDeque::new(),
            newest: None,
            cursor: None,
            cursor_due: false,
            probe_due: false,
            next_seq: 0,
            sent: VecDeque::new(),
            sent_bytes: 0,
            sent_video_bytes: 0,
            queued_bytes: 0,
            queued_video_bytes: 0,
            probe_at_us: None,
            probes: 0,
            tail_us: VecDeque::new(),
            lost_us: None,
            parity: Parity::default(),
            rtt_us: INITIAL_RTT_US,
            marked: 0,
            max_datagram_bytes: max_datagram_bytes.max(MIN_DATAGRAM_BYTES),
            events: VecDeque::new(),
        }
    }

    /// The screen is another one now: everything is stale, what is in flight no longer counts.
    pub fn reset(&mut self, now_us: u64, generation: u32, size: Size) {
        self.generation = generation;
        self.generation_known = false;
        self.tiles = Tiles::new(size, now_us);
        self.state += 1;
        self.in_flight.clear();
        self.chain = Chain::new(self.tiles.grid().tiles());
        self.fresh.clear();
        self.fresh_video.clear();
        self.repeats.clear();
        self.copies.clear();
        self.newest = None;
        (self.queued_bytes, self.queued_video_bytes) = (0, 0);
        self.events.clear();
    }

    /// How large a datagram the path carries. Batches that were cut into larger parts are given
    /// up when their turn comes; what they carried is stale again.
    pub fn set_max_datagram_bytes(&mut self, bytes: usize) {
        self.max_datagram_bytes = bytes.max(MIN_DATAGRAM_BYTES);
    }

    /// The screen's generation.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The tile grid of the screen.
    pub fn grid(&self) -> TileGrid {
        self.tiles.grid()
    }

    /// Accounts for a newly captured state: `changed` lists each changed part of a tile, `moves`
    /// what merely moved (verified by the caller). Fills `copies` with the moves worth sending:
    /// they must go out, in one batch, before any other batch of this state, or be reported
    /// unsent with [`forget_copies`](Self::forget_copies).
    pub fn handle_frame(
        &mut self,
        now_us: u64,
        changed: &[(u32, Rect)],
        moves: &[Move],
        copies: &mut Vec<Move>,
    ) {
        self.state += 1;
        self.tiles.change(self.state, now_us, changed, moves, copies);
    }

    /// Declares that copies asked for are not going out: their destinations are stale.
    pub fn forget_copies(&mut self, copies: &[Move]) {
        for m in copies {
            self.tiles.lose_area(BatchId::MAX, m.dst);
        }
    }

    /// The tiles of which something is stale, ascending.
    pub fn stale_tiles(&self) -> impl Iterator<Item = u32> + '_ {
        self.tiles.dirty().iter()
    }

    /// Whether anything is stale.
    pub fn is_stale(&self) -> bool {
        !self.tiles.dirty().is_empty()
    }

    /// The stale part of a tile and when the tile last changed.
    pub fn stale_part(&self, tile: u32) -> (Rect, u64) {
        let tile = self.tiles.get(tile);
        (tile.stale, tile.changed_us)
    }

    /// The tiles of which something is lossy, ascending.
    pub fn lossy_tiles(&self) -> impl Iterator<Item = u32> + '_ {
        self.tiles.rough().iter()
    }

    /// Whether anything is lossy.
    pub fn is_lossy(&self) -> bool {
        !self.tiles.rough().is_empty()
    }

    /// The lossy part of a tile, when the tile last changed, and whether nothing in flight writes
    /// to it: only then may the part be written exactly.
    pub fn lossy_part(&self, tile: u32) -> (Rect, u64, bool) {
        let tile = self.tiles.get(tile);
        (tile.lossy, tile.changed_us, tile.flight == 0)
    }

    /// Whether the helper is known to hold exactly the current state of this tile.
    pub fn is_settled(&self, tile: u32) -> bool {
        let tile = self.tiles.get(tile);
        tile.stale.is_empty() && tile.lossy.is_empty() && tile.flight == 0
    }

    /// Whether the helper is known to hold exactly the current screen.
    pub fn is_synchronised(&self) -> bool {
        let queued = !self.fresh.is_empty() || !self.fresh_video.is_empty();
        !self.is_stale() && !self.is_lossy() && self.sent.is_empty() && !queued
    }

    /// Begins a new update; batches pushed from now on belong to it. Gives its number.
    pub fn begin_update(&mut self) -> u64 {
        self.update += 1;
        self.update
    }

    /// Queues a batch. The parts it writes are no longer stale, but lossy where it is. Access units
    /// wait behind all else that is queued, and what writes to their tiles waits behind them.
    ///
    /// # Panics
    /// When the batch does not fit into [`MAX_PARTS`] datagrams.
    pub fn push_batch(&mut self, info: BatchInfo) -> BatchId {
        self.break_old_chain();
        let id = self.number(info);
        self.place(id);
        let Some(batch) = self.in_flight.get_mut(id) else { return id };
        for (tile, _) in &batch.info.writes {
            batch.mends |= self.tiles.take_lost(*tile);
        }
        let Some(batch) = self.in_flight.get(id) else { return id };
        let is_video = batch.info.repeat == Repeat::WhileVideo;
        let mut behind_video = is_video;
        for (index, area) in batch.info.writes.iter() {
            let Tile { stale, lossy, .. } = *self.tiles.get(*index);
            self.tiles.set_stale(*index, without(stale, *area));
            let lossy = if batch.info.lossy { lossy.union(*area) } else { without(lossy, *area) };
            self.tiles.set_lossy(*index, lossy);
            let tile = self.tiles.get_mut(*index);
            tile.flight += 1;
            if !batch.info.optional {
                (tile.writer, tile.written) = (id, *area);
            }
            if !is_video {
                tile.kept_from = id + 1;
            }
        }
        let grid = self.tiles.grid();
        for (index, _) in batch.info.copies.iter().flat_map(|m| grid.split(m.dst)) {
            let tile = self.tiles.get_mut(index);
            tile.flight += 1;
            tile.kept_from = id + 1;
        }
        let parts = (0..batch.all_parts()).map(|index| {
            let bytes = batch.part(index).len() as u64;
            Fresh { batch: id, index, bytes }
        });
        let parts: Vec<_> = parts.collect();
        behind_video |= !self.fresh_video.is_empty() && self.touches_video(batch);
        let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
        if behind_video {
            self.fresh_video.extend(parts);
            self.queued_video_bytes += bytes;
        } else {
            self.fresh.extend(parts);
            self.queued_bytes += bytes;
        }
        self.newest = Some(id);
        id
    }

    /// Cuts a batch into parts, adds parity to video where losses ask for it, and numbers it.
    fn number(&mut self, info: BatchInfo) -> BatchId {
        // Parity wants an even number.
        let part_bytes = (self.max_datagram_bytes - MAX_PART_HEADER_BYTES) & !1;
        assert!(info.data.len() <= part_bytes * MAX_PARTS as usize, "batch too large");
        let parts = info.data.len().div_ceil(part_bytes) as u32;
        let parity = match info.repeat {
            Repeat::WhileVideo => self.parity.parts(parts, self.rtt_us),
            _ => 0,
        };
        self.in_flight.push(info, (self.update, self.state), part_bytes, parity)
    }

    /// Gives a new batch its place among those that are applied in order.
    fn place(&mut self, id: BatchId) {
        let (grid, Some(batch)) = (self.tiles.grid(), self.in_flight.get_mut(id)) else { return };
        let info = &batch.info;
        let copied = info.copies.iter().flat_map(|m| [m.src(), m.dst]);
        let touched = info.writes.iter().map(|(tile, _)| *tile).chain(info.stores.iter().copied());
        let touched = touched.chain(copied.flat_map(|area| grid.split(area)).map(|(tile, _)| tile));
        batch.order = self.chain.place(id, info.repeat == Repeat::InOrder, touched);
    }

    /// Ends a chain that has become longer than what the helper keeps.
    fn break_old_chain(&mut self) {
        let oldest = self.chain.front().and_then(|id| Some((id, self.in_flight.get(id)?)));
        if let Some((id, batch)) = oldest
            && !self.in_flight.is_retained(id, batch)
        {
            self.give_up(id);
        }
    }

    /// Whether a batch writes to a tile that an access unit in the queue writes to. Batches with
    /// copies count as such: they keep their place.
    fn touches_video(&self, batch: &Batch) -> bool {
        let mut queued: Vec<_> = self.fresh_video.iter().map(|part| part.batch).collect();
        queued.dedup();
        let written = |tile: u32| {
            let queued = queued.iter().filter_map(|id| self.in_flight.get(*id));
            queued.into_iter().any(|other| other.info.writes.iter().any(|(t, _)| *t == tile))
        };
        let mut copied = batch.info.copies.iter().flat_map(|m| self.tiles.grid().split(m.dst));
        batch.info.writes.iter().any(|(tile, _)| written(*tile))
            || copied.any(|(tile, _)| written(tile))
    }

    /// The update is complete: the last datagram of its last batch says so. An update without
    /// batches is nothing.
    pub fn end_update(&mut self) {
        if let Some(batch) = self.newest.take().and_then(|id| self.in_flight.get_mut(id)) {
            batch.ends_update = true;
        }
    }

    /// Where the pointer is now; sent when it differs from what was sent last.
    pub fn set_cursor(&mut self, cursor: Cursor) {
        if self.cursor != Some(cursor) {
            self.cursor = Some(cursor);
            self.cursor_due = true;
        }
    }

    /// Where the pointer was last said to be.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Bytes sent whose fate is not known.
    pub fn in_flight_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Of the bytes sent whose fate is not known those of access units.
    pub fn in_flight_video_bytes(&self) -> u64 {
        self.sent_video_bytes
    }

    /// Bytes of batches queued and not sent yet, without those of access units.
    pub fn queued_bytes(&self) -> u64 {
        self.queued_bytes
    }

    /// Bytes of access units queued and not sent yet, and of what waits behind them.
    pub fn queued_video_bytes(&self) -> u64 {
        self.queued_video_bytes
    }

    /// Whether [`poll_datagram`](Self::poll_datagram) has something to give.
    pub fn has_datagram(&self) -> bool {
        let queued = !self.fresh.is_empty() || !self.fresh_video.is_empty();
        self.cursor_due || self.probe_due || queued || !self.repeats.is_empty()
    }

    /// Whether the next datagram is one of an access unit, or of what waits behind one.
    pub fn is_video_next(&self) -> bool {
        !self.has_urgent_datagram() && self.fresh.is_empty() && self.repeats.is_empty()
    }

    /// Whether the next datagram is one that must not wait for the window: a probe or the cursor.
    pub fn has_urgent_datagram(&self) -> bool {
        self.cursor_due || self.probe_due
    }

    /// The next datagram to send; it counts as sent at `now_us`.
    pub fn poll_datagram(&mut self, now_us: u64) -> Option<Bytes> {
        let seq = self.next_seq;
        let (body, what) = self.next_body(now_us)?;
        let mut out = Vec::with_capacity(self.max_datagram_bytes);
        Datagram { seq, body }.write(&mut out);
        self.next_seq += 1;
        if matches!(what, Sent::Part { .. }) {
            self.tail_us.clear();
            if !self.has_datagram() {
                self.probe_the_end(now_us);
            }
        }
        self.sent_bytes += out.len() as u64;
        if matches!(what, Sent::Part { is_video: true, .. }) {
            self.sent_video_bytes += out.len() as u64;
        }
        self.sent.push_back(SentDatagram { what, sent_us: now_us, bytes: out.len() as u32 });
        if self.probe_at_us.is_none() {
            self.probe_at_us = Some(now_us + self.probe_wait_us(now_us));
        }
        Some(out.into())
    }

    fn next_body(&mut self, now_us: u64) -> Option<(Body, Sent)> {
        if std::mem::take(&mut self.probe_due) {
            return Some((Body::Probe, Sent::Probe));
        }
        if std::mem::take(&mut self.cursor_due)
            && let Some(cursor) = self.cursor
        {
            return Some((Body::Cursor(cursor), Sent::Cursor));
        }
        while let Some(again) = self.repeats.pop_front() {
            let Again { batch: id, index, is_copy } = again;
            if self.may_repeat(id) && self.fits(id) {
                if !is_copy {
                    self.copy_later(now_us, id, index);
                }
                if let Some(part) = self.part(id, index) {
                    return Some(part);
                }
            } else if !is_copy {
                self.give_up(id);
            }
        }
        while let Some(fresh) = self.next_fresh() {
            if !self.fits(fresh.batch) {
                self.give_up(fresh.batch);
            } else if let Some(part) = self.part(fresh.batch, fresh.index) {
                if self.goes_twice(now_us, fresh.batch) {
                    self.copy_later(now_us, fresh.batch, fresh.index);
                }
                return Some(part);
            }
        }
        None
    }

    fn next_fresh(&mut self) -> Option<Fresh> {
        if let Some(fresh) = self.fresh.pop_front() {
            self.queued_bytes -= fresh.bytes;
            return Some(fresh);
        }
        let fresh = self.fresh_video.pop_front()?;
        self.queued_video_bytes -= fresh.bytes;
        Some(fresh)
    }

    fn part(&self, id: BatchId, index: u32) -> Option<(Body, Sent)> {
        let batch = self.in_flight.get(id)?;
        let parity = index.checked_sub(batch.parts);
        let code = Code { parity: batch.parity.len() as u32, bytes: batch.info.data.len() as u32 };
        let generation = self.generation;
        let part = Part {
            generation,
            size: (!self.generation_known).then(|| self.tiles.grid().size()),
            update: batch.update,
            ends_update: index + 1 == batch.parts && batch.ends_update,
            batch: id,
            index: parity.unwrap_or(index),
            count: batch.parts,
            code: parity.map(|_| code),
            order: batch.order,
            data: batch.part(index),
        };
        let is_video = batch.info.repeat == Repeat::WhileVideo;
        Some((Body::Part(part), Sent::Part { batch: id, index, generation, is_video }))
    }

    /// What became of batches.
    pub fn poll_event(&mut self) -> Option<SenderEvent> {
        self.events.pop_front()
    }
}
