//! The networks and loads of a run.

use crate::backlog::Backlog;
use crate::bulk::Bulk;
use crate::cellular;
use crate::desk::Desk;
use crate::flow::Flow;
use crate::input::Input;
use crate::media::Media;
use crate::quic::Side;
use crate::source::Source;
use crate::world::Placed;
use farpane_linksim::{
    Jitter, LinkConfig, Loss, MS, Ns, PolicerConfig, QueueKind, Rate, S, Span, US,
};
use farpane_net::{NetConfig, lab};
use farpane_rate::{Controller, GccController, ScreamController};
use quinn_proto::congestion::{BbrConfig, ControllerFactory, CubicConfig, NewRenoConfig};
use std::sync::Arc;

/// Who regulates the media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// What sessions use: of SCReAMv2's class.
    Scream,
    /// Google's, above QUIC as well.
    Gcc,
    /// CUBIC of quinn.
    Cubic,
    /// NewReno of quinn.
    NewReno,
    /// BBR of quinn.
    Bbr,
}

impl Algorithm {
    /// All, the product's first.
    pub const ALL: [Self; 5] = [Self::Scream, Self::Gcc, Self::Cubic, Self::NewReno, Self::Bbr];

    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scream => "farpane",
            Self::Gcc => "GCC",
            Self::Cubic => "quinn CUBIC",
            Self::NewReno => "quinn NewReno",
            Self::Bbr => "quinn BBR",
        }
    }
}

/// What a flow carries.
#[derive(Clone, Debug)]
pub enum Load {
    /// A screen with more to show than goes through, in these times.
    Media(Vec<Span>),
    /// The same, and a helper who types.
    Typed(Vec<Span>),
    /// Recorded desktops through all stages of the product.
    Desk,
    /// At most so many bytes, by QUIC's CUBIC.
    Bulk(u64),
}

/// A flow of a case.
#[derive(Clone, Debug)]
pub struct Member {
    /// What it carries.
    pub load: Load,
    /// When it begins.
    pub start: Ns,
    /// When it ends.
    pub stop: Ns,
    /// The propagation, one way.
    pub one_way: Ns,
    /// Whether its data goes the other way.
    pub is_reverse: bool,
}

/// A network and what runs over it.
#[derive(Clone, Debug)]
pub struct Case {
    /// As RFC 8867 numbers it, or a word.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// How long it runs.
    pub duration: Ns,
    /// The shared links, forward and backward.
    pub shared: [LinkConfig; 2],
    /// The most jitter of each flow's own path, each way.
    pub jitter: Ns,
    /// What shares them.
    pub members: Vec<Member>,
}

const MBPS: u64 = 1_000_000;

/// A link as RFC 8867 (section 4) has it when a case says nothing else: drop-tail of 300 ms.
fn link(steps: &[(u64, f64)]) -> LinkConfig {
    let steps = steps.iter().map(|(at, mbps)| (at * S, (mbps * MBPS as f64) as u64)).collect();
    LinkConfig {
        rate: Rate::Steps(steps),
        queue: QueueKind::DropTailTime { time: 300 * MS },
        ..LinkConfig::default()
    }
}

/// One that is never what limits.
fn wide() -> LinkConfig {
    link(&[(0, 100.0)])
}

fn media(start_s: u64, stop_s: u64) -> Member {
    let (start, stop) = (start_s * S, stop_s * S);
    let load = Load::Media(vec![Span::new(start, stop)]);
    Member { load, start, stop, one_way: 50 * MS, is_reverse: false }
}

fn bulk(start: Ns, stop: Ns, bytes: u64) -> Member {
    Member { load: Load::Bulk(bytes), start, stop, one_way: 50 * MS, is_reverse: false }
}

/// All cases.
pub fn all() -> Vec<Case> {
    [rfc_8867(), cellular(), marks_and_losses(), desktops()].concat()
}

/// The cases of RFC 8867, sections 5.1 to 5.8.
pub fn rfc_8867() -> Vec<Case> {
    [varying_capacity(), competing_media(), competing_transfers()].concat()
}

fn rfc_case(
    name: &'static str,
    title: &'static str,
    duration_s: u64,
    shared: [LinkConfig; 2],
    members: Vec<Member>,
) -> Case {
    Case { name, title, duration: duration_s * S, shared, jitter: 30 * MS, members }
}

fn varying_capacity() -> Vec<Case> {
    let one = [(0, 1.0), (40, 2.5), (60, 0.6), (80, 1.0)];
    let two = [(0, 4.0), (25, 2.0), (50, 3.5), (75, 1.0), (100, 2.0)];
    let forward = [(0, 2.0), (20, 1.0), (40, 0.5), (60, 2.0)];
    let backward = [(0, 2.0), (35, 0.8), (70, 2.0)];
    let back = Member { is_reverse: true, ..media(0, 100) };
    let both = vec![media(0, 125), media(0, 125)];
    let ways = [link(&forward), link(&backward)];
    let titles = [
        "variable capacity, one flow",
        "variable capacity, two flows",
        "congested feedback, media both ways",
    ];
    vec![
        rfc_case("5.1", titles[0], 100, [link(&one), wide()], vec![media(0, 100)]),
        rfc_case("5.2", titles[1], 125, [link(&two), wide()], both),
        rfc_case("5.3", titles[2], 100, ways, vec![media(0, 100), back]),
    ]
}

fn competing_media() -> Vec<Case> {
    let later = [(0, 120), (20, 120), (40, 120)].map(|(start, stop)| media(start, stop));
    let one_ways = [10, 25, 50, 100, 150].map(|ms| ms * MS);
    let far = |(i, one_way): (usize, Ns)| Member { one_way, ..media(i as u64 * 10, 300) };
    let far = one_ways.into_iter().enumerate().map(far).collect();
    let titles =
        ["three flows, one after the other", "five flows of round trips from 20 to 300 ms"];
    vec![
        rfc_case("5.4", titles[0], 120, [link(&[(0, 3.5)]), wide()], later.to_vec()),
        rfc_case("5.5", titles[1], 300, [link(&[(0, 4.0)]), wide()], far),
    ]
}

fn competing_transfers() -> Vec<Case> {
    let long = vec![media(5, 120), bulk(0, 120 * S, u64::MAX)];
    let short = [vec![media(5, 300), media(5, 300)], short_transfers()].concat();
    let times = vec![Span::new(0, 40 * S), Span::new(60 * S, 120 * S)];
    let paused = Member { load: Load::Media(times), ..media(0, 120) };
    let resumed = vec![paused, media(0, 120), media(0, 120)];
    let slow = || [link(&[(0, 2.0)]), wide()];
    vec![
        rfc_case("5.6", "against a long transfer", 120, slow(), long),
        rfc_case("5.7", "against short transfers", 300, slow(), short),
        rfc_case("5.8", "pause and resume", 120, [link(&[(0, 3.5)]), wide()], resumed),
    ]
}

/// Paths whose rate changes as on a mobile network: three seeds.
pub fn cellular() -> Vec<Case> {
    let names = [("cellular 1", 1), ("cellular 2", 2), ("cellular 3", 3)];
    let case = |(name, seed)| Case {
        name,
        title: "a rate that wanders, 0.3 to 12 Mbit/s",
        duration: 120 * S,
        shared: [
            LinkConfig {
                rate: cellular::rate(seed, 120 * S),
                queue: QueueKind::DropTailTime { time: 1_000 * MS },
                ..LinkConfig::default()
            },
            wide(),
        ],
        jitter: 10 * MS,
        members: vec![Member { one_way: 25 * MS, ..media(0, 120) }],
    };
    names.map(case).to_vec()
}

/// A fast path whose queue marks early, and paths that lose.
pub fn marks_and_losses() -> Vec<Case> {
    let dual = LinkConfig { queue: QueueKind::DualPi2 { bytes: 2_000_000 }, ..link(&[(0, 50.0)]) };
    let near = |one_way_ms: u64| Member { one_way: one_way_ms * MS, ..media(0, 60) };
    let case = |name, title, shared: LinkConfig, one_way_ms, jitter| Case {
        name,
        title,
        duration: 60 * S,
        shared: [shared, wide()],
        jitter,
        members: vec![near(one_way_ms)],
    };
    let lossy = |loss| LinkConfig { loss, ..link(&[(0, 10.0)]) };
    let policed = LinkConfig {
        policer: Some(PolicerConfig { bits_per_s: 3 * MBPS, burst_bytes: 30_000 }),
        ..link(&[(0, 10.0)])
    };
    let codel = LinkConfig {
        queue: QueueKind::CoDel { target: 5 * MS, interval: 100 * MS, bytes: 2_000_000 },
        ..link(&[(0, 10.0)])
    };
    vec![
        case("DualPI2", "50 Mbit/s, marks (L4S)", dual, 12, 0),
        case("CoDel", "10 Mbit/s, drops early", codel, 25, 0),
        case("loss", "2 % lost at random, 10 Mbit/s", lossy(Loss::Random(0.02)), 25, 0),
        case("bursts", "2 % lost in bursts of 4, 10 Mbit/s", lossy(Loss::bursts(0.02, 4.0)), 25, 0),
        case("policer", "3 Mbit/s policed on 10", policed, 25, 0),
    ]
}

/// A recorded desktop, and a helper who types, on links that lose.
pub fn desktops() -> Vec<Case> {
    let near = |load| Member { load, one_way: 25 * MS, ..media(0, 120) };
    let case = |name, title, link: LinkConfig, load| Case {
        name,
        title,
        duration: 120 * S,
        shared: [link.clone(), link],
        jitter: 0,
        members: vec![near(load)],
    };
    let plain = || link(&[(0, 20.0)]);
    let lossy = |loss| LinkConfig { loss, ..plain() };
    let blackouts: Vec<Span> =
        (5..118).step_by(3).map(|at| Span::new(at * S, at * S + 100 * MS)).collect();
    let dark = LinkConfig { blackouts, ..plain() };
    let always = vec![Span::new(0, 120 * S)];
    vec![
        case("desk", "a recorded desktop, 20 Mbit/s", plain(), Load::Desk),
        case("desk, loss", "2 % lost at random", lossy(Loss::Random(0.02)), Load::Desk),
        case("desk, bursts", "2 % lost in bursts of 4", lossy(Loss::bursts(0.02, 4.0)), Load::Desk),
        case("desk, blackouts", "nothing passes for 100 ms, 38 times", dark, Load::Desk),
        case("input", "a helper types, 10 Mbit/s, full", link(&[(0, 10.0)]), Load::Typed(always)),
    ]
}

/// Transfers of 100 KB to 1 MB at random times, two or so at once (RFC 8867, section 5.7).
fn short_transfers() -> Vec<Member> {
    let mut random = 12_345u64;
    let mut draw = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % below
    };
    (0..20)
        .map(|_| {
            let start = (10_000 + draw(270_000)) * MS;
            bulk(start, 300 * S, 100_000 + draw(900_000))
        })
        .collect()
}

impl Case {
    /// Whether all of it is the product's, the controller included.
    pub fn is_of_sessions(&self) -> bool {
        self.members.iter().any(|member| matches!(member.load, Load::Desk | Load::Typed(_)))
    }

    /// The flows of this case with `algorithm` for the media.
    pub(crate) fn placed(&self, algorithm: Algorithm, seed: u64) -> Vec<Placed> {
        let members = self.members.iter().cloned().enumerate();
        let placed = members.map(|(i, member)| Placed {
            start: member.start,
            is_reverse: member.is_reverse,
            access: LinkConfig {
                propagation: member.one_way,
                jitter: Jitter::in_order(self.jitter),
                seed,
                ..LinkConfig::default()
            },
            flow: Box::new(move |now| flow(now, member, algorithm, seed * 1_000 + i as u64)),
        });
        placed.collect()
    }
}

pub(crate) fn flow(
    now: Ns,
    member: Member,
    algorithm: Algorithm,
    seed: u64,
) -> anyhow::Result<Box<dyn Flow>> {
    let config = NetConfig::default();
    let (window, above) = lab::window(config.limits.initial_window_bytes);
    let (controller, own): (Option<Box<dyn Controller>>, Arc<dyn ControllerFactory + Send + Sync>) =
        match (&member.load, algorithm) {
            (Load::Bulk(_), _) | (_, Algorithm::Cubic) => (None, Arc::new(CubicConfig::default())),
            (_, Algorithm::Scream) => (Some(Box::new(ScreamController::new())), above.clone()),
            (_, Algorithm::Gcc) => (Some(Box::new(GccController::new())), above.clone()),
            (_, Algorithm::NewReno) => (None, Arc::new(NewRenoConfig::default())),
            (_, Algorithm::Bbr) => (None, Arc::new(BbrConfig::default())),
        };
    // The helper sends reports only: never limited in the product.
    let ends = lab::ends(&config, own, above)?;
    let sides = (Side::sharer(ends.sharer, seed), Side::helper(now, ends.helper, seed)?);
    let input = matches!(member.load, Load::Typed(_)).then(Input::default);
    let source: Box<dyn Source> = match member.load {
        Load::Media(active) | Load::Typed(active) => {
            Box::new(Backlog::new(now / US, controller, active))
        }
        Load::Desk => Box::new(Desk::new(now / US)?),
        Load::Bulk(bytes) => return Ok(Box::new(Bulk::new(sides.0, sides.1, bytes, member.stop))),
    };
    Ok(Box::new(Media::new(sides, window, source, input)))
}
