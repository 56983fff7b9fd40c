//! When to look at the pointer again.
//!
//! A display tells of motion that a person makes, but not when a program puts the pointer
//! somewhere. So after anything happened the pointer is looked at a few times more, and then only
//! on the watchdog's ticks.

use std::time::{Duration, Instant};

/// Pauses between activity and looks. The first catches a jump at the end of a motion, the second
/// one a little later; each look is one round trip.
const PAUSES: [Duration; 2] = [Duration::from_millis(60), Duration::from_millis(500)];

/// The looks that are still to come.
#[derive(Debug, Default)]
pub(super) struct Followup {
    next: usize,
    due: Option<Instant>,
}

impl Followup {
    /// Something happened: begins anew. While things keep happening, looks still come.
    pub(super) fn restart(&mut self, now: Instant) {
        let first = now + PAUSES[0];
        let due = self.due.filter(|_| self.next == 0);
        (self.next, self.due) = (0, Some(due.map_or(first, |due| due.min(first))));
    }

    /// When the next look is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether to look now; the look after it is then set.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            self.next += 1;
            self.due = PAUSES.get(self.next).map(|pause| now + *pause);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_after_activity_and_end() {
        let (mut followup, start) = (Followup::default(), Instant::now());
        assert!(!followup.take_due(start));
        followup.restart(start);
        let mut now = start;
        for pause in PAUSES {
            assert!(!followup.take_due(now + pause / 2));
            now += pause;
            assert!(followup.take_due(now));
        }
        assert_eq!(followup.due(), None);
    }

    #[test]
    fn steady_activity_does_not_put_the_look_off() {
        let (mut followup, start) = (Followup::default(), Instant::now());
        let mut looks = 0;
        for ms in 0..1_000 {
            let now = start + Duration::from_millis(ms);
            followup.restart(now);
            looks += u32::from(followup.take_due(now));
        }
        assert!((14..=17).contains(&looks), "{looks}");
    }
}
