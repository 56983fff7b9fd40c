//! Rates as mobile networks have them: made up, so that they can be given to anybody.

use farpane_linksim::{MS, Ns, Rate};

/// The rate takes a new value this often.
const STEP: Ns = 100 * MS;
/// Bits per second between which it wanders.
const BOUNDS: std::ops::RangeInclusive<f64> = 300_000.0..=12_000_000.0;
/// Standard deviation of a step, in natural logarithms.
const WANDER: f64 = 0.12;
/// How strongly it is drawn back to the middle.
const RETURN: f64 = 0.02;
/// Now and then it falls at once, by this factor, and recovers so much with each step.
const DROP_EVERY: f64 = 0.008;
const DROP: f64 = 0.25;

/// A rate whose logarithm wanders, with sudden drops as of a cell's edge; the same for a seed.
pub(crate) fn rate(seed: u64, duration: Ns) -> Rate {
    let mut random = fastrand::Rng::with_seed(seed);
    let (least, most) = (BOUNDS.start().ln(), BOUNDS.end().ln());
    let middle = (least + most) / 2.0;
    let mut log = middle;
    let steps = (0..duration / STEP).map(|i| {
        // The sum of twelve uniform numbers is nearly normal, with variance 1.
        let normal = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        log += WANDER * normal + RETURN * (middle - log);
        if random.f64() < DROP_EVERY {
            log += DROP.ln();
        }
        log = log.clamp(least, most);
        (i * STEP, log.exp() as u64)
    });
    Rate::Steps(steps.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_linksim::S;

    #[test]
    fn a_seed_gives_one_rate_and_it_stays_within_its_bounds() {
        let Rate::Steps(steps) = rate(1, 60 * S) else { panic!("steps") };
        assert_eq!(Rate::Steps(steps.clone()), rate(1, 60 * S));
        assert_ne!(Rate::Steps(steps.clone()), rate(2, 60 * S));
        assert_eq!(steps.len(), 600);
        let rates = steps.iter().map(|(_, rate)| *rate as f64);
        assert!(rates.clone().all(|rate| (299_999.0..=12_000_000.0).contains(&rate)));
        let (least, most) = rates.fold((f64::MAX, 0.0f64), |(a, b), r| (a.min(r), b.max(r)));
        assert!(most / least > 5.0, "{least} to {most}");
    }
}
