//! When to empty the queue so as to see how long the path is without one.

/// Without an empty queue for so long, one is made. Base delays are forgotten after twice that.
const AFTER_US: u64 = 15_000_000;
/// It takes a round trip until less is in the queue, and another until that is known.
const ROUND_TRIPS: u64 = 2;
/// And some time for waits in the hosts.
const MARGIN_US: u64 = 20_000;

/// A flow that always has more to send keeps its queue for good. What it takes for the path's own
/// delay then creeps up, and the queue with it (RFC 6817, section 4.4). So now and then it sends
/// less for two round trips, as BBR does to see the least one.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    /// Until when less is sent.
    until_us: Option<u64>,
    /// When the last one ended.
    ended_us: u64,
}

impl Drain {
    /// Whether less is to be sent from now on. The queue was empty at `empty_us`; a screen that
    /// does not fill the path leaves it empty by itself.
    pub(crate) fn handle(&mut self, now_us: u64, empty_us: u64, fills: bool, rtt_us: u64) {
        match self.until_us {
            Some(until_us) if now_us >= until_us || empty_us >= now_us => {
                (self.until_us, self.ended_us) = (None, now_us);
            }
            Some(_) => {}
            None if fills && now_us >= empty_us.max(self.ended_us).saturating_add(AFTER_US) => {
                let takes_us = rtt_us.saturating_mul(ROUND_TRIPS).saturating_add(MARGIN_US);
                self.until_us = Some(now_us.saturating_add(takes_us));
            }
            None => {}
        }
    }

    /// Whether less is sent now.
    pub(crate) fn is_on(&self) -> bool {
        self.until_us.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT_US: u64 = 50_000;

    #[test]
    fn a_path_that_is_always_full_is_drained_now_and_then_and_soon_left() {
        let mut drain = Drain::default();
        let on = (0..120_000).filter(|ms| {
            drain.handle(ms * 1_000, 0, true, RTT_US);
            drain.is_on()
        });
        let on_ms = on.count();
        assert!((700..=900).contains(&on_ms), "{on_ms} of 120,000 ms");
    }

    #[test]
    fn it_ends_when_the_queue_is_empty_and_never_begins_where_it_was_or_nothing_fills_the_path() {
        let mut drain = Drain::default();
        drain.handle(20_000_000, 0, true, RTT_US);
        assert!(drain.is_on());
        drain.handle(20_030_000, 20_030_000, true, RTT_US);
        assert!(!drain.is_on());
        for second in 21..100 {
            drain.handle(second * 1_000_000, (second - 10) * 1_000_000, true, RTT_US);
            assert!(!drain.is_on());
            drain.handle(second * 1_000_000, 0, false, RTT_US);
            assert!(!drain.is_on());
        }
    }
}
