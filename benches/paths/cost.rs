//! What a relay costs both ends in processor time, against no relay: datagrams alone. What an
//! allocation costs the relay in memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farpane::net::{
    CloseReason, Connection, Identity, Invitations, Link, LinkSink, Listener, NetConfig, NetThread,
    PathKind, PathState, connect,
};
use farpane_benches::{Claim, cpu_time};
use farpane_netbed::{Config, Relay};

use crate::world::{LIMIT, Way, bed, urls};

/// How often each way is measured, by turns. Within a turn others on the machine slow all alike.
const TURNS: usize = 5;
/// Sharers whose allocations a relay's memory is measured with.
const SHARERS: usize = 100;
/// So many datagrams in bursts, at some 90 Mbit/s.
const BURSTS: usize = 1_500;
const BURST: usize = 20;
const EVERY: Duration = Duration::from_millis(2);
const DATAGRAM_BYTES: usize = 1_150;
const VALID: Duration = Duration::from_secs(600);

pub(crate) fn table() -> Vec<Claim> {
    println!(
        "\nprocessor time of both ends together, {DATAGRAM_BYTES}-byte datagrams, {TURNS} turns\n\
         {:<8} {:>12} {:>10} {:>8} {:>14}",
        "path", "ns/byte", "Mbit/s", "lost %", "coturn ns/byte"
    );
    let turns: Vec<_> = (0..TURNS).map(|_| [Way::Direct, Way::Udp, Way::Tls].map(play)).collect();
    let claim = |name: &str, way: usize, most: f64| {
        let mut ratios: Vec<_> = turns.iter().map(|costs| costs[way] / costs[0]).collect();
        ratios.sort_by(f64::total_cmp);
        let (median, least, greatest) = (ratios[TURNS / 2], ratios[0], ratios[TURNS - 1]);
        Claim::new(
            format!("processor time per byte, {name} against direct"),
            format!("<= {most} x"),
            format!("{median:.2} x (median of {TURNS} turns, {least:.2} to {greatest:.2})"),
            median <= most,
        )
    };
    vec![claim("TURN over UDP", 1, 1.5), claim("TURN over TLS", 2, 1.5)]
}

/// Nanoseconds a byte. All ways lead through the same two routers.
fn play(way: Way) -> f64 {
    let (bed, relay) = bed(&Config::default());
    let both = [relay.udp(), relay.tls()];
    // Without a relay the two find each other through their NATs, by way of one.
    let relays = urls(&relay, if way == Way::Direct { Way::Udp } else { way }, both);
    let find_direct = way == Way::Direct;
    let config = NetConfig { relays, find_direct, ..NetConfig::default() };
    let start = || NetThread::start().expect("a thread");
    let far = bed.sharer().inside(start).expect("its network");
    let near = bed.helper().inside(start).expect("its network");
    let (identity, invitations) = (Identity::generate().expect("a key"), Invitations::new());
    let (key, list, settings) = (identity.public_key(), invitations.clone(), config.clone());
    let listening = async move {
        let any: SocketAddr = ([0, 0, 0, 0], 0).into();
        let listener = Listener::bind(any, &identity, list, settings).await.expect("it listens");
        let relays = listener.invited_relays().await;
        (listener, relays)
    };
    let (listener, relays) = far.run(listening).expect("it runs");
    let invitation = invitations.issue_by_relays(key, Vec::new(), relays, VALID);
    let invitation = invitation.expect("an invitation");
    let joining =
        async move { connect(&invitation, &Identity::generate().expect("a key"), &config).await };
    let helper = near.run(joining).expect("it runs").expect("it joins");
    let sharer = far.run(async move { listener.accept().await }).expect("it runs");
    let sharer = sharer.expect("it comes");
    let kind = match way {
        Way::Direct => PathKind::Direct,
        Way::Tls => PathKind::RelayTls,
        Way::Udp | Way::Both => PathKind::RelayUdp,
    };
    wait_for_path(&sharer, kind);
    wait_for_path(&helper, kind);
    measure(way, &relay, sharer, helper)
}

fn wait_for_path(end: &Connection, kind: PathKind) {
    let start = Instant::now();
    let goes_by = || end.paths().iter().any(|p| p.state == PathState::Active && p.kind == kind);
    while !goes_by() {
        assert!(start.elapsed() < LIMIT, "{:?}", end.paths());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Prints the memory that coturn takes for what sharers hold there.
pub(crate) fn memory() {
    let (bed, relay) = bed(&Config::default());
    let process = relay.process_id().expect("it runs");
    let far = bed.sharer().inside(|| NetThread::start().expect("a thread")).expect("its network");
    let before = memory_of(process);
    let mut listeners = Vec::new();
    for _ in 0..SHARERS {
        let relays = urls(&relay, Way::Both, [relay.udp(), relay.tls()]);
        let config = NetConfig { relays, find_direct: false, ..NetConfig::default() };
        let opening = async move {
            let (any, identity) = (([0, 0, 0, 0], 0).into(), Identity::generate().expect("a key"));
            let listener = Listener::bind(any, &identity, Invitations::new(), config).await;
            let listener = listener.expect("it listens");
            assert_eq!(listener.invited_relays().await.len(), 2, "{:?}", listener.relays());
            listener
        };
        listeners.push(far.run(opening).expect("it runs"));
    }
    let bytes = memory_of(process) - before;
    println!(
        "\nmemory of coturn: {} kB at its start, {:.0} kB more for each of {} allocations, half \
         of them over TLS",
        before / 1_000,
        bytes as f64 / 1e3 / (2 * SHARERS) as f64,
        2 * SHARERS
    );
}

/// What a process has in memory, in bytes.
fn memory_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("proc(5)");
    let kib = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number");
    kib * 1_024
}

/// How long a process has run, in steps of 10 ms.
fn cpu_of(process: Option<u32>) -> Duration {
    let stat = process.and_then(|id| std::fs::read_to_string(format!("/proc/{id}/stat")).ok());
    let ticks = stat.as_deref().and_then(|stat| stat.rsplit_once(')')).map_or(0, |(_, fields)| {
        // utime and stime, proc(5); of those after the name the 12th and the 13th.
        fields.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum()
    });
    Duration::from_millis(ticks * 10)
}

fn measure(way: Way, relay: &Relay, sharer: Connection, helper: Connection) -> f64 {
    let before = cpu_of(relay.process_id());
    let (had, all) = (Arc::new(AtomicUsize::new(0)), BURSTS * BURST);
    let (begun, cpu) = (Instant::now(), cpu_time());
    let near = Link::spawn(helper, Counter(had.clone()));
    let far = Link::spawn(sharer, Counter(Arc::default()));
    let datagram = Bytes::from(vec![7; DATAGRAM_BYTES]);
    for burst in 0..BURSTS {
        far.send_datagrams(std::iter::repeat_n(datagram.clone(), BURST));
        let next = begun + EVERY * burst as u32;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    std::thread::sleep(Duration::from_millis(300));
    let (cpu, took) = (cpu_time() - cpu, begun.elapsed());
    let count = had.load(Ordering::Relaxed);
    let cost = cpu.as_nanos() as f64 / (count * DATAGRAM_BYTES) as f64;
    let rate = (count * DATAGRAM_BYTES * 8) as f64 / took.as_secs_f64() / 1e6;
    let lost = (all - count) as f64 * 100.0 / all as f64;
    let at_relay = cpu_of(relay.process_id()) - before;
    let at_relay = at_relay.as_nanos() as f64 / (count * DATAGRAM_BYTES) as f64;
    println!("{:<8} {cost:>12.2} {rate:>10.1} {lost:>8.2} {at_relay:>14.1}", format!("{way:?}"));
    near.close(0, "measured");
    cost
}

/// Counts datagrams.
struct Counter(Arc<AtomicUsize>);

impl LinkSink for Counter {
    fn datagram(&mut self, _now_us: u64, _bytes: Bytes) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn control(&mut self, _bytes: Bytes) {}

    fn blob(&mut self, _kind: u8, _bytes: Bytes) {}

    fn mtu(&mut self, _max_datagram_bytes: usize) {}

    fn closed(&mut self, _reason: CloseReason) {}
}
