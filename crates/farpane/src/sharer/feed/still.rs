//! Stills: a photograph at rest that the path would take long to carry exactly is shown by a
//! picture of AV1 meanwhile.
//!
//! What the still is to show goes exactly all the while, after everything else: so the path never
//! idles, and a still that comes too late, or not at all, costs nothing.

use super::pixels::MAX_COST;
use super::{Feed, UpdateStats};
use crate::sharer::encoders::Encoders;
use crate::sharer::screen::Screen;
use crate::sharer::stills::{Still, StillQueue};
use farpane_codec::video::{Busy, Chroma, LARGEST_STILL, MAX_REGIONS, Picture, VideoCodec, busy};
use farpane_codec::{MAX_UNIT_BYTES, UnitHeader};
use farpane_frame::{Rect, Size, TILE_PX, TileGrid, TileSet};
use farpane_proto::screen::{BatchId, BatchInfo, Repeat, ScreenSender};
use std::cmp::Reverse;

/// The stream of stills: the first that films do not use.
const STREAM: u8 = MAX_REGIONS as u8;
/// What the path carries exactly in this long needs no still.
const PATIENCE_S: f64 = 0.4;
/// Pixels a second that become a still, and how many times as long they must take exactly.
const MADE_PX_PER_S: f64 = 1e6;
const WORTH: f64 = 1.2;
/// Fewer tiles are not worth a still.
const LEAST_TILES: usize = 16;
/// What is left of a still's tiles must take so many times its bytes.
const SAVES: f64 = 3.0;
/// So many hundredths of the screen a still has at most: the pictures of all streams may have
/// twice its pixels, and those of films have up to 160 % of them.
const MOST_PERCENT: u64 = 40;
/// So often a still is asked after.
const POLL_US: u64 = 10_000;
/// After a film's last picture, and after a still that was outdated, there is none for this long.
const PAUSE_US: u64 = 500_000;

/// The stills of one helper.
pub(super) struct Stills {
    /// Absent where there are none.
    queue: Option<StillQueue>,
    /// The number of the next one.
    index: u32,
    /// When to look for what is worth one.
    look_us: Option<u64>,
    /// Not before this.
    pause_us: u64,
    /// Tiles that were shown by a still, or not worth it, and have not changed since.
    tried: TileSet,
    making: Option<Making>,
    /// The one whose fate is not known, when it was queued and its tiles.
    sent: Option<(BatchId, u64, Vec<u32>)>,
}

/// A still that is being made.
struct Making {
    still: Still,
    area: Rect,
    tiles: TileSet,
    begun_us: u64,
    /// Bytes for each pixel that goes exactly.
    cost: f64,
}

impl Stills {
    /// None yet on a screen of so many tiles, and none ever without a `queue`.
    pub(super) fn new(grid: TileGrid, queue: Option<StillQueue>) -> Self {
        Self {
            queue,
            index: 0,
            look_us: None,
            pause_us: 0,
            tried: TileSet::new(grid.tiles()),
            making: None,
            sent: None,
        }
    }

    /// The screen is another one.
    pub(super) fn reset(&mut self, grid: TileGrid) {
        self.tried = TileSet::new(grid.tiles());
        (self.look_us, self.making, self.sent) = (None, None, None);
    }

    /// There are none any more.
    fn end(&mut self) {
        (self.queue, self.making, self.look_us) = (None, None, None);
    }

    /// The helper could not decode a stream.
    pub(super) fn handle_undecodable(&mut self, stream: u8) {
        if stream == STREAM {
            log::warn!("stills: the helper cannot decode them");
            self.end();
        }
    }

    /// Tiles changed.
    pub(super) fn handle_changed(&mut self, changed: &[(u32, Rect)]) {
        changed.iter().for_each(|(tile, _)| {
            self.tried.remove(*tile);
        });
    }

    /// Something lossy was queued: when it rests it may be worth a still.
    pub(super) fn handle_lossy(&mut self) {
        self.look_us = Some(0);
    }

    /// A film plays.
    pub(super) fn handle_film(&mut self, now_us: u64) {
        self.pause_us = now_us + PAUSE_US;
    }

    /// A batch's fate is known.
    pub(super) fn handle_fate(&mut self, batch: BatchId) {
        self.sent.take_if(|(sent, ..)| *sent == batch);
    }

    /// Whether a still of a tile is being made.
    pub(super) fn is_making(&self, tile: u32) -> bool {
        self.making.as_ref().is_some_and(|making| making.tiles.contains(tile))
    }
}

impl Feed {
    /// Gives up what was outdated by a change.
    pub(super) fn drop_outdated_still(&mut self, now_us: u64) {
        let (stills, sender) = (&mut self.stills, &mut self.sender);
        let changed =
            |sender: &ScreenSender, tile: u32, since_us: u64| sender.stale_part(tile).1 >= since_us;
        let outdated =
            |making: &mut Making| making.tiles.iter().any(|t| changed(sender, t, making.begun_us));
        if stills.making.take_if(outdated).is_some() {
            stills.pause_us = now_us + PAUSE_US;
        }
        let outdated = |(_, at_us, tiles): &mut (BatchId, u64, Vec<u32>)| {
            tiles.iter().any(|tile| changed(sender, *tile, *at_us))
        };
        if let Some((batch, ..)) = stills.sent.take_if(outdated) {
            // What changed must not wait behind it.
            sender.abandon(batch);
            self.take_fates();
        }
    }

    /// Has a still made where one is worth it.
    pub(super) fn begin_still(&mut self, now_us: u64, screen: &Screen, encoders: &Encoders) {
        let Some(queue) = self.stills.queue.clone().filter(|_| self.stills.making.is_none()) else {
            return;
        };
        let Some(look_us) = self.stills.look_us.map(|at_us| at_us.max(self.stills.pause_us)) else {
            return;
        };
        if now_us < look_us {
            return self.wake_at(look_us);
        }
        self.stills.look_us = None;
        let parts = self.rested_parts(now_us);
        let Some((found, cost)) = self.worth_a_still(&parts, screen, encoders) else { return };
        let size = Size::new(found.area.width, found.area.height);
        let loaded = Picture::new(size, Chroma::Full).and_then(|mut picture| {
            picture.load(&screen.view(), (found.area.x, found.area.y))?;
            Ok(picture)
        });
        let Ok(picture) = loaded else { return };
        let Some(still) = Still::begin(&queue, picture) else { return };
        let mut tiles = TileSet::new(screen.grid().tiles());
        for (tile, _) in &found.parts {
            tiles.insert(*tile);
            self.stills.tried.insert(*tile);
        }
        self.stills.making =
            Some(Making { still, area: found.area, tiles, begun_us: now_us, cost });
        // There may be more photographs.
        self.stills.look_us = Some(now_us);
    }

    /// What is lossy, or about to be, once all of it is at rest: programs draw large pictures in
    /// slices.
    fn rested_parts(&mut self, now_us: u64) -> Vec<(u32, Rect)> {
        let lossy = self.sender.lossy_tiles().map(|tile| (tile, self.sender.lossy_part(tile).0));
        let about = self.plan.iter().copied().filter(|_| self.rough.is_some());
        let mut later_us = 0;
        let mut parts: Vec<(u32, Rect)> = Vec::new();
        for (tile, area) in lossy.chain(about) {
            later_us = later_us.max(self.sender.stale_part(tile).1 + self.video.quiet_us(area));
            if !self.stills.tried.contains(tile) {
                parts.push((tile, area));
            }
        }
        if now_us < later_us {
            self.stills.look_us = Some(later_us);
            self.wake_at(later_us);
            return Vec::new();
        }
        parts
    }

    /// The largest of the photographs in `parts`, and its bytes for each pixel, if those take long.
    fn worth_a_still(
        &self,
        parts: &[(u32, Rect)],
        screen: &Screen,
        encoders: &Encoders,
    ) -> Option<(Busy, f64)> {
        let patience = self.carried_per_s() * PATIENCE_S;
        if !self.is_path_known || area_px(parts) * MAX_COST < patience {
            return None;
        }
        let mut found = busy(&screen.view(), parts);
        let pointer = self.sender.cursor().map_or((0, 0), |cursor| (cursor.x, cursor.y));
        found.iter_mut().for_each(|found| fit(found, screen.grid().size(), pointer));
        let found = found.into_iter().max_by_key(|found| found.parts.len())?;
        if found.parts.len() < LEAST_TILES {
            return None;
        }
        let exact = self.sample(&found.parts, screen, encoders, None);
        let cost = exact / area_px(&found.parts);
        let made_s = found.area.area_px() as f64 / MADE_PX_PER_S;
        (exact > patience.max(made_s * WORTH * self.carried_per_s())).then_some((found, cost))
    }

    /// Queues the still when it is made and of use.
    pub(super) fn send_still(&mut self, now_us: u64, encoders: &Encoders) -> Option<UpdateStats> {
        let making = self.stills.making.as_ref()?;
        let part = |tile| {
            let ((lossy, ..), (stale, _)) =
                (self.sender.lossy_part(tile), self.sender.stale_part(tile));
            let of_use = !lossy.is_empty() && stale.is_empty() && making.area.contains(lossy);
            of_use.then_some((tile, lossy))
        };
        let writes: Vec<(u32, Rect)> = making.tiles.iter().filter_map(part).collect();
        if writes.is_empty() {
            self.stills.making = None;
            return None;
        }
        let making = self.stills.making.take_if(|making| making.still.poll().is_some());
        let Some(Making { still, area, cost, .. }) = making else {
            self.wake_at(now_us + POLL_US);
            return None;
        };
        let unit = match still.poll()? {
            Ok(unit) => unit,
            Err(error) => {
                log::warn!("stills: {error}");
                self.stills.end();
                return None;
            }
        };
        let saves = unit.len() as f64 * SAVES <= cost * area_px(&writes);
        let plays = now_us < self.stills.pause_us;
        if !saves || plays || unit.len() > MAX_UNIT_BYTES as usize {
            return None;
        }
        let (stream, codec, index) = (STREAM, VideoCodec::Av1, self.stills.index);
        self.stills.index += 1;
        let header = UnitHeader { stream, codec, index, needs: 0, area };
        let data = encoders.one(self.sender.grid(), |encoder| {
            encoder.unit(&header, unit);
            writes.iter().for_each(|(tile, part)| encoder.video(*tile, *part));
        });
        let mut stats = UpdateStats { update: self.sender.begin_update(), ..Default::default() };
        let tiles = writes.iter().map(|(tile, _)| *tile).collect();
        let info = BatchInfo {
            data: data.into(),
            writes,
            repeat: Repeat::WhileVideo,
            lossy: true,
            optional: true,
            ..BatchInfo::default()
        };
        let (batch, _) = self.push(info, &mut stats);
        self.sender.end_update();
        stats.units = 1;
        self.stills.sent = Some((batch, now_us, tiles));
        Some(stats)
    }
}

/// Reduces `found` to what one still may show: most of it, and of that the part nearest to the
/// pointer.
fn fit(found: &mut Busy, screen: Size, pointer: (i32, i32)) {
    let all = found.area;
    let most_px = screen.area_px() * MOST_PERCENT / 100;
    let (long, short) = (LARGEST_STILL.width_px, LARGEST_STILL.height_px);
    let (across, down) = if all.width >= all.height { (long, short) } else { (short, long) };
    let (mut width, mut height) = (all.width.min(across), all.height.min(down));
    while u64::from(width) * u64::from(height) > most_px {
        let longer = if width >= height { &mut width } else { &mut height };
        *longer = longer.saturating_sub(TILE_PX);
    }
    if (width, height) == (all.width, all.height) {
        return;
    }
    let steps = |from: u32, to: u32| (from..=to).step_by(TILE_PX as usize);
    let windows = steps(all.y, all.bottom() - height)
        .flat_map(|y| steps(all.x, all.right() - width).map(move |x| Rect { x, y, width, height }));
    let best = windows.max_by_key(|window| {
        let inside = found.parts.iter().filter(|(_, part)| window.contains(*part)).count();
        let (x, y) = (window.x + width / 2, window.y + height / 2);
        let far = |at: u32, to: i32| (i64::from(at) - i64::from(to)).pow(2);
        (inside, Reverse(far(x, pointer.0) + far(y, pointer.1)))
    });
    found.area = best.unwrap_or_default();
    found.parts.retain(|(_, part)| found.area.contains(*part));
}

fn area_px(parts: &[(u32, Rect)]) -> f64 {
    parts.iter().map(|(_, area)| area.area_px()).sum::<u64>() as f64
}
