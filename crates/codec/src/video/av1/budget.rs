//! How many bits pictures may take, and when an encoder must be made anew for it.

use crate::video::VideoRate;

/// rav1e cannot change its rate: while bits per picture stay between these shares of what it was
/// made for, it goes on, and pictures are skipped if it makes too much.
const KEPT: std::ops::RangeInclusive<f64> = 0.6..=1.6;
/// So many pictures lie between two such changes at least, because each needs a keyframe, which is
/// as large as about eight other units.
const LEAST_PICTURES: u32 = 30;
/// Pictures are skipped while so much of a second was spent beyond the rate. A keyframe takes a
/// third of a second.
const MOST_DEBT_S: f64 = 0.5;
/// rav1e is told this share of the rate, because it makes up to 9 % more than it was told.
const TOLD: f32 = 0.9;
/// Rates below are taken for this one.
const LEAST_BITS_PER_S: u32 = 20_000;

/// What was spent, and what the encoder was made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    rate: VideoRate,
    made_for: VideoRate,
    pictures: u32,
    debt_bits: f64,
}

impl Budget {
    pub(super) fn new(rate: VideoRate) -> Self {
        Self { rate, made_for: rate, pictures: 0, debt_bits: 0.0 }
    }

    /// Aims at another rate.
    pub(super) fn set_rate(&mut self, rate: VideoRate) {
        self.rate = rate;
    }

    /// Whether the encoder should be made anew, for [`Budget::renew`].
    pub(super) fn is_outgrown(&self) -> bool {
        let change = bits_per_picture(self.rate) / bits_per_picture(self.made_for);
        !KEPT.contains(&change) && (self.pictures == 0 || self.pictures >= LEAST_PICTURES)
    }

    /// An encoder is made: bits and pictures a second that it is told.
    pub(super) fn renew(&mut self) -> (u32, f32) {
        (self.made_for, self.pictures) = (self.rate, 0);
        let bits_per_s = self.rate.bits_per_s.max(LEAST_BITS_PER_S) as f32 * TOLD;
        (bits_per_s as u32, self.rate.pictures_per_s.max(1.0))
    }

    /// A picture is offered: whether it may be encoded.
    pub(super) fn offer(&mut self) -> bool {
        self.debt_bits = (self.debt_bits - bits_per_picture(self.rate)).max(0.0);
        self.debt_bits <= f64::from(self.rate.bits_per_s.max(LEAST_BITS_PER_S)) * MOST_DEBT_S
    }

    /// A picture took that many bytes.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.pictures += 1;
        self.debt_bits += bytes as f64 * 8.0;
    }
}

fn bits_per_picture(rate: VideoRate) -> f64 {
    f64::from(rate.bits_per_s.max(LEAST_BITS_PER_S)) / f64::from(rate.pictures_per_s.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: VideoRate = VideoRate { bits_per_s: 600_000, pictures_per_s: 30.0 };

    fn after(pictures: u32, bits_per_s: u32) -> Budget {
        let mut budget = Budget::new(RATE);
        budget.renew();
        (0..pictures).for_each(|_| budget.spend(100));
        budget.set_rate(VideoRate { bits_per_s, ..RATE });
        budget
    }

    #[test]
    fn an_encoder_is_kept_for_small_changes_and_for_thirty_pictures() {
        assert!(!after(100, 400_000).is_outgrown());
        assert!(!after(100, 900_000).is_outgrown());
        assert!(after(100, 300_000).is_outgrown());
        assert!(after(100, 1_200_000).is_outgrown());
        assert!(!after(29, 1_200_000).is_outgrown());
        assert!(after(0, 1_200_000).is_outgrown());
        let mut renewed = after(100, 1_200_000);
        assert_eq!(renewed.renew(), (1_080_000, 30.0));
        assert!(!renewed.is_outgrown());
    }

    #[test]
    fn slower_pictures_may_be_larger() {
        let mut budget = after(100, 600_000);
        budget.set_rate(VideoRate { pictures_per_s: 7.0, ..RATE });
        assert!(budget.is_outgrown());
    }

    #[test]
    fn pictures_are_skipped_until_what_they_took_is_paid() {
        let mut budget = after(1, 600_000);
        budget.spend(600_000 / 8);
        let skipped = (0..60).take_while(|_| !budget.offer()).count();
        assert_eq!(skipped, 15, "half a second at 30 a second");
        assert!(budget.offer());
    }
}
