//! Packets wait in links and leave when their time has come.

use farpane_linksim::{Link, Ns, Packet};
use std::time::{Duration, Instant};

/// What p99 of the lateness must stay below for a run to count.
pub const MAX_LATENESS: Duration = Duration::from_millis(1);

/// How late packets left, in microseconds up to this many; later ones count as this late.
const BUCKETS: usize = 100_000;
/// Before a packet is due the thread sleeps; the last part of the wait it spins, since sleep ends
/// late.
pub(crate) const SPIN: Duration = Duration::from_micros(80);

/// How late packets left.
#[derive(Clone, Debug)]
pub struct Lateness {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Lateness {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS + 1], total: 0 }
    }
}

impl Lateness {
    pub(crate) fn insert(&mut self, late: Ns) {
        self.counts[((late / 1_000) as usize).min(BUCKETS)] += 1;
        self.total += 1;
    }

    /// How many packets left.
    pub fn packets(&self) -> u64 {
        self.total
    }

    /// Of `percent` of all packets none left later than this.
    pub fn percentile(&self, percent: f64) -> Duration {
        let wanted = (self.total as f64 * percent / 100.0).ceil() as u64;
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        Duration::from_micros(at.unwrap_or(0) as u64)
    }

    /// Whether the machine kept up, so that what was measured says something about the link.
    pub fn is_valid(&self) -> bool {
        self.percentile(99.0) <= MAX_LATENESS
    }

    /// Takes in those of another.
    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
        self.total += other.total;
    }
}

/// Two links on a wall clock. `T` says where a packet goes.
pub(crate) struct Schedule<T> {
    origin: Instant,
    links: [Link<T>; 2],
    lateness: Lateness,
}

/// Which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

impl<T> Schedule<T> {
    pub(crate) fn new(path: crate::Path) -> Self {
        let links = [Link::new(path.up), Link::new(path.down)];
        Self { origin: Instant::now(), links, lateness: Lateness::default() }
    }

    pub(crate) fn send(&mut self, at: Instant, way: Way, packet: Packet<T>) {
        let at = at.saturating_duration_since(self.origin).as_nanos() as Ns;
        self.links[way as usize].send(at, packet);
    }

    /// The next packet that is due, on either link.
    pub(crate) fn poll(&mut self) -> Option<(Way, T)> {
        let now = self.origin.elapsed().as_nanos() as Ns;
        for way in [Way::Up, Way::Down] {
            if let Some(delivered) = self.links[way as usize].poll(now) {
                self.lateness.insert(now.saturating_sub(delivered.at));
                return Some((way, delivered.packet.payload));
            }
        }
        None
    }

    /// When to look again.
    pub(crate) fn next(&self) -> Option<Instant> {
        let at = self.links.iter().filter_map(Link::next_event).min()?;
        Some(self.origin + Duration::from_nanos(at))
    }

    pub(crate) fn lateness(&self) -> &Lateness {
        &self.lateness
    }
}

/// Sleeps until just before `at`, and spins for the rest.
pub(crate) fn wait_until(at: Instant) {
    while Instant::now() < at {
        std::hint::spin_loop();
    }
}
