//! What a relay costs both ends in processor time, against no relay: datagrams alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farpane::net::{
    CloseReason, Connection, Identity, Invitations, Link, LinkSink, Listener, NetConfig, NetThread,
    connect,
};
use farpane_benches::{Claim, cpu_time};
use farpane_netbed::{Config, Layout, Relay};

use crate::world::{Way, bed, urls};

/// How often each way is measured; the least counts.
const PLAYS: usize = 3;
/// So many datagrams in bursts, at some 90 Mbit/s.
const BURSTS: usize = 1_500;
const BURST: usize = 20;
const EVERY: Duration = Duration::from_millis(2);
const DATAGRAM_BYTES: usize = 1_150;
const VALID: Duration = Duration::from_secs(600);

pub(crate) fn table() -> Vec<Claim> {
    println!(
        "\nprocessor time of both ends together, {DATAGRAM_BYTES}-byte datagrams, the least of \
         {PLAYS} plays\n{:<8} {:>12} {:>10} {:>8} {:>14}",
        "path", "ns/byte", "Mbit/s", "lost %", "coturn ns/byte"
    );
    let ways = [Way::Direct, Way::Udp, Way::Tls];
    // In turns: others on the machine slow all of them alike.
    let plays: Vec<_> = (0..PLAYS).map(|_| ways.map(play)).collect();
    let costs = [0, 1, 2].map(|i| plays.iter().map(|p| p[i]).fold(f64::INFINITY, f64::min));
    let claim = |name: &str, i: usize, most: f64| {
        let ratio = costs[i] / costs[0];
        Claim::new(
            format!("processor time per byte, {name} against direct"),
            format!("<= {most} x"),
            format!("{ratio:.2} x ({:.2} and {:.2} ns)", costs[i], costs[0]),
            ratio <= most,
        )
    };
    vec![claim("TURN over UDP", 1, 1.5), claim("TURN over TLS", 2, 1.5)]
}

/// Nanoseconds a byte.
fn play(way: Way) -> f64 {
    let layout = if way == Way::Direct { Layout::OneLan } else { Layout::TwoNats };
    let (bed, relay) = bed(&Config { layout, ..Config::default() });
    let relays = urls(&relay, way, [relay.udp(), relay.tls()]);
    let config = NetConfig { relays, find_direct: false, ..NetConfig::default() };
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
    let port = listener.local_address().expect("an address").port();
    let address = SocketAddr::new(bed.sharer().address(), port).to_string();
    let addresses = if way == Way::Direct { vec![address] } else { Vec::new() };
    let invitation = invitations.issue_by_relays(key, addresses, relays, VALID);
    let invitation = invitation.expect("an invitation");
    let joining =
        async move { connect(&invitation, &Identity::generate().expect("a key"), &config).await };
    let helper = near.run(joining).expect("it runs").expect("it joins");
    let sharer = far.run(async move { listener.accept().await }).expect("it runs");
    measure(way, &relay, sharer.expect("it comes"), helper)
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
