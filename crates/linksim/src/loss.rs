//! Packets that vanish whatever the queue is like.

/// How packets are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// Each with this probability, whatever became of the others.
    Random(f64),
    /// In bursts (Gilbert 1960, Elliott 1963): two states, each packet moves between them.
    GilbertElliott {
        /// From good to bad.
        to_bad: f64,
        /// From bad to good: the mean burst has `1 / to_good` packets.
        to_good: f64,
        /// Lost while good.
        lost_good: f64,
        /// Lost while bad.
        lost_bad: f64,
    },
}

impl Loss {
    /// Bursts of a mean length, in packets, with `share` of all packets lost.
    pub fn bursts(share: f64, mean_packets: f64) -> Self {
        let to_good = 1.0 / mean_packets.max(1.0);
        let to_bad = to_good * share / (1.0 - share);
        Self::GilbertElliott { to_bad, to_good, lost_good: 0.0, lost_bad: 1.0 }
    }
}

/// A loss process with its state.
#[derive(Debug)]
pub(crate) struct LossState {
    loss: Loss,
    is_bad: bool,
}

impl LossState {
    pub(crate) fn new(loss: Loss) -> Self {
        Self { loss, is_bad: false }
    }

    /// Whether the next packet is lost.
    pub(crate) fn is_lost(&mut self, random: &mut fastrand::Rng) -> bool {
        match self.loss {
            Loss::None => false,
            Loss::Random(share) => random.f64() < share,
            Loss::GilbertElliott { to_bad, to_good, lost_good, lost_bad } => {
                let moves = random.f64() < if self.is_bad { to_good } else { to_bad };
                self.is_bad ^= moves;
                random.f64() < if self.is_bad { lost_bad } else { lost_good }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_have_the_share_and_the_length_asked_for() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut state = LossState::new(Loss::bursts(0.02, 4.0));
        let lost: Vec<bool> = (0..500_000).map(|_| state.is_lost(&mut random)).collect();
        let total = lost.iter().filter(|l| **l).count();
        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        let (share, length) = (total as f64 / lost.len() as f64, total as f64 / bursts as f64);
        assert!((0.018..0.022).contains(&share), "{share}");
        assert!((3.7..4.3).contains(&length), "{length}");
    }

    #[test]
    fn random_loss_has_the_share_asked_for() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut state = LossState::new(Loss::Random(0.1));
        let lost = (0..100_000).filter(|_| state.is_lost(&mut random)).count();
        assert!((9_700..10_300).contains(&lost), "{lost}");
    }
}
