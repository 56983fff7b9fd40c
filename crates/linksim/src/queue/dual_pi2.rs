//! Dual-queue coupled active queue management (RFC 9332, appendix A: the pseudocode's names).

use super::{DropTail, Waiting};
use crate::{Ecn, MS, Ns, S, US};

/// The classic queue's wait aimed at.
const TARGET: Ns = 15 * MS;
/// How often the controller looks.
const T_UPDATE: Ns = 16 * MS;
/// Gains of the controller in Hz, for round trips up to 100 ms.
const ALPHA: f64 = 0.16;
const BETA: f64 = 3.2;
/// How much stronger the scalable queue is marked.
const COUPLING: f64 = 2.0;
/// The scalable queue's ramp of marks: none below, all above.
const MIN_TH: Ns = 800 * US;
const RANGE: Ns = 400 * US;
/// A head start of the scalable queue in the scheduler.
const T_SHIFT: Ns = 50 * MS;
/// A queue shorter than this is not marked: two packets, so that slow links are used.
const MIN_MARKED_BYTES: u64 = 3_000;

#[derive(Debug)]
pub(crate) struct DualPi2<T> {
    scalable: DropTail<T>,
    classic: DropTail<T>,
    bound_bytes: u64,
    updated: Ns,
    last_wait: Ns,
    /// The base probability; classic packets are dropped with its square.
    p: f64,
}

impl<T> DualPi2<T> {
    pub(crate) fn new(bound_bytes: u64) -> Self {
        Self {
            scalable: DropTail::new(u64::MAX),
            classic: DropTail::new(u64::MAX),
            bound_bytes,
            updated: 0,
            last_wait: 0,
            p: 0.0,
        }
    }

    pub(crate) fn push(&mut self, waiting: Waiting<T>) -> bool {
        if self.bytes() + u64::from(waiting.packet.bytes) > self.bound_bytes {
            return false;
        }
        self.update(waiting.since);
        match waiting.packet.ecn {
            Ecn::Ect1 | Ecn::Ce => self.scalable.push(waiting),
            Ecn::NotEct | Ecn::Ect0 => self.classic.push(waiting),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.scalable.bytes() + self.classic.bytes()
    }

    pub(crate) fn oldest(&self) -> Option<Ns> {
        [self.scalable.oldest(), self.classic.oldest()].into_iter().flatten().min()
    }

    pub(crate) fn pop(&mut self, now: Ns, random: &mut fastrand::Rng) -> (Option<Waiting<T>>, u64) {
        self.update(now);
        let mut dropped = 0;
        loop {
            let wait = |queue: &DropTail<T>| queue.oldest().map(|since| now.saturating_sub(since));
            let scalable_first = match (wait(&self.scalable), wait(&self.classic)) {
                (None, None) => return (None, dropped),
                (Some(scalable), Some(classic)) => scalable + T_SHIFT >= classic,
                (scalable, _) => scalable.is_some(),
            };
            if scalable_first {
                let Some(mut waiting) = self.scalable.pop() else { continue };
                let native = self.ramp(now.saturating_sub(waiting.since));
                let probability = native.max(COUPLING * self.p);
                if random.f64() < probability {
                    waiting.packet.ecn = Ecn::Ce;
                }
                return (Some(waiting), dropped);
            }
            let Some(mut waiting) = self.classic.pop() else { continue };
            if random.f64() >= self.p * self.p {
                return (Some(waiting), dropped);
            }
            if waiting.packet.ecn == Ecn::Ect0 {
                waiting.packet.ecn = Ecn::Ce;
                return (Some(waiting), dropped);
            }
            dropped += 1;
        }
    }

    fn ramp(&self, wait: Ns) -> f64 {
        if self.scalable.bytes() < MIN_MARKED_BYTES {
            return 0.0;
        }
        (wait.saturating_sub(MIN_TH) as f64 / RANGE as f64).min(1.0)
    }

    /// The controller: brings the wait to the target, and damps its changes.
    fn update(&mut self, now: Ns) {
        while now >= self.updated + T_UPDATE {
            self.updated += T_UPDATE;
            let wait = |queue: &DropTail<T>| {
                queue.oldest().map_or(0, |since| self.updated.saturating_sub(since))
            };
            let wait = wait(&self.scalable).max(wait(&self.classic));
            let seconds = |a: Ns, b: Ns| (a as f64 - b as f64) / S as f64;
            self.p += ALPHA * seconds(wait, TARGET) + BETA * seconds(wait, self.last_wait);
            self.p = self.p.clamp(0.0, 1.0);
            self.last_wait = wait;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Packet;

    #[test]
    fn a_scalable_queue_is_marked_by_its_wait_and_goes_before_a_classic_one() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut queue = DualPi2::new(1_000_000);
        let packet = |ecn| Packet { bytes: 1_200, ecn, payload: () };
        queue.push(Waiting { packet: packet(Ecn::Ect0), since: 0 });
        for _ in 0..10 {
            queue.push(Waiting { packet: packet(Ecn::Ect1), since: 0 });
        }
        let marks: Vec<_> = (0..10)
            .map(|_| queue.pop(3 * MS, &mut random).0.unwrap().packet.ecn == Ecn::Ce)
            .collect();
        // Behind the last three less than 3,000 bytes wait.
        assert_eq!(marks.iter().filter(|m| **m).count(), 7);
        assert_eq!(queue.pop(3 * MS, &mut random).0.unwrap().packet.ecn, Ecn::Ect0);
        assert!(queue.pop(3 * MS, &mut random).0.is_none());
    }

    #[test]
    fn a_standing_classic_queue_is_dropped_from() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut queue = DualPi2::new(10_000_000);
        let mut dropped = 0;
        // 2 Mbit/s offered, 1 taken, for 20 s.
        for ms in 0..20_000u64 {
            let packet = Packet { bytes: 1_000, ecn: Ecn::NotEct, payload: () };
            if ms % 4 == 0 {
                queue.push(Waiting { packet, since: ms * MS });
            }
            if ms % 8 == 0 {
                dropped += queue.pop(ms * MS, &mut random).1;
            }
        }
        assert!(dropped > 1_500, "{dropped}");
    }
}
