//! Exact pixels, in batches of a size that suits the path.

use super::{Feed, UpdateStats};
use crate::sharer::encoders::{Encoded, Encoders, Manner};
use crate::sharer::screen::Screen;
use farpane_codec::Reduction;
use farpane_frame::{Rect, TileGrid};
use farpane_proto::screen::{BatchInfo, MAX_BATCH_BYTES, Repeat};
use std::ops::RangeInclusive;

/// Bytes of a batch aimed at: what the path carries in this long, within these bounds. Larger ones
/// compress better; smaller ones are shown sooner, and a lost part holds up less.
const GROUP_S: f64 = 0.01;
const GROUP_BYTES: RangeInclusive<f64> = 12_000.0..=48_000.0;
/// As many tiles are taken as make the bytes aimed at when they have so few each.
const LEAST_TILE_BYTES: f64 = 375.0;
/// A batch is closed when the differences in it, which compress little, reach this multiple of
/// the bytes aimed at.
const CLOSED_AT: f64 = 1.5;
/// With few colours pixels take this share of their bytes, and so many tiles make a batch even
/// when there is room for fewer: apart they would take a third more.
const ROUGH_SHARE: f64 = 0.3;
const ROUGH_TILES: usize = 64;
/// Bytes per pixel that nothing exceeds: three colours, and a little for the operation.
pub(super) const MAX_COST: f64 = 3.1;
/// Bytes per pixel assumed before anything was encoded: those of text.
const INITIAL_COST: f32 = 0.1;

/// What a batch should be at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) tiles: usize,
    pub(super) bytes: f64,
}

/// Bytes per pixel that each tile took last.
#[derive(Debug)]
pub(super) struct Costs(Vec<f32>);

impl Costs {
    pub(super) fn new(grid: TileGrid) -> Self {
        Self(vec![INITIAL_COST; grid.tiles() as usize])
    }

    /// Bytes that some parts of tiles may take.
    pub(super) fn of(&self, parts: &[(u32, Rect)]) -> f64 {
        parts.iter().map(|part| self.of_one(part)).sum()
    }

    /// Bytes that a part may take, when nothing takes less than `least` a pixel.
    pub(super) fn at_least(&self, part: &(u32, Rect), least: f64) -> f64 {
        self.of_one(part).max(least * part.1.area_px() as f64)
    }

    fn of_one(&self, (tile, area): &(u32, Rect)) -> f64 {
        f64::from(self.0[*tile as usize]) * area.area_px() as f64
    }

    /// The parts took so many bytes together.
    pub(super) fn learn(&mut self, parts: &[(u32, Rect)], bytes: usize) {
        let area_px: u64 = parts.iter().map(|(_, area)| area.area_px()).sum();
        if area_px > 0 {
            let cost = bytes as f32 / area_px as f32;
            parts.iter().for_each(|(tile, _)| self.0[*tile as usize] = cost);
        }
    }

    /// The parts may take as much as anything can.
    pub(super) fn expect_most(&mut self, parts: &[(u32, Rect)]) {
        parts.iter().for_each(|(tile, _)| self.0[*tile as usize] = MAX_COST as f32);
    }
}

impl Feed {
    /// What a batch should be at most.
    pub(super) fn aim(&self) -> Aim {
        let carried = self.controller.pacing_bytes_per_s() as f64 * GROUP_S;
        let bytes = carried.clamp(*GROUP_BYTES.start(), *GROUP_BYTES.end());
        Aim { bytes, tiles: (bytes / LEAST_TILE_BYTES) as usize }
    }

    /// Queues the plan's pixels in groups, as many as the budget takes, with all their colours or
    /// as `reduction` leaves them.
    pub(super) fn push_pixels(
        &mut self,
        screen: &Screen,
        encoders: &Encoders,
        mut budget: u64,
        reduction: Option<&Reduction>,
        stats: &mut UpdateStats,
    ) {
        let (mut aim, mut share) = (self.aim(), 1.0);
        if reduction.is_some() {
            (aim, share) = (Aim { tiles: ROUGH_TILES, bytes: f64::INFINITY }, ROUGH_SHARE);
        }
        let mut rest = std::mem::take(&mut self.plan);
        while budget > 0 && !rest.is_empty() {
            let (mut wave, mut expected, mut at) = (Vec::new(), 0.0, 0);
            while expected < budget as f64 && at < rest.len() {
                let room = reduction.map_or(budget as f64 - expected, |_| f64::INFINITY);
                let (len, cost) = self.next_group(&rest[at..], aim, room);
                wave.push(&rest[at..at + len]);
                expected += cost * share;
                at += len;
            }
            let (closed_at, effort) = ((aim.bytes * CLOSED_AT) as usize, self.effort());
            let manner = Manner { closed_at, effort, reduction };
            let encoded = encoders.groups(screen.grid(), &screen.view(), &wave, manner);
            let left =
                wave.iter().zip(&encoded).flat_map(|(group, done)| &group[done.writes.len()..]);
            let left: Vec<_> = left.chain(&rest[at..]).copied().collect();
            for encoded in encoded {
                let bytes = self.push_encoded(screen, encoders, encoded, reduction, stats);
                budget = budget.saturating_sub(bytes);
            }
            rest = left;
        }
        self.plan = rest;
    }

    /// Queues an encoded group; one that came out too large is encoded again in halves.
    fn push_encoded(
        &mut self,
        screen: &Screen,
        encoders: &Encoders,
        encoded: Encoded,
        reduction: Option<&Reduction>,
        stats: &mut UpdateStats,
    ) -> u64 {
        if reduction.is_none() {
            self.costs.learn(&encoded.writes, encoded.data.len());
            self.note_dear(&encoded.writes, encoded.data.len());
        }
        if encoded.data.len() > MAX_BATCH_BYTES && encoded.writes.len() > 1 {
            let (a, b) = encoded.writes.split_at(encoded.writes.len() / 2);
            let manner = Manner { closed_at: usize::MAX, effort: self.effort(), reduction };
            let halves = encoders.groups(screen.grid(), &screen.view(), &[a, b], manner);
            return halves
                .into_iter()
                .map(|half| self.push_encoded(screen, encoders, half, reduction, stats))
                .sum();
        }
        let info = BatchInfo {
            data: encoded.data.into(),
            writes: encoded.writes,
            repeat: Repeat::WhileUnchanged,
            lossy: reduction.is_some(),
            ..BatchInfo::default()
        };
        self.push(info, stats).1
    }

    /// How many of the next parts make a group, and the bytes they may take.
    fn next_group(&self, rest: &[(u32, Rect)], aim: Aim, budget: f64) -> (usize, f64) {
        let (mut len, mut cost) = (0, 0.0);
        for part in rest.iter().take(aim.tiles) {
            if len > 0 && cost >= aim.bytes.min(budget) {
                break;
            }
            cost += self.costs.of_one(part);
            len += 1;
        }
        (len, cost)
    }
}
