//! How long to wait before a lost display is tried again.

use std::time::{Duration, Instant};

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause: a display that comes back is found this soon at the latest.
const LONGEST: Duration = Duration::from_secs(5);

/// Growing pauses between attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    pause: Duration,
    due: Instant,
}

impl Backoff {
    /// The first attempt is due a short pause after `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self { pause: FIRST, due: now + FIRST }
    }

    /// When to try next.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// An attempt failed: the next pause is twice as long.
    pub(super) fn failed(&mut self, now: Instant) {
        self.pause = (self.pause * 2).min(LONGEST);
        self.due = now + self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let now = Instant::now();
        let mut backoff = Backoff::new(now);
        let mut pauses = vec![backoff.due() - now];
        for _ in 0..7 {
            backoff.failed(now);
            pauses.push(backoff.due() - now);
        }
        let ms: Vec<_> = pauses.iter().map(Duration::as_millis).collect();
        assert_eq!(ms, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
