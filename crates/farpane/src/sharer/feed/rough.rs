//! Fewer colours first, where the path would take too long to carry all of them.

use super::Feed;
use crate::sharer::screen::Screen;
use farpane_codec::Reduction;

/// What the path carries in this long is sent exactly.
const PATIENCE_S: f64 = 0.2;
/// Fewer tiles are sent exactly in any case.
const LEAST_TILES: usize = 32;
/// Bytes per pixel assumed at least.
const LEAST_COST: f64 = 0.06;

/// While what is stale goes with fewer colours: which, for the picture at hand.
pub(super) type Rough = Option<Reduction>;

impl Feed {
    /// Which colours become which in what is planned; `None` is all of them. Once some of
    /// it went with fewer, all does: what is left must not wait longer than what went first.
    pub(super) fn reduction(&mut self, screen: &Screen) -> Option<Reduction> {
        if self.plan.is_empty() {
            return None;
        }
        if self.rough.is_none() && self.takes_long() {
            self.rough = Some(None);
        }
        let made = self.rough.as_mut()?;
        Some(made.get_or_insert_with(|| Reduction::new(&screen.view(), &self.plan)).clone())
    }

    /// Whether the path would take long to carry the plan.
    fn takes_long(&self) -> bool {
        if self.plan.len() < LEAST_TILES || !self.is_path_known {
            return false;
        }
        let carried = self.controller.window_bytes() as f64 * 1e6;
        let carried_per_s = carried / self.controller.rtt_us().max(1_000) as f64;
        let bytes: f64 = self.plan.iter().map(|part| self.costs.at_least(part, LEAST_COST)).sum();
        bytes > carried_per_s * PATIENCE_S
    }
}
