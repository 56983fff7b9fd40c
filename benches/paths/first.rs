//! The time from an invitation to the first exact picture.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use farpane_benches::{Claim, percentile};
use farpane_netbed::{Bed, Config, Layout, Relay};

use crate::world::{Ends, Sharing, Viewing, Way, bed, emulate, urls};

/// The link that figures are for: 40 ms there and back, and so much.
const MBIT_PER_S: u64 = 10;

/// Each way, by how many milliseconds the first exact picture is to be there at the most.
const WAYS: [(Way, u64); 3] = [(Way::Direct, 600), (Way::Udp, 600), (Way::Tls, 1_000)];

pub(crate) fn table(runs: usize) -> Vec<Claim> {
    println!(
        "\nthe first exact picture of 1920x1080 after `connect` begins, {runs} runs\n\
         {:<8} {:<28} {:>9} {:>9}",
        "path", "link", "p50 ms", "p95 ms"
    );
    let mut claims = Vec::new();
    for (way, most_ms) in WAYS {
        let layout = if way == Way::Direct { Layout::OneLan } else { Layout::TwoNats };
        let (bed, relay) = bed(&Config { layout, ..Config::default() });
        let near: Vec<_> = (0..runs).map(|_| play(&bed, &relay, way, false)).collect();
        print(way, "no limit", &near);
        let far: Vec<_> = (0..runs).map(|_| play(&bed, &relay, way, true)).collect();
        print(way, "10 Mbit/s, 40 ms", &far);
        let [p50, p95] = [50, 95].map(|p| percentile(&far, p).as_millis());
        claims.push(Claim::new(
            format!("first exact picture, {way:?}, {MBIT_PER_S} Mbit/s and 40 ms, p95"),
            format!("<= {most_ms} ms"),
            format!("{p95} ms (median {p50}), {runs} runs, each pixel-equal"),
            p95 <= u128::from(most_ms),
        ));
    }
    claims
}

fn print(way: Way, link: &str, times: &[Duration]) {
    let [p50, p95] = [50, 95].map(|p| percentile(times, p).as_secs_f64() * 1e3);
    println!("{:<8} {link:<28} {p50:>9.1} {p95:>9.1}", format!("{way:?}"));
}

fn play(bed: &Bed, relay: &Relay, way: Way, is_far: bool) -> Duration {
    let near = [relay.udp(), relay.tls()];
    let sharing = Sharing::start(bed.sharer(), urls(relay, way, near));
    let direct = SocketAddr::new(bed.sharer().address(), sharing.port());
    // A link stands in front of the relay, or of the sharer itself.
    let (space, to) = match way {
        Way::Direct => (bed.sharer(), [direct, direct]),
        _ => (bed.public(), near),
    };
    let link = is_far.then(|| emulate(space, MBIT_PER_S, to));
    let [udp, tcp] = match &link {
        Some(Ends { udp, tcp }) => [udp.address(), tcp.address()],
        None => to,
    };
    let address = (way == Way::Direct).then_some(udp);
    let invitation = sharing.invite(address, urls(relay, way, [udp, tcp]));
    let start = Instant::now();
    let mut viewing = Viewing::start(bed.helper(), &invitation);
    viewing.wait_equal(sharing.picture());
    start.elapsed()
}
