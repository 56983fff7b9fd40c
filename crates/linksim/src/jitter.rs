//! Delay that varies from packet to packet.

use crate::Ns;

/// Jitter of a one-sided Gaussian distribution, truncated (RFC 8868, section 4.5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter {
    /// The most; three standard deviations. 0: none.
    pub max: Ns,
    /// Whether packets may overtake each other.
    pub reorder: bool,
}

impl Jitter {
    /// Jitter that keeps the order of packets.
    pub fn in_order(max: Ns) -> Self {
        Self { max, reorder: false }
    }

    pub(crate) fn draw(&self, random: &mut fastrand::Rng) -> Ns {
        if self.max == 0 {
            return 0;
        }
        let deviation = self.max as f64 / 3.0;
        // Box and Muller: two uniform numbers give a normal one. `1 - x` is never 0.
        let (u, v) = (1.0 - random.f64(), random.f64());
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        ((normal.abs() * deviation) as Ns).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_bounded_and_its_mean_is_that_of_a_half_normal_distribution() {
        let mut random = fastrand::Rng::with_seed(1);
        let jitter = Jitter::in_order(30_000);
        let drawn: Vec<_> = (0..100_000).map(|_| jitter.draw(&mut random)).collect();
        assert!(drawn.iter().all(|j| *j <= 30_000));
        let mean = drawn.iter().sum::<u64>() as f64 / drawn.len() as f64;
        // sqrt(2 / pi) standard deviations of 10,000; truncation takes little.
        assert!((7_800.0..8_100.0).contains(&mean), "{mean}");
    }
}
