//! How much parity access units get: as much as losses have shown to be worth it.

use crate::datagram::MAX_PARITY;

/// A repeat that comes within this round trip is no later than parity would have to be.
const REPEAT_US: u64 = 50_000;
/// Parity of a unit's parts after the first repeat, as a share of them; it doubles with each.
const FIRST_SHARE: f64 = 0.05;
const MOST_SHARE: f64 = 0.5;
/// Below it there is none.
const LEAST_SHARE: f64 = 0.02;
/// With every unit that lost nothing so much of the share is left: a repeat's worth is forgotten
/// after some 90 units, three seconds.
const KEPT: f64 = 0.99;

/// Adapts the share.
#[derive(Debug, Default)]
pub(super) struct Parity {
    share: f64,
}

impl Parity {
    /// The parts of parity for a unit of so many parts over such a round trip.
    pub(super) fn parts(&self, parts: u32, rtt_us: u64) -> u32 {
        if rtt_us <= REPEAT_US || self.share < LEAST_SHARE {
            return 0;
        }
        ((f64::from(parts) * self.share).ceil() as u32).min(MAX_PARITY)
    }

    /// A unit had to be repeated in part.
    pub(super) fn handle_repeat(&mut self) {
        self.share = (self.share * 2.0).clamp(FIRST_SHARE, MOST_SHARE);
    }

    /// A unit arrived. What parity saved shows that it is needed.
    pub(super) fn handle_delivered(&mut self, lost_any: bool) {
        self.share = if lost_any { self.share.max(FIRST_SHARE) } else { self.share * KEPT };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR_US: u64 = 200_000;

    #[test]
    fn none_without_losses_or_where_a_repeat_is_soon_enough() {
        let mut parity = Parity::default();
        assert_eq!(parity.parts(100, FAR_US), 0);
        parity.handle_repeat();
        assert_eq!(parity.parts(100, REPEAT_US), 0);
        assert_eq!(parity.parts(100, FAR_US), 5);
        assert_eq!(parity.parts(1, FAR_US), 1);
    }

    #[test]
    fn it_grows_with_repeats_to_a_half_and_is_forgotten_without_losses() {
        let mut parity = Parity::default();
        let mut shares = Vec::new();
        for _ in 0..6 {
            parity.handle_repeat();
            shares.push(parity.parts(100, FAR_US));
        }
        assert_eq!(shares, [5, 10, 20, 40, 50, 50]);
        (0..400).for_each(|_| parity.handle_delivered(false));
        assert_eq!(parity.parts(100, FAR_US), 0);
    }

    #[test]
    fn what_it_saves_keeps_it() {
        let mut parity = Parity::default();
        parity.handle_repeat();
        for unit in 0..3_000 {
            parity.handle_delivered(unit % 50 == 49);
            assert!(parity.parts(100, FAR_US) > 0, "unit {unit}");
        }
    }
}
