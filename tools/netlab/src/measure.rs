//! What a run came to.

use crate::case::{Algorithm, Case, Load};
use crate::world::{LOOK_EVERY, Passage, World};
use farpane_linksim::{LinkConfig, LinkStats, MS, Ns, Rate, S, US};

/// A run of one case with one algorithm.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Of which case.
    pub case: &'static str,
    /// What that is about.
    pub title: &'static str,
    /// With which.
    pub algorithm: Algorithm,
    /// Share of the capacity that was used while media ran; of both links, where media go both
    /// ways, the smaller.
    pub utilisation: f64,
    /// Waits of media packets in the forward link's queue: median, p95, largest.
    pub queue: [Ns; 3],
    /// Mean rate of each flow while it ran, in bits per second.
    pub rates: Vec<f64>,
    /// Jain's index of the media while all of them ran.
    pub fairness: f64,
    /// Packets lost or dropped, of those sent.
    pub loss: f64,
    /// The worst p95 of waits from one to two seconds after the link became slower.
    pub after_drops: Option<Ns>,
    /// The worst utilisation from five to ten seconds after it became faster.
    pub after_rises: Option<f64>,
    /// Bytes on the forward link, headers included.
    pub bytes: u64,
    /// How the changes of a desktop were seen.
    pub screen: Option<Sight>,
    /// How much longer than the propagation what the helper typed took: p99.
    pub input: Option<Ns>,
    /// Over time, for pictures.
    pub series: Vec<Point>,
}

/// How the changes of a desktop were seen.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Changes of tiles, but for those of the last moments.
    pub changes: usize,
    /// From the display to the helper, the propagation excluded: median, p95, p99.
    pub delays: [Ns; 3],
    /// Share of changes seen later than the round trip and 20 ms after they might have been.
    pub late: f64,
    /// From the ends of blackouts until all that was shown before is seen: median, largest.
    pub after_blackouts: Option<[Ns; 2]>,
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
    /// Packets lost or dropped.
    pub lost: u64,
    /// What each flow's controller would send, in bits per second; 0 where QUIC decides.
    pub targets: Vec<f64>,
    /// What each flow's controller takes the wait for.
    pub estimates: Vec<Ns>,
}

/// Runs a case. The same case, algorithm and seed give the same outcome.
///
/// # Errors
/// A flow cannot begin.
pub fn run(case: &Case, algorithm: Algorithm, seed: u64) -> anyhow::Result<Outcome> {
    let shared = case.shared.clone().map(|link| LinkConfig { seed, ..link });
    let mut world = World::new(shared, case.placed(algorithm, seed));
    world.run_until(case.duration)?;
    let stats = world.shared_stats(true);
    let run = Run { case, world: &world };
    let steps = run.steps();
    let drops = steps.iter().filter(|(_, before, after)| after < before);
    let rises = steps.iter().filter(|(_, before, after)| after > before);
    let after_drop = |at: Ns| percentile(&run.waits(at + S, at + 2 * S), 95);
    let after_rise = |at: Ns| run.used(true, at + 5 * S, (at + 10 * S).min(case.duration));
    Ok(Outcome {
        case: case.name,
        title: case.title,
        algorithm,
        utilisation: run.utilisation(),
        queue: {
            let waits = run.waits(0, case.duration);
            [50, 95, 100].map(|percent| percentile(&waits, percent))
        },
        rates: (0..case.members.len()).map(|flow| run.rate(flow)).collect(),
        fairness: run.fairness(),
        loss: lost(stats) as f64 / stats.sent.max(1) as f64,
        after_drops: drops.map(|(at, ..)| after_drop(*at)).max(),
        after_rises: rises.map(|(at, ..)| after_rise(*at)).reduce(f64::min),
        bytes: stats.sent_bytes,
        screen: run.sight(),
        input: run.input(),
        series: run.series(),
    })
}

fn lost(stats: LinkStats) -> u64 {
    stats.lost + stats.policed + stats.dropped
}

/// What is later than the propagation, the round trip and this is late.
const LATE: Ns = 20 * MS;
/// What is shown so shortly before the end may be seen after it.
const UNSETTLED: Ns = S;
/// A link with more steps wanders: no step of it stands for itself.
const MOST_STEPS: usize = 10;

struct Run<'a> {
    case: &'a Case,
    world: &'a World,
}

impl Run<'_> {
    fn is_media(&self, flow: usize) -> bool {
        !matches!(self.case.members[flow].load, Load::Bulk(_))
    }

    fn passages(&self, forward: bool, from: Ns, until: Ns) -> impl Iterator<Item = &Passage> {
        let passed = self.world.passages.iter().filter(move |p| p.forward == forward);
        passed.filter(move |p| (from..until).contains(&p.at))
    }

    /// Share of a link's capacity that was used.
    fn used(&self, forward: bool, from: Ns, until: Ns) -> f64 {
        let bits: u64 = self.passages(forward, from, until).map(|p| u64::from(p.bytes) * 8).sum();
        let link = &self.case.shared[usize::from(!forward)];
        bits as f64 / link.rate.capacity_bits(from, until).max(1) as f64
    }

    fn utilisation(&self) -> f64 {
        let media = self.case.members.iter().filter(|m| !matches!(m.load, Load::Bulk(_)));
        let ways = [true, false].into_iter().filter_map(|forward| {
            let of_way = media.clone().filter(|member| member.is_reverse != forward);
            let start = of_way.map(|member| member.start).min()?;
            Some(self.used(forward, start, self.case.duration))
        });
        ways.reduce(f64::min).unwrap_or_default()
    }

    /// Waits of media packets in the forward queue, sorted.
    fn waits(&self, from: Ns, until: Ns) -> Vec<Ns> {
        let of_media = self.passages(true, from, until).filter(|p| self.is_media(p.flow));
        let mut waits: Vec<Ns> = of_media.map(|p| p.queued).collect();
        waits.sort_unstable();
        waits
    }

    fn rate_in(&self, flow: usize, from: Ns, until: Ns) -> f64 {
        let forward = !self.case.members[flow].is_reverse;
        let passed = self.passages(forward, from, until).filter(|p| p.flow == flow);
        let bits: u64 = passed.map(|p| u64::from(p.bytes) * 8).sum();
        bits as f64 * S as f64 / until.saturating_sub(from).max(1) as f64
    }

    fn rate(&self, flow: usize) -> f64 {
        let member = &self.case.members[flow];
        self.rate_in(flow, member.start, member.stop.min(self.case.duration))
    }

    fn fairness(&self) -> f64 {
        let flows = 0..self.case.members.len();
        let media: Vec<usize> = flows.filter(|flow| self.is_media(*flow)).collect();
        let members = media.iter().map(|flow| &self.case.members[*flow]);
        let from = members.clone().map(|member| member.start).max().unwrap_or(0);
        let until = members.map(|member| member.stop).min().unwrap_or(0).min(self.case.duration);
        let rates: Vec<f64> = media.iter().map(|flow| self.rate_in(*flow, from, until)).collect();
        jain(&rates)
    }

    /// When the forward link's rate changes, from what to what.
    fn steps(&self) -> Vec<(Ns, u64, u64)> {
        match &self.case.shared[0].rate {
            Rate::Steps(steps) if steps.len() <= MOST_STEPS => {
                steps.windows(2).map(|pair| (pair[1].0, pair[0].1, pair[1].1)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn sight(&self) -> Option<Sight> {
        let seen = self.world.seen(0)?;
        let one_way = self.case.members[0].one_way;
        let until = self.case.duration.saturating_sub(UNSETTLED);
        let changes: Vec<(Ns, Ns)> = seen
            .versions
            .iter()
            .map(|version| (version.shown_us * US, version.seen_us.map_or(Ns::MAX, |us| us * US)))
            .filter(|(shown, _)| *shown < until)
            .collect();
        let delay = |(shown, seen): &(Ns, Ns)| seen.saturating_sub(shown + one_way);
        let mut delays: Vec<Ns> = changes.iter().map(delay).collect();
        delays.sort_unstable();
        let late = delays.iter().filter(|delay| **delay > 2 * one_way + LATE).count();
        Some(Sight {
            changes: changes.len(),
            delays: [50, 95, 99].map(|percent| percentile(&delays, percent)),
            late: late as f64 / changes.len().max(1) as f64,
            after_blackouts: self.after_blackouts(&changes),
        })
    }

    /// Changes are given by when they were shown and when they were seen.
    fn after_blackouts(&self, changes: &[(Ns, Ns)]) -> Option<[Ns; 2]> {
        let ends = self.case.shared[0].blackouts.iter().map(|blackout| blackout.until);
        let mut waits: Vec<Ns> = ends
            .map(|end| {
                let before = changes.iter().filter(|(shown, _)| *shown <= end);
                before.map(|(_, seen)| seen.saturating_sub(end)).max().unwrap_or(0)
            })
            .collect();
        waits.sort_unstable();
        let last = *waits.last()?;
        Some([percentile(&waits, 50), last])
    }

    fn input(&self) -> Option<Ns> {
        let mut delays = self.world.input_delays(0).to_vec();
        delays.sort_unstable();
        let one_way = self.case.members[0].one_way;
        (!delays.is_empty()).then(|| percentile(&delays, 99).saturating_sub(one_way))
    }

    fn series(&self) -> Vec<Point> {
        let count = (self.case.duration / LOOK_EVERY) as usize;
        let mut series: Vec<Point> = (0..count).map(|i| self.point(i)).collect();
        for passage in self.passages(true, 0, self.case.duration) {
            let Some(point) = series.get_mut((passage.at / LOOK_EVERY) as usize) else { continue };
            let bits = f64::from(passage.bytes) * 8.0;
            point.rates[passage.flow] += bits * S as f64 / LOOK_EVERY as f64;
            point.queued = point.queued.max(passage.queued);
        }
        series
    }

    fn point(&self, i: usize) -> Point {
        let at = (i as u64 + 1) * LOOK_EVERY;
        let bits = self.case.shared[0].rate.capacity_bits(at - LOOK_EVERY, at);
        let looks = self.world.looks.iter().filter_map(|looks| looks.get(i));
        let (targets, estimates) =
            looks.map(|look| (look.target_bits_per_s as f64, look.queue_us * US)).unzip();
        let stats =
            |i: Option<usize>| i.and_then(|i| self.world.links.get(i)).copied().unwrap_or_default();
        Point {
            at,
            capacity: bits as f64 * S as f64 / LOOK_EVERY as f64,
            rates: vec![0.0; self.case.members.len()],
            queued: 0,
            lost: lost(stats(Some(i))) - lost(stats(i.checked_sub(1))),
            targets,
            estimates,
        }
    }
}

/// Of sorted values; 0 of none.
pub(crate) fn percentile(sorted: &[Ns], percent: usize) -> Ns {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or(0)
}

/// Jain's index of fairness (Jain, Chiu, Hawe 1984): 1 when all are alike.
fn jain(rates: &[f64]) -> f64 {
    let (sum, squares) = rates.iter().fold((0.0, 0.0), |(s, q), r| (s + r, q + r * r));
    if squares > 0.0 { sum * sum / (rates.len() as f64 * squares) } else { 0.0 }
}

impl Outcome {
    /// Waits in milliseconds: median, p95, largest.
    pub fn queue_ms(&self) -> [f64; 3] {
        self.queue.map(ms)
    }
}

/// Nanoseconds as milliseconds.
pub(crate) fn ms(time: Ns) -> f64 {
    time as f64 / MS as f64
}
