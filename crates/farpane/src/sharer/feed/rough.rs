//! Fewer colours first, where the path would take too long to carry all of them.

use super::Feed;
use crate::sharer::screen::Screen;
use farpane_codec::Reduction;

/// What the path carries in this long is sent exactly.
const PATIENCE_S: f64 = 0.2;
/// Fewer tiles are sent exactly in any case.
const LEAST_TILES: usize = 32;
/// Bytes per pixel assumed at least of a tile that is not plain.
const LEAST_COST: f64 = 0.06;

/// While what is stale goes with fewer colours: which, for the picture at hand.
pub(super) type Rough = Option<Reduction>;

impl Feed {
    /// Which colours become which in what is to be sent now; `None` is all of them. Once some of
    /// it went with fewer, all does: what is left must not wait longer than what went first.
    pub(super) fn reduction(&mut self, screen: &Screen) -> Option<Reduction> {
        if self.plan.is_empty() {
            return None;
        }
        if self.rough.is_none() && self.takes_long(screen) {
            self.rough = Some(None);
        }
        let made = self.rough.as_mut()?;
        Some(made.get_or_insert_with(|| Reduction::new(&screen.view(), &self.plan)).clone())
    }

    /// Whether the path would take long to carry the plan.
    fn takes_long(&self, screen: &Screen) -> bool {
        if self.plan.len() < LEAST_TILES || !self.is_path_known {
            return false;
        }
        let carried = self.controller.window_bytes() as f64 * 1e6;
        let carried_per_s = carried / self.controller.rtt_us().max(1_000) as f64;
        let view = screen.view();
        let coloured = self.plan.iter().filter(|(_, area)| view.uniform(*area).is_none());
        let cost = |part| self.costs.at_least(part, LEAST_COST);
        let (tiles, bytes) = coloured.fold((0, 0.0), |(n, sum), part| (n + 1, sum + cost(part)));
        tiles >= LEAST_TILES && bytes > carried_per_s * PATIENCE_S
    }
}
