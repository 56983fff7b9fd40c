//! Farpane: compared, what moved found, what the helper's cache holds taken from there, the rest
//! encoded; on one core, with all the network that it wants.

use crate::recordings::Shot;
use crate::subjects::Subject;
use farpane_codec::{BatchDecoder, BatchEncoder};
use farpane_damage::{Changes, Differ, Kernel, Motion, MoveFinder};
use farpane_frame::{FrameBuf, Move, PixelFormat, Rect, Size, TileGrid};
use farpane_proto::feedback::Feedback;
use farpane_proto::screen::{
    BatchId, BatchInfo, MAX_BATCH_BYTES, ReceiverEvent, Repeat, ScreenReceiver, ScreenSender,
    SenderEvent,
};

// What is stored where is decided as the product does it.
#[path = "../../crates/farpane/src/sharer/slots.rs"]
#[allow(dead_code, reason = "the product may ask more of it")]
mod slots;

use slots::SlotCache;

/// As in the product: what a change must be to be searched for moves, how long a tile must have
/// stood still to be kept, and what is aimed at for a batch.
const MIN_MOVE_AREA_PX: u64 = 4_096;
const KEEP_AFTER_US: u64 = 250_000;
const BATCH_TILES: usize = 16;
const BATCH_BYTES: f32 = 12_000.0;
/// Bytes per pixel assumed before anything was encoded.
const INITIAL_COST: f32 = 0.5;

const DATAGRAM_BYTES: usize = 1_200;
/// How long a helper takes to report, and so the least between two frames.
const REPORT_US: u64 = 15_000;

/// A sharer, and a helper to whom everything gets at once.
pub(crate) struct Farpane {
    now_us: u64,
    canon: FrameBuf,
    differ: Differ,
    finder: MoveFinder,
    motion: Motion,
    changes: Changes,
    changed: Vec<(u32, Rect)>,
    moves: Vec<Move>,
    sender: ScreenSender,
    slots: SlotCache,
    encoder: BatchEncoder,
    /// Bytes per pixel that each tile took last.
    costs: Vec<f32>,
    bytes: usize,
    receiver: ScreenReceiver,
    decoder: BatchDecoder,
}

impl Farpane {
    pub(crate) fn new(size: Size) -> Self {
        let (kernel, grid) = (Kernel::detect(), TileGrid::new(size));
        Self {
            now_us: 0,
            canon: FrameBuf::new(size, PixelFormat::Bgrx).expect("a valid size"),
            differ: Differ::new(kernel),
            finder: MoveFinder::new(kernel),
            motion: Motion::new(),
            changes: Changes::new(),
            changed: Vec::new(),
            moves: Vec::new(),
            sender: ScreenSender::new(0, 0, size, DATAGRAM_BYTES),
            slots: SlotCache::new(grid),
            encoder: BatchEncoder::new(),
            costs: vec![INITIAL_COST; grid.tiles() as usize],
            bytes: 0,
            receiver: ScreenReceiver::new(),
            decoder: BatchDecoder::default(),
        }
    }

    fn compare(&mut self, shot: &Shot) {
        let (next, canon) = (shot.view(), self.canon.view());
        let within = shot.rects();
        self.differ.compare(&canon, &next, within, &mut self.changes).expect("alike");
        self.changed.clear();
        self.changed.extend(self.changes.iter());
        self.moves.clear();
        if self.changes.area_px() >= MIN_MOVE_AREA_PX {
            self.changes.set_aside(self.motion.tiles());
            self.finder.find(&canon, &next, &self.changes, &mut self.moves);
        }
        self.motion.observe(&self.changes, &self.moves, shot.time_us);
    }

    /// Offers what is about to change to the helper's cache.
    fn stores(&mut self) -> Vec<(u32, u16)> {
        let view = self.canon.view();
        let (sender, slots, now_us) = (&self.sender, &mut self.slots, self.now_us);
        let kept = |tile: u32| {
            let (_, changed_us) = sender.stale_part(tile);
            now_us - changed_us >= KEEP_AFTER_US && sender.is_settled(tile)
        };
        let tiles = self.changed.iter().map(|(tile, _)| *tile).filter(|tile| kept(*tile));
        tiles.filter_map(|tile| Some((tile, slots.offer(&view, tile)?))).collect()
    }

    /// What costs next to nothing in one batch, with the pixels when they are few; the rest in
    /// groups.
    fn encode(&mut self, stores: Vec<(u32, u16)>, copies: Vec<Move>) {
        let (view, sender) = (self.canon.view(), &self.sender);
        let (mut cached, mut plan) = (Vec::new(), Vec::new());
        for tile in sender.stale_tiles() {
            let area = sender.stale_part(tile).0;
            match self.slots.find(&view, tile, area) {
                Some(slot) => cached.push((slot, tile, area)),
                None => plan.push((tile, area)),
            }
        }
        let cost: f32 = plan.iter().map(|part| cost(&self.costs, part)).sum();
        let few = plan.len() <= BATCH_TILES && cost <= BATCH_BYTES;
        let rest = if few { Vec::new() } else { std::mem::take(&mut plan) };
        if !(stores.is_empty() && copies.is_empty() && cached.is_empty() && plan.is_empty()) {
            let encoder = &mut self.encoder;
            encoder.begin(self.sender.grid());
            stores.iter().for_each(|(tile, slot)| encoder.store(*tile, *slot));
            copies.iter().for_each(|m| encoder.copy(*m));
            cached.iter().for_each(|(slot, tile, area)| encoder.cached(*slot, *tile, *area));
            plan.iter().for_each(|(_, area)| encoder.pixels(&view, *area));
            let data = finish(encoder);
            learn(&mut self.costs, &plan, data.len());
            let mut writes: Vec<_> = cached.iter().map(|(_, tile, area)| (*tile, *area)).collect();
            writes.extend(plan);
            let plain = stores.is_empty() && copies.is_empty() && cached.is_empty();
            let repeat = if plain { Repeat::WhileUnchanged } else { Repeat::Never };
            let info = BatchInfo { data: data.into(), writes, copies, repeat };
            let id = self.push(info);
            self.slots.handle_sent(id, stores.into_iter().map(|(_, slot)| slot).collect());
        }
        self.encode_groups(&rest);
    }

    fn encode_groups(&mut self, mut rest: &[(u32, Rect)]) {
        while !rest.is_empty() {
            let (mut len, mut expected) = (0, 0.0);
            for part in rest.iter().take(BATCH_TILES) {
                if len > 0 && expected >= BATCH_BYTES {
                    break;
                }
                expected += cost(&self.costs, part);
                len += 1;
            }
            let (group, tail) = rest.split_at(len);
            self.encode_group(group);
            rest = tail;
        }
    }

    fn encode_group(&mut self, group: &[(u32, Rect)]) {
        let view = self.canon.view();
        self.encoder.begin(self.sender.grid());
        group.iter().for_each(|(_, area)| self.encoder.pixels(&view, *area));
        let data = finish(&mut self.encoder);
        learn(&mut self.costs, group, data.len());
        if data.len() > MAX_BATCH_BYTES && group.len() > 1 {
            let (a, b) = group.split_at(group.len() / 2);
            self.encode_group(a);
            return self.encode_group(b);
        }
        let (data, writes) = (data.into(), group.to_vec());
        let (copies, repeat) = (Vec::new(), Repeat::WhileUnchanged);
        self.push(BatchInfo { data, writes, copies, repeat });
    }

    fn push(&mut self, info: BatchInfo) -> BatchId {
        self.bytes += info.data.len();
        self.sender.push_batch(info)
    }

    /// What the helper does with a datagram's events.
    fn drain(&mut self, helper: &mut FrameBuf) {
        while let Some(event) = self.receiver.poll_event() {
            if let ReceiverEvent::Batch { data, .. } = event {
                self.decoder.decode(&data, helper, &mut Vec::new()).expect("a valid batch");
            }
        }
    }
}

impl Subject for Farpane {
    fn name(&self) -> String {
        "farpane".into()
    }

    fn frame(&mut self, shot: &Shot) -> usize {
        self.now_us = shot.time_us.max(self.now_us + REPORT_US);
        self.bytes = 0;
        self.compare(shot);
        let stores = self.stores();
        let mut copies = Vec::new();
        self.sender.handle_frame(self.now_us, &self.changed, &self.moves, &mut copies);
        self.differ.apply(&mut self.canon, &shot.view(), &self.changes).expect("alike");
        self.sender.begin_update();
        self.encode(stores, copies);
        self.sender.end_update();
        self.bytes
    }

    fn show(&mut self, helper: &mut FrameBuf) {
        while let Some(datagram) = self.sender.poll_datagram(self.now_us) {
            self.receiver.handle_datagram(self.now_us, &datagram).expect("a valid datagram");
            self.drain(helper);
        }
        let later_us = self.now_us + REPORT_US;
        while let Some(report) = self.receiver.poll_feedback(later_us) {
            let mut out = Vec::new();
            report.write(&mut out);
            let report = Feedback::read(&out).expect("a valid report");
            self.sender.handle_feedback(later_us, &report).expect("about what was sent");
        }
        while let Some(event) = self.sender.poll_event() {
            match event {
                SenderEvent::Delivered(batch) => self.slots.handle_fate(batch, true),
                SenderEvent::Failed(batch) => self.slots.handle_fate(batch, false),
            }
        }
    }
}

fn finish(encoder: &mut BatchEncoder) -> Vec<u8> {
    let mut data = Vec::new();
    encoder.finish(&mut data);
    data
}

fn cost(costs: &[f32], (tile, area): &(u32, Rect)) -> f32 {
    costs[*tile as usize] * area.area_px() as f32
}

fn learn(costs: &mut [f32], writes: &[(u32, Rect)], bytes: usize) {
    let area_px: u64 = writes.iter().map(|(_, area)| area.area_px()).sum();
    for (tile, _) in writes {
        costs[*tile as usize] = bytes as f32 / area_px as f32;
    }
}
