//! What a run came to.

use crate::case::{Algorithm, Case, Load};
use crate::world::{LOOK_EVERY, World};
use farpane_linksim::{LinkConfig, MS, Ns, S, US};

/// A run of one case with one algorithm.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Of which case.
    pub case: &'static str,
    /// With which.
    pub algorithm: Algorithm,
    /// Share of the forward link's capacity that was used while media ran.
    pub utilisation: f64,
    /// Waits of media packets in the forward link's queue: median, p95, largest.
    pub queue: [Ns; 3],
    /// Mean rate of each flow while it ran, in bits per second.
    pub rates: Vec<f64>,
    /// Packets lost or dropped, of those sent.
    pub loss: f64,
    /// Over time, for pictures.
    pub series: Vec<Point>,
}

/// A hundred milliseconds of the forward link.
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// Its end.
    pub at: Ns,
    /// The link's capacity in bits per second.
    pub capacity: f64,
    /// Each flow's rate in bits per second.
    pub rates: Vec<f64>,
    /// The longest wait of a packet.
    pub queued: Ns,
    /// What each flow's controller would send, in bits per second; 0 where QUIC decides.
    pub targets: Vec<f64>,
    /// What each flow's controller takes the wait for.
    pub estimates: Vec<Ns>,
}

/// Runs a case.
///
/// # Errors
/// A flow cannot begin.
pub fn run(case: &Case, algorithm: Algorithm, seed: u64) -> anyhow::Result<Outcome> {
    let shared = case.shared.clone().map(|link| LinkConfig { seed, ..link });
    let mut world = World::new(shared, case.placed(algorithm, seed));
    world.run_until(case.duration)?;
    Ok(Outcome {
        case: case.name,
        algorithm,
        utilisation: utilisation(case, &world),
        queue: waits(case, &world),
        rates: (0..case.members.len()).map(|flow| rate(case, &world, flow)).collect(),
        loss: {
            let stats = world.shared_stats(true);
            (stats.lost + stats.policed + stats.dropped) as f64 / stats.sent.max(1) as f64
        },
        series: series(case, &world),
    })
}

fn utilisation(case: &Case, world: &World) -> f64 {
    let media = case.members.iter().filter(|member| matches!(member.load, Load::Media(_)));
    let forward = media.filter(|member| !member.is_reverse);
    let start = forward.map(|member| member.start).min().unwrap_or(0);
    let passed = world.passages.iter().filter(|p| p.forward && p.at >= start);
    let bits: u64 = passed.map(|p| u64::from(p.bytes) * 8).sum();
    bits as f64 / case.shared[0].rate.capacity_bits(start, case.duration) as f64
}

fn waits(case: &Case, world: &World) -> [Ns; 3] {
    let is_media = |flow: usize| matches!(case.members[flow].load, Load::Media(_));
    let of_media = world.passages.iter().filter(|p| p.forward && is_media(p.flow));
    let mut waits: Vec<Ns> = of_media.map(|p| p.queued).collect();
    waits.sort_unstable();
    [50, 95, 100].map(|percent| percentile(&waits, percent))
}

/// Of sorted values.
pub fn percentile(sorted: &[Ns], percent: usize) -> Ns {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or(0)
}

fn rate(case: &Case, world: &World, flow: usize) -> f64 {
    let member = &case.members[flow];
    let way = !member.is_reverse;
    let passed = world.passages.iter().filter(|p| p.flow == flow && p.forward == way);
    let bits: u64 = passed.map(|p| u64::from(p.bytes) * 8).sum();
    bits as f64 * S as f64 / (member.stop.min(case.duration) - member.start) as f64
}

/// Jain's index of fairness (Jain, Chiu, Hawe 1984): 1 when all are alike.
pub fn jain(rates: &[f64]) -> f64 {
    let (sum, squares) = rates.iter().fold((0.0, 0.0), |(s, q), r| (s + r, q + r * r));
    sum * sum / (rates.len() as f64 * squares)
}

fn series(case: &Case, world: &World) -> Vec<Point> {
    let points = (case.duration / LOOK_EVERY) as usize;
    let mut series: Vec<Point> = (1..=points as u64)
        .map(|i| {
            let at = i * LOOK_EVERY;
            let bits = case.shared[0].rate.capacity_bits(at - LOOK_EVERY, at);
            let capacity = bits as f64 * S as f64 / LOOK_EVERY as f64;
            let looks = world.looks.iter().filter_map(|looks| looks.get(i as usize - 1));
            let (targets, estimates) =
                looks.map(|look| (look.target_bits_per_s as f64, look.queue_us * US)).unzip();
            let rates = vec![0.0; case.members.len()];
            Point { at, capacity, rates, queued: 0, targets, estimates }
        })
        .collect();
    for passage in world.passages.iter().filter(|p| p.forward) {
        let Some(point) = series.get_mut((passage.at / LOOK_EVERY) as usize) else { continue };
        let bits = f64::from(passage.bytes) * 8.0;
        point.rates[passage.flow] += bits * S as f64 / LOOK_EVERY as f64;
        point.queued = point.queued.max(passage.queued);
    }
    series
}

impl Outcome {
    /// Waits in milliseconds: median, p95, largest.
    pub fn queue_ms(&self) -> [f64; 3] {
        self.queue.map(|wait| wait as f64 / MS as f64)
    }
}
