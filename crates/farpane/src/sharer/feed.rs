//! One helper's feed: what to send, how much of it, when. Sans-IO.

mod keep;
mod light;
mod pixels;
mod rest;
mod rough;
mod still;

use super::encoders::Encoders;
use super::screen::Screen;
use super::slots::SlotCache;
use super::stills::StillQueue;
use super::video::{OpenEncoder, Video};
use bytes::Bytes;
use farpane_codec::video::MAX_REGIONS;
use farpane_frame::{Move, Rect, Size, TileGrid, TileSet};
use farpane_net::{PathKind, PathSwitch};
use farpane_proto::datagram::Cursor;
use farpane_proto::feedback::Feedback;
use farpane_proto::screen::{BatchInfo, Repeat, ScreenSender, SenderEvent};
use farpane_proto::{WireError, screen::BatchId};
use farpane_rate::{Controller, Pacer, Report, Sample, ScreamController, frame_budget_bytes};
use pixels::Costs;
use rough::{Rough, Samples};
use still::Stills;

/// While more waits than the path carries the screen is looked at this often: what changes again
/// need not be sent twice, and what is small goes first.
const LOOK_US: u64 = 33_000;

/// What an update was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UpdateStats {
    pub(crate) update: u64,
    pub(crate) tiles: u32,
    pub(crate) copies: u32,
    pub(crate) cached: u32,
    /// Access units of video.
    pub(crate) units: u32,
    pub(crate) bytes: u64,
    /// Whether anything is still stale: the budget did not suffice.
    pub(crate) partial: bool,
}

/// Everything the sharer keeps for one helper.
pub(crate) struct Feed {
    sender: ScreenSender,
    slots: SlotCache,
    controller: Box<dyn Controller>,
    /// What was learnt of the path that was in use before, by its kind.
    parked: Option<(PathKind, Box<dyn Controller>)>,
    pacer: Pacer,
    stores: Vec<(u32, u16)>,
    /// Tiles that changed since they were offered to the helper's cache.
    unkept: TileSet,
    /// Tiles that took many bytes since they changed.
    dear: TileSet,
    /// Bytes of stores that no update has counted yet.
    kept_bytes: u64,
    copies: Vec<Move>,
    costs: Costs,
    plan: Vec<(u32, Rect)>,
    /// Whether a report said how fast the path is.
    is_path_known: bool,
    /// While what is stale goes with fewer colours.
    rough: Option<Rough>,
    /// What was learnt of what is stale since the last change.
    samples: Samples,
    /// Tiles that went with fewer colours last.
    rough_tiles: TileSet,
    stills: Stills,
    video: Video,
    /// Stale parts that go as video, by stream.
    films: [Vec<(u32, Rect)>; MAX_REGIONS],
    /// Whether stale parts that go as tiles were left for later.
    waits: bool,
    /// When to look at the screen again although much waits to be sent.
    look_us: Option<u64>,
    /// When a stream may encode the next picture, or something lossy is to become exact.
    due_us: Option<u64>,
}

impl Feed {
    /// A helper that has nothing yet of this screen, sees films as `video` encodes them and
    /// photographs as `stills` makes them.
    pub(crate) fn new(
        now_us: u64,
        generation: u32,
        size: Size,
        max_datagram: usize,
        video: Option<OpenEncoder>,
        stills: Option<StillQueue>,
    ) -> Self {
        let sender = ScreenSender::new(now_us, generation, size, max_datagram);
        let controller = Box::new(ScreamController::new());
        let grid = sender.grid();
        Self {
            pacer: Pacer::new(now_us, controller.pacing_bytes_per_s()),
            slots: SlotCache::new(grid),
            costs: Costs::new(grid),
            unkept: all_tiles(grid),
            dear: TileSet::new(grid.tiles()),
            kept_bytes: 0,
            sender,
            controller,
            parked: None,
            stores: Vec::new(),
            copies: Vec::new(),
            plan: Vec::new(),
            is_path_known: false,
            rough: None,
            samples: Samples::default(),
            rough_tiles: TileSet::new(grid.tiles()),
            stills: Stills::new(grid, stills),
            video: Video::new(size, video),
            films: Default::default(),
            waits: true,
            look_us: None,
            due_us: None,
        }
    }

    /// The screen is another one, or what of it the helper has is not known any more.
    pub(crate) fn reset(&mut self, now_us: u64, screen: &Screen) {
        let grid = screen.grid();
        // Counted here: a source that was opened anew counts from the beginning.
        let generation = self.sender.generation().wrapping_add(1);
        self.sender.reset(now_us, generation, grid.size());
        self.slots = SlotCache::new(grid);
        self.costs = Costs::new(grid);
        (self.unkept, self.dear) = (all_tiles(grid), TileSet::new(grid.tiles()));
        (self.rough, self.rough_tiles) = (None, TileSet::new(grid.tiles()));
        self.stores.clear();
        self.copies.clear();
        self.stills.reset(grid);
        self.video.reset(grid.size());
    }

    /// Accounts for a change of the screen, while `screen` still shows the old picture.
    pub(crate) fn handle_change(&mut self, now_us: u64, screen: &Screen) {
        self.keep_what_changes(now_us, screen);
        self.sender.forget_copies(&self.copies);
        let (changed, moves) = (screen.changed(), screen.moves());
        self.sender.handle_frame(now_us, changed, moves, &mut self.copies);
        self.stills.handle_changed(changed);
        self.drop_outdated_still(now_us);
    }

    /// Takes in what was changed, once `screen` shows it.
    pub(crate) fn handle_applied(&mut self, now_us: u64, screen: &Screen) {
        self.video.observe(now_us, screen);
        self.samples = Samples::default();
        if let Some(made) = &mut self.rough {
            *made = None;
        }
    }

    /// The helper could not decode a stream of video.
    pub(crate) fn handle_undecodable(&mut self, stream: u8) {
        self.video.handle_undecodable(stream);
        self.stills.handle_undecodable(stream);
    }

    /// Where the pointer is.
    pub(crate) fn set_cursor(&mut self, cursor: Cursor) {
        self.sender.set_cursor(cursor);
    }

    /// How large a datagram may be.
    pub(crate) fn set_max_datagram_bytes(&mut self, bytes: usize) {
        self.sender.set_max_datagram_bytes(bytes);
    }

    /// Datagrams go by another path: each has its own rate.
    pub(crate) fn handle_path_change(&mut self, now_us: u64, switch: &PathSwitch) {
        let known = self.parked.take().filter(|(kind, _)| *kind == switch.to);
        let next = known.map_or_else(|| Box::new(ScreamController::new()) as _, |(_, known)| known);
        let last = std::mem::replace(&mut self.controller, next);
        self.parked = Some((switch.from, last));
        self.pacer.set_rate(now_us, self.controller.pacing_bytes_per_s());
        self.sender.handle_path_change(now_us);
    }

    /// Notes that a frame was captured.
    pub(crate) fn handle_captured(&mut self, now_us: u64) {
        self.look_us = Some(now_us + LOOK_US);
    }

    /// Whether a newer screen could be sent at once, as nothing waits in front of it, or what
    /// waits is to be replaced by newer pixels.
    pub(crate) fn wants_frame(&mut self, now_us: u64) -> bool {
        let window = self.controller.window_bytes();
        let ready = self.sender.queued_bytes() == 0 && self.in_flight_bytes() < window;
        self.look_us.take_if(|at| ready || now_us >= *at).is_some() || ready
    }

    /// Bytes in flight, but for those of video, which wait for all else.
    fn in_flight_bytes(&self) -> u64 {
        self.sender.in_flight_bytes() - self.sender.in_flight_video_bytes()
    }

    /// Whether the helper is known to hold exactly the current screen.
    #[cfg(any(test, feature = "lab"))]
    pub(crate) fn is_synchronised(&self) -> bool {
        self.sender.is_synchronised()
    }

    /// Bytes that may be in flight.
    pub(crate) fn window_bytes(&self) -> u64 {
        self.controller.window_bytes()
    }

    /// How long datagrams wait on the way.
    pub(crate) fn queue_delay_us(&self) -> u64 {
        self.controller.queue_delay_us()
    }

    /// Smoothed round-trip time.
    pub(crate) fn rtt_us(&self) -> u64 {
        self.controller.rtt_us()
    }

    /// Encodes what is stale and no video, as far as the budget goes.
    pub(crate) fn flush(
        &mut self,
        now_us: u64,
        screen: &Screen,
        encoders: &Encoders,
    ) -> Option<UpdateStats> {
        let mut budget = self.budget();
        self.route(now_us);
        let due = !self.copies.is_empty() || (budget > 0 && !self.plan.is_empty());
        if !due {
            return None;
        }
        let (update, bytes) = (self.sender.begin_update(), std::mem::take(&mut self.kept_bytes));
        let mut stats = UpdateStats { update, bytes, ..Default::default() };
        if budget == 0 {
            self.plan.clear();
        }
        let light = self.take_light(screen, encoders);
        let reduction = self.reduction(screen, encoders);
        self.order_plan(budget);
        let spent = self.push_light(light, screen, encoders, &mut stats);
        budget = budget.saturating_sub(spent);
        self.push_pixels(screen, encoders, budget, reduction.as_ref(), &mut stats);
        self.sender.end_update();
        self.route(now_us);
        if !self.waits {
            self.rough = None;
        }
        stats.partial = self.waits;
        Some(stats)
    }

    /// Sorts what is stale into tiles and films. What is at rest is no film.
    fn route(&mut self, now_us: u64) {
        self.plan.clear();
        self.films.iter_mut().for_each(Vec::clear);
        for tile in self.sender.stale_tiles() {
            let (area, changed_us) = self.sender.stale_part(tile);
            let moves = now_us < changed_us + self.video.quiet_us(area);
            let Some((stream, part)) = self.video.claim(tile, area).filter(|_| moves) else {
                self.plan.push((tile, area));
                continue;
            };
            self.films[stream].push((tile, part));
            let rest = area.subtract(part).into_iter().fold(Rect::default(), Rect::union);
            if !rest.is_empty() {
                self.plan.push((tile, rest));
            }
        }
        self.waits = !self.plan.is_empty();
    }

    /// Orders the plan: as it lies when all fits, else small parts and old debts first.
    fn order_plan(&mut self, budget: u64) {
        if self.costs.of(&self.plan) > budget as f64 {
            let sender = &self.sender;
            self.plan.sort_by_key(|(tile, area)| {
                (area.area_px().ilog2() / 2, sender.stale_part(*tile).1, *tile)
            });
        }
    }

    /// Tells the caches, the films and the stills what became of batches; whether there was
    /// anything.
    fn take_fates(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.sender.poll_event() {
            any = true;
            let (batch, delivered) = match event {
                SenderEvent::Delivered(batch) => (batch, true),
                SenderEvent::Failed(batch) => (batch, false),
            };
            self.slots.handle_fate(batch, delivered);
            self.stills.handle_fate(batch);
            if !delivered {
                self.slots.orphans().for_each(|tile| {
                    self.unkept.insert(tile);
                });
            }
            for useless in self.video.handle_fate(batch, delivered) {
                self.sender.abandon(useless);
            }
        }
        any
    }

    fn push(&mut self, info: BatchInfo, stats: &mut UpdateStats) -> (BatchId, u64) {
        let bytes = info.data.len() as u64;
        stats.tiles += info.writes.len() as u32;
        stats.bytes += bytes;
        let rough = info.lossy && info.repeat != Repeat::WhileVideo;
        if info.lossy && !info.optional {
            self.stills.handle_lossy();
        }
        // What is optional shows better what went with fewer colours.
        for (tile, _) in info.writes.iter().filter(|_| !info.optional) {
            if rough {
                self.rough_tiles.insert(*tile)
            } else {
                self.rough_tiles.remove(*tile)
            };
        }
        (self.sender.push_batch(info), bytes)
    }

    /// Takes a helper's report in.
    ///
    /// # Errors
    /// The report is invalid; the connection should end.
    pub(crate) fn handle_datagram(&mut self, now_us: u64, bytes: &[u8]) -> Result<(), WireError> {
        let feedback = Feedback::read(bytes)?;
        let in_flight_bytes = self.sender.in_flight_bytes();
        let report = self.sender.handle_feedback(now_us, &feedback)?;
        self.take_fates();
        let samples: Vec<Sample> = report
            .samples
            .iter()
            .map(|s| Sample { sent_us: s.sent_us, received_us: s.received_us, bytes: s.bytes })
            .collect();
        let report = Report {
            samples: &samples,
            acked_bytes: report.acked_bytes,
            lost_bytes: report.lost_bytes,
            marked: report.marked,
            rtt_us: report.rtt_us,
            in_flight_bytes,
        };
        self.controller.handle_report(now_us, &report);
        self.is_path_known |= report.rtt_us.is_some();
        self.pacer.set_rate(now_us, self.controller.pacing_bytes_per_s());
        Ok(())
    }

    /// The next datagram, when the pacer and the window let it out.
    pub(crate) fn poll_datagram(&mut self, now_us: u64) -> Option<Bytes> {
        self.sender.handle_timeout(now_us);
        if !self.sender.has_datagram() || !self.is_open() || !self.pacer.is_open(now_us) {
            return None;
        }
        let datagram = self.sender.poll_datagram(now_us)?;
        self.pacer.handle_sent(datagram.len() as u64);
        if self.sender.queued_video_bytes() == 0 {
            self.video.handle_left(now_us);
        }
        Some(datagram)
    }

    /// Bytes that the next update may take.
    fn budget(&self) -> u64 {
        frame_budget_bytes(&*self.controller, self.in_flight_bytes(), self.sender.queued_bytes())
    }

    /// When to call [`Feed::flush`] and [`Feed::poll_datagram`] again although nothing else
    /// happens; 0 is at once.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        if self.waits && self.budget() > 0 {
            return Some(0);
        }
        let paced = (self.sender.has_datagram() && self.is_open()).then(|| self.pacer.open_at_us());
        let look_us = self.look_us.filter(|_| self.waits);
        [paced, self.due_us, look_us, self.sender.poll_timeout()].into_iter().flatten().min()
    }

    /// Whether the window has room. A quarter more is for tiles when video fills it, and for
    /// repeats.
    fn is_open(&self) -> bool {
        let window = self.controller.window_bytes();
        let more = if self.sender.is_video_next() { 0 } else { window / 4 };
        self.sender.has_urgent_datagram() || self.sender.in_flight_bytes() < window + more
    }
}

fn all_tiles(grid: TileGrid) -> TileSet {
    let mut tiles = TileSet::new(grid.tiles());
    (0..grid.tiles()).for_each(|tile| {
        tiles.insert(tile);
    });
    tiles
}
