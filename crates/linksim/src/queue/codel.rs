//! Controlled delay active queue management (RFC 8289, section 5: the pseudocode's names).

use super::{DropTail, Waiting};
use crate::{Ecn, Ns};

/// Less than this in the queue is no standing queue: a packet of the largest size.
const MTU_BYTES: u64 = 1_500;

#[derive(Debug)]
pub(crate) struct CoDel<T> {
    queue: DropTail<T>,
    target: Ns,
    interval: Ns,
    /// When the wait will have been above the target for an interval.
    first_above: Option<Ns>,
    drop_next: Ns,
    count: u32,
    last_count: u32,
    dropping: bool,
}

impl<T> CoDel<T> {
    pub(crate) fn new(target: Ns, interval: Ns, bytes: u64) -> Self {
        Self {
            queue: DropTail::new(bytes),
            target,
            interval,
            first_above: None,
            drop_next: 0,
            count: 0,
            last_count: 0,
            dropping: false,
        }
    }

    pub(crate) fn push(&mut self, waiting: Waiting<T>) -> bool {
        self.queue.push(waiting)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.queue.bytes()
    }

    pub(crate) fn oldest(&self) -> Option<Ns> {
        self.queue.oldest()
    }

    pub(crate) fn pop(&mut self, now: Ns) -> (Option<Waiting<T>>, u64) {
        let mut dropped = 0;
        let (mut next, mut ok_to_drop) = self.next(now);
        if self.dropping {
            if !ok_to_drop {
                self.dropping = false;
            }
            while self.dropping && now >= self.drop_next {
                self.count += 1;
                if mark(&mut next) {
                    self.drop_next = self.control_law(self.drop_next);
                    return (next, dropped);
                }
                dropped += u64::from(next.is_some());
                (next, ok_to_drop) = self.next(now);
                if ok_to_drop {
                    self.drop_next = self.control_law(self.drop_next);
                } else {
                    self.dropping = false;
                }
            }
        } else if ok_to_drop {
            if !mark(&mut next) {
                dropped += u64::from(next.is_some());
                (next, _) = self.next(now);
            }
            self.dropping = true;
            // A new episode soon after the last one begins at its rate.
            let delta = self.count.saturating_sub(self.last_count);
            let is_recent = now.saturating_sub(self.drop_next) < 16 * self.interval;
            self.count = if is_recent && delta > 1 { delta } else { 1 };
            self.drop_next = self.control_law(now);
            self.last_count = self.count;
        }
        (next, dropped)
    }

    /// Takes the next packet out; whether the wait has been too long for an interval.
    fn next(&mut self, now: Ns) -> (Option<Waiting<T>>, bool) {
        let Some(waiting) = self.queue.pop() else {
            self.first_above = None;
            return (None, false);
        };
        let wait = now.saturating_sub(waiting.since);
        if wait < self.target || self.queue.bytes() <= MTU_BYTES {
            self.first_above = None;
            return (Some(waiting), false);
        }
        let first_above = *self.first_above.get_or_insert(now + self.interval);
        (Some(waiting), now >= first_above)
    }

    fn control_law(&self, from: Ns) -> Ns {
        from + (self.interval as f64 / f64::from(self.count).sqrt()) as Ns
    }
}

/// Marks a packet instead of dropping it, when it may be.
fn mark<T>(waiting: &mut Option<Waiting<T>>) -> bool {
    match waiting {
        Some(waiting) if waiting.packet.ecn != Ecn::NotEct => {
            waiting.packet.ecn = Ecn::Ce;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MS, Packet};

    /// Offers 1.2 times what the link takes for 10 s; the waits in the last 5, and drops.
    fn overload(ecn: Ecn) -> (Vec<Ns>, u64, u64) {
        let mut queue = CoDel::new(5 * MS, 100 * MS, 1_000_000);
        let (mut waits, mut dropped, mut marked) = (Vec::new(), 0, 0);
        for i in 0..60_000u64 {
            let now = i * MS / 6;
            if i % 5 == 0 {
                let packet = Packet { bytes: 1_000, ecn, payload: () };
                queue.push(Waiting { packet, since: now });
            }
            if i % 6 == 0 {
                let (next, drops) = queue.pop(now);
                dropped += drops;
                let Some(next) = next else { continue };
                marked += u64::from(next.packet.ecn == Ecn::Ce);
                if now > 5_000 * MS {
                    waits.push(now - next.since);
                }
            }
        }
        waits.sort_unstable();
        (waits, dropped, marked)
    }

    #[test]
    fn a_sender_that_does_not_react_is_dropped_more_and_more_often() {
        let (waits, dropped, marked) = overload(Ecn::NotEct);
        assert_eq!(marked, 0);
        assert!(dropped > 200, "{dropped}");
        assert!(waits[waits.len() / 2] < 1_000 * MS, "{}", waits[waits.len() / 2] / MS);
    }

    #[test]
    fn what_may_be_marked_is_not_dropped() {
        let (_, dropped, marked) = overload(Ecn::Ect0);
        assert_eq!(dropped, 0);
        assert!(marked > 200, "{marked}");
    }
}
