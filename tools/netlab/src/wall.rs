//! The same connection on the wall clock: real sockets through `linkemu`, to see whether what is
//! simulated is so.

use crate::case::{self, Algorithm, Case, Load, Member};
use crate::flow::Flow;
use crate::measure::{self, ms, percentile};
use crate::quic::{End, HEADER_BYTES};
use farpane_linkemu::{Lateness, Path, Proxy, UdpProxy};
use farpane_linksim::{Ecn, LinkConfig, Loss, MS, Ns, QueueKind, Rate, S, Span};
use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How often sockets are looked at when nothing is due.
const LOOK: Duration = Duration::from_micros(100);
/// A datagram is known by its first bytes: they are encrypted, so no two are alike.
const MARK_BYTES: usize = 32;
/// How far both may be apart, as a share.
const APART: f64 = 0.15;

/// A run of both kinds.
#[derive(Debug)]
pub struct Comparison {
    /// What ran.
    pub name: &'static str,
    /// Share of the link that was used: simulated, on the wall clock.
    pub used: [f64; 2],
    /// How long datagrams took in milliseconds, p95: simulated, on the wall clock.
    pub delay_ms: [f64; 2],
    /// How late the emulator was.
    pub lateness: Lateness,
}

impl Comparison {
    /// Whether the wall clock confirms the simulation; `None` when the machine did not keep up.
    pub fn confirms(&self) -> Option<bool> {
        let near = |pair: [f64; 2]| (pair[1] / pair[0] - 1.0).abs() <= APART;
        self.lateness.is_valid().then(|| near(self.used) && near(self.delay_ms))
    }
}

/// Three paths: one that is steady, one that loses, one that changes.
fn cases() -> [Case; 3] {
    let steady = vec![(0, 3_000_000)];
    let changes = vec![(0, 1_000_000), (8 * S, 2_500_000), (16 * S, 600_000)];
    [
        wall_case("steady", "3 Mbit/s", steady, Loss::None, 15 * S),
        wall_case(
            "lossy",
            "10 Mbit/s, 2 % lost",
            vec![(0, 10_000_000)],
            Loss::Random(0.02),
            15 * S,
        ),
        wall_case("changing", "1, 2.5 and 0.6 Mbit/s", changes, Loss::None, 24 * S),
    ]
}

fn wall_case(
    name: &'static str,
    title: &'static str,
    steps: Vec<(Ns, u64)>,
    loss: Loss,
    duration: Ns,
) -> Case {
    let queue = QueueKind::DropTailTime { time: 300 * MS };
    let narrow = LinkConfig { rate: Rate::Steps(steps), queue, loss, ..LinkConfig::default() };
    let load = Load::Media(vec![Span::new(0, duration)]);
    let member = Member { load, start: 0, stop: duration, one_way: 25 * MS, is_reverse: false };
    let shared = [narrow, LinkConfig::default()];
    Case { name, title, duration, shared, jitter: 0, members: vec![member] }
}

/// Runs all, simulated and on the wall clock; takes a minute.
///
/// # Errors
/// There are no sockets, or a flow cannot begin.
pub fn compare(seed: u64) -> anyhow::Result<Vec<Comparison>> {
    let compare = |case: Case| {
        eprintln!("on the wall clock: {}, {}", case.name, case.title);
        let simulated = measure::run(&case, Algorithm::Scream, seed)?;
        let one_way = ms(case.members[0].one_way);
        let (used, delay, lateness) = on_the_wall(&case, seed)?;
        Ok(Comparison {
            name: case.name,
            used: [simulated.utilisation, used],
            delay_ms: [simulated.queue_ms()[1] + one_way, ms(delay)],
            lateness,
        })
    };
    cases().into_iter().map(compare).collect()
}

/// Share of the link used, p95 of delays without a datagram's own transmission, lateness.
fn on_the_wall(case: &Case, seed: u64) -> anyhow::Result<(f64, Ns, Lateness)> {
    let member = case.members[0].clone();
    let propagated =
        |link: &LinkConfig| LinkConfig { propagation: member.one_way, seed, ..link.clone() };
    let path = Path { up: propagated(&case.shared[1]), down: propagated(&case.shared[0]) };
    let rate = case.shared[0].rate.clone();
    let mut sockets = Sockets::new(path)?;
    let mut flow = case::flow(0, member, Algorithm::Scream, seed)?;
    let (mut delays, mut bytes) = (Vec::new(), 0u64);
    loop {
        let now = sockets.now();
        if now >= case.duration {
            break;
        }
        sockets.receive(now, &mut *flow, |at, sent, size| {
            bytes += u64::from(size);
            let transmission = u64::from(size) * 8 * S / rate.bits_per_s(at).max(1);
            delays.push((at - sent).saturating_sub(transmission));
        });
        if flow.poll_timeout().is_some_and(|at| at <= now) {
            flow.handle_timeout(now);
        }
        sockets.send(now, &mut *flow);
        let due =
            flow.poll_timeout().map_or(LOOK, |at| Duration::from_nanos(at.saturating_sub(now)));
        std::thread::sleep(due.min(LOOK));
    }
    delays.sort_unstable();
    let used = bytes as f64 * 8.0 / rate.capacity_bits(0, case.duration) as f64;
    Ok((used, percentile(&delays, 95), sockets.proxy.stop()))
}

/// The two ends' sockets with an emulated path between them.
struct Sockets {
    begun: Instant,
    sharer: UdpSocket,
    helper: UdpSocket,
    proxy: Proxy,
    /// Where the helper's datagrams come from.
    from: Option<SocketAddr>,
    /// When datagrams of the sharer went out.
    sent: HashMap<Vec<u8>, Ns>,
    buffer: Vec<u8>,
}

impl Sockets {
    fn new(path: Path) -> anyhow::Result<Self> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (sharer, helper) = (UdpSocket::bind(any)?, UdpSocket::bind(any)?);
        sharer.set_nonblocking(true)?;
        helper.set_nonblocking(true)?;
        let proxy = UdpProxy::start(any, sharer.local_addr()?, path)?;
        Ok(Self {
            begun: Instant::now(),
            sharer,
            helper,
            proxy,
            from: None,
            sent: HashMap::new(),
            buffer: vec![0; 2_048],
        })
    }

    fn now(&self) -> Ns {
        self.begun.elapsed().as_nanos() as Ns
    }

    /// Hands over what arrived; tells of each datagram of the sharer when it arrived, when it had
    /// been sent, and its size on the link.
    fn receive(&mut self, now: Ns, flow: &mut dyn Flow, mut tell: impl FnMut(Ns, Ns, u32)) {
        while let Ok((size, _)) = self.helper.recv_from(&mut self.buffer) {
            let data = &self.buffer[..size];
            if let Some(sent) = self.sent.remove(mark(data)) {
                tell(now, sent, size as u32 + HEADER_BYTES);
            }
            flow.handle(now, End::Helper, data, Ecn::NotEct);
        }
        while let Ok((size, from)) = self.sharer.recv_from(&mut self.buffer) {
            self.from = Some(from);
            flow.handle(now, End::Sharer, &self.buffer[..size], Ecn::NotEct);
        }
    }

    fn send(&mut self, now: Ns, flow: &mut dyn Flow) {
        while let Some((from, outgoing)) = flow.poll_transmit() {
            // A full buffer of the kernel drops, as a network may.
            let _ = match (from, self.from) {
                (End::Helper, _) => self.helper.send_to(&outgoing.data, self.proxy.address()),
                (End::Sharer, Some(to)) => {
                    self.sent.insert(mark(&outgoing.data).to_vec(), now);
                    self.sharer.send_to(&outgoing.data, to)
                }
                (End::Sharer, None) => continue,
            };
        }
    }
}

fn mark(data: &[u8]) -> &[u8] {
    &data[..data.len().min(MARK_BYTES)]
}
