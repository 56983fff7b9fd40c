//! What is seen when a path fails in mid-session.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use farpane::net::{PathKind, RelayUrl};
use farpane_benches::{Claim, percentile};
use farpane_netbed::{Bed, Config, Fault, Layout, Relay, RelayConfig, Side};

use crate::world::{Sharing, Viewing, Way, bed, urls};

/// Between two pictures of what is shown meanwhile.
const PICTURE: Duration = Duration::from_millis(33);
/// A picture may be missing for so long (floor), and better for so long (goal).
const FLOOR_MS: u128 = 1_000;
/// A helper who comes while the trouble lasts may need so long to be let in: what he tries first
/// may be what does not work.
const CONSENT_MS: u128 = 2_000;
/// From pointing to being seen, after a fault.
const INPUT_MS: u128 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    UdpBlocked,
    RelayKilled,
    DirectCut,
    MappingChanged,
}

impl Trouble {
    fn name(self) -> &'static str {
        match self {
            Self::UdpBlocked => "UDP blocked",
            Self::RelayKilled => "the relay killed, another one standing by",
            Self::DirectCut => "the direct route cut",
            Self::MappingChanged => "the helper's NAT mapping changed",
        }
    }
}

pub(crate) fn table(runs: usize) -> Vec<Claim> {
    println!(
        "\nthe gap in the picture, 30 pictures a second, {runs} runs\n{:<44} {:>8} {:>8}  paths",
        "trouble", "p50 ms", "p95 ms"
    );
    let troubles =
        [Trouble::UdpBlocked, Trouble::RelayKilled, Trouble::DirectCut, Trouble::MappingChanged];
    troubles.into_iter().flat_map(|trouble| row(trouble, runs)).collect()
}

fn row(trouble: Trouble, runs: usize) -> Vec<Claim> {
    let outcomes: Vec<_> = (0..runs).map(|_| play(trouble)).collect();
    let gaps: Vec<_> = outcomes.iter().map(|outcome| outcome.gap).collect();
    let [p50, p95] = [50, 95].map(|p| percentile(&gaps, p).as_millis());
    let Outcome { before, after, .. } = outcomes[0];
    println!("{:<44} {p50:>8} {p95:>8}  {before} -> {after}", trouble.name());
    let mut claims = vec![Claim::new(
        format!("{}: gap in the picture, p95", trouble.name()),
        format!("<= {FLOOR_MS} ms"),
        format!("{p95} ms (median {p50}), {runs} runs"),
        p95 <= FLOOR_MS,
    )];
    let asked: Vec<_> = outcomes.iter().map(|outcome| outcome.consent).collect();
    let [p50, p95] = [50, 95].map(|p| percentile(&asked, p).as_millis());
    claims.push(Claim::new(
        format!("{}: another helper asks afterwards, and sees the picture, p95", trouble.name()),
        format!("<= {CONSENT_MS} ms"),
        format!("{p95} ms (median {p50}), {runs} runs, each pixel-equal"),
        p95 <= CONSENT_MS,
    ));
    let pointed: Vec<_> = outcomes.iter().map(|outcome| outcome.input).collect();
    let [p50, p95] = [50, 95].map(|p| percentile(&pointed, p).as_millis());
    claims.push(Claim::new(
        format!("{}: where the helper points is seen afterwards, p95", trouble.name()),
        format!("<= {INPUT_MS} ms"),
        format!("{p95} ms (median {p50}), {runs} runs"),
        p95 <= INPUT_MS,
    ));
    if trouble == Trouble::UdpBlocked {
        let lost: u32 = outcomes.iter().map(|outcome| outcome.lost).sum();
        let back: Vec<_> = outcomes.iter().map(|outcome| outcome.gap_back).collect();
        let back = percentile(&back, 95).as_millis();
        println!("{:<44} {:>8} {back:>8}  gap at the return to UDP", "", "");
        claims.push(Claim::new(
            "return to UDP: pictures lost",
            "0",
            format!("{lost} in {runs} runs, gap p95 {back} ms"),
            lost == 0,
        ));
    }
    claims
}

#[derive(Clone, Copy)]
struct Outcome {
    gap: Duration,
    before: PathKind,
    after: PathKind,
    /// From another helper's coming to the picture, the sharer's yes between them.
    consent: Duration,
    /// From the helper's pointing to the sharer's seeing it, after the fault.
    input: Duration,
    /// Of the return.
    gap_back: Duration,
    lost: u32,
}

fn play(trouble: Trouble) -> Outcome {
    let layout = match trouble {
        Trouble::DirectCut => Layout::OneLan,
        _ => Layout::TwoNats,
    };
    let (bed, mut relay) = bed(&Config { layout, ..Config::default() });
    let second = (trouble == Trouble::RelayKilled)
        .then(|| bed.relay(&RelayConfig::default()).expect("a second relay"));
    let all = |relay: &Relay| urls(relay, Way::Both, [relay.udp(), relay.tls()]);
    let relays: Vec<_> =
        [Some(&relay), second.as_ref()].into_iter().flatten().flat_map(all).collect();
    let mut sharing = Sharing::start(bed.sharer(), relays.clone());
    let address = SocketAddr::new(bed.sharer().address(), sharing.port());
    let direct = (trouble == Trouble::DirectCut).then_some(address);
    let invitation = sharing.invite(direct, relays.clone());
    let mut viewing = Viewing::start(bed.helper(), &invitation);
    viewing.wait_equal(sharing.picture());
    let mut film = Film { step: 0, had: Vec::new() };
    film.play(&mut sharing, &mut viewing, Duration::from_millis(1_500));
    viewing.point(&sharing, 300);
    let before = viewing.active();
    let from = Instant::now();
    let fault = inflict(trouble, &bed, &mut relay);
    film.play(&mut sharing, &mut viewing, Duration::from_millis(2_500));
    let (gap, after) = (film.gap(from), viewing.active());
    let input = viewing.point(&sharing, 700);
    let consent = ask(&bed, &sharing, direct, relays);
    let (mut gap_back, mut lost) = (Duration::ZERO, 0);
    if let Some(fault) = fault.filter(|_| trouble == Trouble::UdpBlocked) {
        let (from, first) = (Instant::now(), film.step);
        fault.undo().expect("it is mended");
        film.play(&mut sharing, &mut viewing, Duration::from_secs(6));
        gap_back = film.gap(from);
        assert_eq!(viewing.active(), PathKind::RelayUdp, "{:?}", viewing.helper.paths());
        lost = film.missing(first);
    }
    sharing.draw(film.step);
    viewing.wait_equal(sharing.picture());
    Outcome { gap, before, after, consent, input, gap_back, lost }
}

/// Another helper asks to be let in, and waits for the picture.
fn ask(
    bed: &Bed,
    sharing: &Sharing,
    direct: Option<SocketAddr>,
    relays: Vec<RelayUrl>,
) -> Duration {
    let (start, asked) = (Instant::now(), sharing.asked());
    let invitation = sharing.invite_asking(direct, relays);
    let mut another = Viewing::start(bed.helper(), &invitation);
    another.wait_equal(sharing.picture());
    assert_eq!(sharing.asked(), asked + 1, "who sees has asked");
    start.elapsed()
}

fn inflict(trouble: Trouble, bed: &Bed, relay: &mut Relay) -> Option<Fault> {
    match trouble {
        Trouble::UdpBlocked => Some(bed.block_udp(Side::Helper).expect("a fault")),
        Trouble::DirectCut => Some(bed.cut_direct().expect("a fault")),
        Trouble::RelayKilled => {
            relay.kill();
            None
        }
        Trouble::MappingChanged => {
            bed.remap(Side::Helper).expect("a fault");
            None
        }
    }
}

/// Pictures that change, and when the helper saw which.
struct Film {
    step: u32,
    had: Vec<(u32, Instant)>,
}

impl Film {
    fn play(&mut self, sharing: &mut Sharing, viewing: &mut Viewing, time: Duration) {
        let start = Instant::now();
        let mut next = start;
        while start.elapsed() < time {
            if Instant::now() >= next {
                sharing.draw(self.step);
                self.step += 1;
                next += PICTURE;
            }
            if viewing.look() {
                let step = viewing.step();
                if self.had.last().is_none_or(|(last, _)| *last != step) {
                    self.had.push((step, Instant::now()));
                }
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// The longest time without a new picture since `from`.
    fn gap(&self, from: Instant) -> Duration {
        let before = self.had.iter().rev().find(|(_, at)| *at < from);
        let after = self.had.iter().filter(|(_, at)| *at >= from);
        let times: Vec<_> = before.into_iter().chain(after).map(|(_, at)| *at).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(Duration::MAX)
    }

    /// How many pictures from `first` on were not seen, but the last few, which are on their way.
    fn missing(&self, first: u32) -> u32 {
        let seen = |step| self.had.iter().any(|(had, _)| *had == step);
        (first..self.step.saturating_sub(4)).filter(|step| !seen(*step)).count() as u32
    }
}
