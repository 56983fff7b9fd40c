//! One direction of a path.

use crate::loss::LossState;
use crate::policer::Policer;
use crate::queue::Queue;
use crate::rate::Transmitter;
use crate::{Delivered, Jitter, Loss, Ns, Packet, PolicerConfig, QueueKind, Rate, S, Span};
use std::collections::BTreeMap;

/// What a link is like.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkConfig {
    /// How fast it sends. Default: nothing waits.
    pub rate: Rate,
    /// What waits in front of it. Default: drop-tail of 1 MB.
    pub queue: QueueKind,
    /// From one end to the other. Default 0.
    pub propagation: Ns,
    /// Added to the propagation. Default none.
    pub jitter: Jitter,
    /// Lost in front of the queue. Default none.
    pub loss: Loss,
    /// Dropped in front of the queue. Default none.
    pub policer: Option<PolicerConfig>,
    /// All that is sent in these times is lost. Default none.
    pub blackouts: Vec<Span>,
    /// Where chance comes from. Default 1.
    pub seed: u64,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            rate: Rate::Unlimited,
            queue: QueueKind::DropTail { bytes: 1_000_000 },
            propagation: 0,
            jitter: Jitter::default(),
            loss: Loss::None,
            policer: None,
            blackouts: Vec::new(),
            seed: 1,
        }
    }
}

/// What became of the packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Packets and bytes that were sent into the link.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Packets that came out.
    pub delivered: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// Packets lost by chance or in a blackout.
    pub lost: u64,
    /// Packets dropped by the policer.
    pub policed: u64,
    /// Packets dropped by the queue.
    pub dropped: u64,
    /// Packets that came out marked.
    pub marked: u64,
}

/// A link. Call [`send`](Self::send) and [`poll`](Self::poll) with times that do not fall; after
/// a `send`, and at [`next_event`](Self::next_event), drain `poll`.
#[derive(Debug)]
pub struct Link<T> {
    config: LinkConfig,
    random: fastrand::Rng,
    loss: LossState,
    policer: Option<Policer>,
    queue: Queue<T>,
    transmitter: Transmitter,
    /// When the transmitter can begin the next packet; `None`: never again.
    free_at: Option<Ns>,
    last_arrival: Ns,
    /// By arrival, then by number, so that equal times keep their order.
    under_way: BTreeMap<(Ns, u64), Delivered<T>>,
    numbered: u64,
    stats: LinkStats,
}

impl<T> Link<T> {
    /// A link at rest.
    pub fn new(config: LinkConfig) -> Self {
        Self {
            random: fastrand::Rng::with_seed(config.seed),
            loss: LossState::new(config.loss),
            policer: config.policer.map(Policer::new),
            queue: Queue::new(config.queue),
            transmitter: Transmitter::new(config.rate.clone()),
            free_at: Some(0),
            last_arrival: 0,
            under_way: BTreeMap::new(),
            numbered: 0,
            stats: LinkStats::default(),
            config,
        }
    }

    /// Puts a packet into the link at `now`.
    pub fn send(&mut self, now: Ns, packet: Packet<T>) {
        self.advance(now);
        self.stats.sent += 1;
        self.stats.sent_bytes += u64::from(packet.bytes);
        let is_black = self.config.blackouts.iter().any(|blackout| blackout.contains(now));
        // Each packet takes its chance, so that a blackout does not move that of later ones.
        if self.loss.is_lost(&mut self.random) || is_black {
            self.stats.lost += 1;
            return;
        }
        if self.policer.as_mut().is_some_and(|policer| !policer.passes(now, packet.bytes)) {
            self.stats.policed += 1;
            return;
        }
        if self.is_full(now, packet.bytes) || !self.queue.push(now, packet) {
            self.stats.dropped += 1;
            return;
        }
        self.advance(now);
    }

    /// The next packet that has arrived by `now`.
    pub fn poll(&mut self, now: Ns) -> Option<Delivered<T>> {
        self.advance(now);
        let entry = self.under_way.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        let delivered = entry.remove();
        self.stats.delivered += 1;
        self.stats.delivered_bytes += u64::from(delivered.packet.bytes);
        self.stats.marked += u64::from(delivered.packet.ecn == crate::Ecn::Ce);
        Some(delivered)
    }

    /// When something happens next without a further packet; `None`: never.
    pub fn next_event(&self) -> Option<Ns> {
        let departs = self.queue.oldest().and_then(|since| Some(self.free_at?.max(since)));
        let arrives = self.under_way.first_key_value().map(|((at, _), _)| *at);
        [departs, arrives].into_iter().flatten().min()
    }

    /// How long a packet sent now would wait before its own transmission, at the rate of now.
    pub fn wait(&self, now: Ns) -> Ns {
        let busy = self.free_at.map_or(Ns::MAX, |free_at| free_at.saturating_sub(now));
        let rate = self.config.rate.bits_per_s(now).max(1);
        let queued = u128::from(self.queue.bytes()) * 8 * u128::from(S) / u128::from(rate);
        busy.saturating_add(queued.min(u128::from(Ns::MAX)) as Ns)
    }

    /// Bytes in the queue.
    pub fn queued_bytes(&self) -> u64 {
        self.queue.bytes()
    }

    /// What became of the packets so far.
    pub fn stats(&self) -> LinkStats {
        self.stats
    }

    /// What the link is like.
    pub fn config(&self) -> &LinkConfig {
        &self.config
    }

    fn is_full(&self, now: Ns, bytes: u32) -> bool {
        let QueueKind::DropTailTime { time } = self.config.queue else { return false };
        // One packet may always wait, however slow the link is.
        self.queue.bytes() > 0 && self.wait(now) > time.saturating_sub(self.takes(now, bytes))
    }

    fn takes(&self, now: Ns, bytes: u32) -> Ns {
        let rate = u128::from(self.config.rate.bits_per_s(now).max(1));
        (u128::from(bytes) * 8 * u128::from(S) / rate).min(u128::from(Ns::MAX)) as Ns
    }

    /// Begins all transmissions that begin by `now`, each at its own time.
    fn advance(&mut self, now: Ns) {
        while let (Some(free_at), Some(oldest)) = (self.free_at, self.queue.oldest()) {
            let start = free_at.max(oldest);
            if start > now {
                return;
            }
            let (waiting, dropped) = self.queue.pop(start, &mut self.random);
            self.stats.dropped += dropped;
            let Some(waiting) = waiting else { continue };
            self.free_at = self.transmitter.transmit(start, waiting.packet.bytes);
            let Some(sent) = self.free_at else {
                self.stats.lost += 1;
                return;
            };
            let jitter = self.config.jitter.draw(&mut self.random);
            let mut at = sent + self.config.propagation + jitter;
            if !self.config.jitter.reorder {
                at = at.max(self.last_arrival);
            }
            self.last_arrival = at;
            self.numbered += 1;
            let queued = start - waiting.since;
            let delivered = Delivered { packet: waiting.packet, at, queued };
            self.under_way.insert((at, self.numbered), delivered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ecn, MS};
    use proptest::prelude::*;

    fn packet(bytes: u32, payload: u64) -> Packet<u64> {
        Packet { bytes, ecn: Ecn::NotEct, payload }
    }

    fn drain(link: &mut Link<u64>, until: Ns) -> Vec<(Ns, u64, Ns)> {
        let delivered = std::iter::from_fn(|| link.poll(until));
        delivered.map(|d| (d.at, d.packet.payload, d.queued)).collect()
    }

    #[test]
    fn packets_take_their_transmission_the_propagation_and_the_wait_for_others() {
        let mut link = Link::new(LinkConfig {
            rate: Rate::constant(8_000_000),
            propagation: 10 * MS,
            ..LinkConfig::default()
        });
        (0..3).for_each(|i| link.send(0, packet(1_000, i)));
        assert_eq!(link.next_event(), Some(MS));
        assert_eq!(link.wait(0), 3 * MS);
        let out = drain(&mut link, S);
        assert_eq!(out, [(11 * MS, 0, 0), (12 * MS, 1, MS), (13 * MS, 2, 2 * MS)]);
        assert_eq!(link.next_event(), None);
    }

    #[test]
    fn a_queue_of_300_ms_is_300_ms_at_every_rate() {
        for bits_per_s in [600_000, 2_500_000, 40_000_000] {
            let mut link = Link::new(LinkConfig {
                rate: Rate::constant(bits_per_s),
                queue: QueueKind::DropTailTime { time: 300 * MS },
                ..LinkConfig::default()
            });
            (0..2_000).for_each(|i| link.send(0, packet(1_200, i)));
            let last = drain(&mut link, 10 * S).last().unwrap().0;
            let packet_time = 1_200 * 8 * S / bits_per_s;
            assert!((300 * MS - packet_time..=300 * MS).contains(&last), "{last}");
            assert!(link.stats().dropped > 0);
        }
    }

    #[test]
    fn a_blackout_loses_what_is_sent_in_it() {
        let blackouts = vec![Span::new(10 * MS, 20 * MS)];
        let mut link = Link::new(LinkConfig { blackouts, ..LinkConfig::default() });
        (0..30).for_each(|i| link.send(i * MS, packet(100, i)));
        let out: Vec<_> = drain(&mut link, S).into_iter().map(|(_, i, _)| i).collect();
        assert_eq!(out, (0..10).chain(20..30).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn every_packet_is_accounted_for_and_order_is_kept(
            seed in any::<u64>(),
            kind in 0..3u8,
            rate in 100_000u64..50_000_000,
            sends in prop::collection::vec((0u64..20_000_000, 40u32..1_500), 1..400),
        ) {
            let queue = match kind {
                0 => QueueKind::DropTail { bytes: 30_000 },
                1 => QueueKind::CoDel { target: 5 * MS, interval: 100 * MS, bytes: 60_000 },
                _ => QueueKind::DropTailTime { time: 50 * MS },
            };
            let mut link = Link::new(LinkConfig {
                rate: Rate::constant(rate),
                queue,
                propagation: 5 * MS,
                jitter: Jitter::in_order(10 * MS),
                loss: Loss::bursts(0.05, 3.0),
                seed,
                ..LinkConfig::default()
            });
            let mut now = 0;
            let mut out = Vec::new();
            for (i, (gap, bytes)) in sends.iter().enumerate() {
                now += gap;
                link.send(now, packet(*bytes, i as u64));
                out.extend(drain(&mut link, now));
            }
            while let Some(at) = link.next_event() {
                now = now.max(at);
                out.extend(drain(&mut link, now));
            }
            let stats = link.stats();
            prop_assert_eq!(stats.sent, sends.len() as u64);
            prop_assert_eq!(stats.sent, stats.delivered + stats.lost + stats.dropped);
            prop_assert!(out.windows(2).all(|pair| pair[0].0 <= pair[1].0));
            prop_assert!(out.windows(2).all(|pair| pair[0].1 < pair[1].1));
        }

        #[test]
        fn the_same_seed_gives_the_same_packets_at_the_same_times(seed in any::<u64>()) {
            let run = || {
                let mut link = Link::new(LinkConfig {
                    rate: Rate::constant(3_000_000),
                    queue: QueueKind::DualPi2 { bytes: 100_000 },
                    jitter: Jitter { max: 20 * MS, reorder: true },
                    loss: Loss::Random(0.1),
                    seed,
                    ..LinkConfig::default()
                });
                for i in 0..500u64 {
                    let ecn = if i % 2 == 0 { Ecn::Ect1 } else { Ecn::NotEct };
                    link.send(i * 2 * MS, Packet { bytes: 900, ecn, payload: i });
                }
                (drain(&mut link, 100 * S), link.stats())
            };
            prop_assert_eq!(run(), run());
        }
    }
}
