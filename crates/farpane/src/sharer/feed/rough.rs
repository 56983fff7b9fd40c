//! Fewer colours first, and less detail, where the path would take too long to carry all.

use super::Feed;
use super::pixels::MAX_COST;
use crate::sharer::encoders::{Encoders, Manner};
use crate::sharer::screen::Screen;
use farpane_codec::video::busy;
use farpane_codec::{Detail, Effort, Reduction};
use farpane_frame::Rect;

/// What the path carries in this long is sent exactly.
const PATIENCE_S: f64 = 0.12;
/// What it carries in this long with fewer colours keeps its detail; what takes longer than the
/// second has a quarter of its pixels.
const FULL_S: f64 = 0.1;
const HALF_ROWS_S: f64 = 0.25;
/// Tiles that are encoded to learn how long all take, and what share of their bytes they would
/// take among others.
const SAMPLED_TILES: usize = 24;
const SAMPLED_SHARE: f64 = 0.8;
/// Where the path carries fewer bytes a second the encoder takes longer to save some.
const CAREFUL_BYTES_PER_S: f64 = 2.5e6;
/// Fewer tiles are sent exactly in any case.
const LEAST_TILES: usize = 32;
/// Bytes per pixel assumed at least.
const LEAST_COST: f64 = 0.06;

/// While what is stale goes with fewer colours: which, for the picture at hand.
pub(super) type Rough = Option<Reduction>;

/// What was learnt of what is stale by encoding some of it.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// What it takes as a whole.
    bytes_per_px: Option<f64>,
    /// Whether its photographs were looked at.
    photographs: bool,
}

impl Feed {
    /// Which colours become which in what is planned; `None` is all of them. Once some of
    /// it went with fewer, all does: what is left must not wait longer than what went first.
    pub(super) fn reduction(&mut self, screen: &Screen, encoders: &Encoders) -> Option<Reduction> {
        if self.plan.is_empty() {
            return None;
        }
        if self.rough.is_none() && self.takes_long(screen, encoders) {
            self.rough = Some(None);
        }
        if let Some(None) = self.rough {
            let colours = Reduction::new(&screen.view(), &self.plan);
            let bytes = self.sample(&self.plan, screen, encoders, Some(&colours));
            let took_s = bytes / self.carried_per_s();
            let detail = match took_s {
                _ if took_s < FULL_S => Detail::Full,
                _ if took_s < HALF_ROWS_S => Detail::HalfRows,
                _ => Detail::Quarter,
            };
            self.rough = Some(Some(colours.with(detail)));
        }
        self.rough.clone().flatten()
    }

    /// About how many bytes some parts take, with all their colours or with fewer.
    pub(super) fn sample(
        &self,
        parts: &[(u32, Rect)],
        screen: &Screen,
        encoders: &Encoders,
        reduction: Option<&Reduction>,
    ) -> f64 {
        let every = parts.len().div_ceil(SAMPLED_TILES).max(1);
        let some: Vec<(u32, Rect)> = parts.iter().step_by(every).copied().collect();
        let manner = Manner { closed_at: usize::MAX, effort: Effort::Quick, reduction };
        let sampled = encoders.groups(screen.grid(), &screen.view(), &[&some], manner);
        let bytes: usize = sampled.iter().map(|batch| batch.data.len()).sum();
        bytes as f64 * SAMPLED_SHARE * parts.len() as f64 / some.len().max(1) as f64
    }

    /// Whether the path would take long to carry the plan. Where what its tiles took before says
    /// so, some of them are encoded to learn how much they take now; where it does not, some of the
    /// photographs in it, which take many times what was there before.
    fn takes_long(&mut self, screen: &Screen, encoders: &Encoders) -> bool {
        if self.plan.len() < LEAST_TILES || !self.is_path_known {
            return false;
        }
        let patience = self.carried_per_s() * PATIENCE_S;
        let area_px: u64 = self.plan.iter().map(|(_, area)| area.area_px()).sum();
        if area_px as f64 * MAX_COST <= patience {
            return false;
        }
        let bytes: f64 = self.plan.iter().map(|part| self.costs.at_least(part, LEAST_COST)).sum();
        if bytes > patience {
            let bytes_per_px = match self.samples.bytes_per_px {
                Some(bytes_per_px) => bytes_per_px,
                None => self.sample(&self.plan, screen, encoders, None) / area_px as f64,
            };
            self.samples.bytes_per_px = Some(bytes_per_px);
            return bytes_per_px * area_px as f64 > patience;
        }
        if std::mem::replace(&mut self.samples.photographs, true) {
            return false;
        }
        let photographs: Vec<(u32, Rect)> =
            busy(&screen.view(), &self.plan).into_iter().flat_map(|busy| busy.parts).collect();
        bytes + self.sample(&photographs, screen, encoders, None) > patience
    }

    /// What bytes are worth on the path.
    pub(super) fn effort(&self) -> Effort {
        let slow = self.is_path_known && self.carried_per_s() < CAREFUL_BYTES_PER_S;
        if slow { Effort::Careful } else { Effort::Quick }
    }

    /// Bytes a second that the path is believed to carry.
    pub(super) fn carried_per_s(&self) -> f64 {
        self.controller.carried_bytes_per_s() as f64
    }
}
