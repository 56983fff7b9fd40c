//! Networks that fail in the middle of a session: the picture goes on within a second.

use std::time::{Duration, Instant};

use farpane_net::CloseReason;
use farpane_net::PathKind::{self, Direct, RelayTls, RelayUdp};
use farpane_net::SwitchReason::{self, Better, RelayLost, Silence};
use farpane_netbed::{Bed, Config, Layout, Relay, RelayConfig, Side};

use crate::running::{CALM, GAP, Running};
use crate::session::Session;
use crate::support::{Carriers, active, bed, urls};

/// UDP is blocked and let through again.
fn udp_is_blocked(sides: &[Side], kinds: [PathKind; 2]) {
    let (bed, relay) = bed(&Config::default());
    let session = Session::begin(&bed, urls(&relay, Carriers::Both), None);
    let mut running = Running::begin(session, [RelayUdp; 2]);
    running.mark();
    let faults = sides.iter().map(|side| bed.block_udp(*side).unwrap()).collect();
    running.goes_on(kinds, &[Silence]);
    running.returns(faults, [RelayUdp; 2]);
    running.ends();
}

#[test]
fn udp_is_blocked_at_the_helper_and_let_through_again() {
    udp_is_blocked(&[Side::Helper], [RelayTls, RelayUdp]);
}

#[test]
fn udp_is_blocked_at_the_sharer_and_let_through_again() {
    udp_is_blocked(&[Side::Sharer], [RelayUdp, RelayTls]);
}

#[test]
fn udp_is_blocked_at_both_and_let_through_again() {
    udp_is_blocked(&[Side::Helper, Side::Sharer], [RelayTls; 2]);
}

/// A path is doubted after 100 to 200 ms of silence, and left 180 ms later.
#[test]
fn the_end_is_told_when_the_path_has_just_failed_and_while_it_is_in_doubt() {
    let (bed, relay) = bed(&Config::default());
    for wait_ms in [0, 130, 230] {
        let session = Session::begin(&bed, urls(&relay, Carriers::Both), None);
        let mut running = Running::begin(session, [RelayUdp; 2]);
        let fault = bed.block_udp(Side::Helper).unwrap();
        running.film.watch(Duration::from_millis(wait_ms));
        let Session { sharer, helper, far, near, .. } = running.session;
        far.close(7, "enough");
        let start = Instant::now();
        // As a program that ends: nothing of it is left.
        drop((running.film, far, sharer));
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?}");
        let closed = async move {
            let closed = tokio::time::timeout(Duration::from_secs(2), near.closed()).await;
            (closed, near.paths())
        };
        let (closed, paths) = helper.run(closed).unwrap();
        let told = CloseReason::Peer { code: 7, reason: "enough".to_owned() };
        assert_eq!(closed.ok(), Some(told), "{wait_ms} ms: {paths:?}");
        println!("  after {wait_ms} ms the end took {took:?}");
        fault.undo().unwrap();
    }
}

#[test]
fn the_direct_route_is_cut_and_comes_back() {
    let (bed, relay) = bed(&Config { layout: Layout::OneLan, ..Config::default() });
    let here = Some(bed.sharer().address());
    let mut running =
        Running::begin(Session::begin(&bed, urls(&relay, Carriers::Both), here), [Direct; 2]);
    running.mark();
    let fault = bed.cut_direct().unwrap();
    running.goes_on([RelayUdp; 2], &[Silence]);
    running.returns(vec![fault], [Direct; 2]);
    running.ends();
}

fn two_relays(carriers: Carriers, kind: PathKind) -> (Bed, [Relay; 2], Running) {
    let (bed, first) = bed(&Config::default());
    let second = bed.relay(&RelayConfig::default()).unwrap();
    let relays = [&first, &second].map(|relay| urls(relay, carriers)).concat();
    let running = Running::begin(Session::begin(&bed, relays, None), [kind; 2]);
    // Whichever was faster is the first.
    let by = active(&running.session.near).remote.ip();
    let relays = if by == first.address() { [first, second] } else { [second, first] };
    (bed, relays, running)
}

fn one_relay_dies(carriers: Carriers, kind: PathKind, reasons: &[SwitchReason]) {
    let (_bed, [mut used, other], mut running) = two_relays(carriers, kind);
    running.mark();
    used.kill();
    running.goes_on([kind; 2], reasons);
    for end in [&running.session.near, &running.session.far] {
        assert_eq!(active(end).remote.ip(), other.address());
    }
    running.ends();
}

#[test]
fn a_relay_over_udp_dies_and_another_takes_over() {
    one_relay_dies(Carriers::Udp, RelayUdp, &[Silence]);
}

#[test]
fn a_relay_over_tls_dies_and_another_takes_over() {
    one_relay_dies(Carriers::Tls, RelayTls, &[RelayLost, Silence]);
}

#[test]
fn a_relay_over_both_dies_and_another_takes_over() {
    // The other relay may answer over TLS first; over UDP it is better.
    one_relay_dies(Carriers::Both, RelayUdp, &[Silence, RelayLost, Better]);
}

#[test]
fn a_slow_link_carries_the_film_over_tls() {
    let (bed, relay) = bed(&Config::default());
    let mut running =
        Running::begin(Session::begin(&bed, urls(&relay, Carriers::Tls), None), [RelayTls; 2]);
    running.mark();
    // The film and its headers are 0.5 Mbit/s.
    let fault = bed.rate(Side::Helper, 800_000).unwrap();
    running.film.watch(GAP * 2);
    let gap = running.film.gap(running.since);
    println!("  gap {gap:?}");
    assert!(gap < GAP);
    assert_eq!(running.session.kinds(), [RelayTls; 2]);
    assert!(running.session.agrees());
    fault.undo().unwrap();
    running.ends();
}

#[test]
fn a_link_that_is_too_slow_over_tls_drops_frames_and_goes_on() {
    let (bed, relay) = bed(&Config::default());
    let mut running =
        Running::begin(Session::begin(&bed, urls(&relay, Carriers::Tls), None), [RelayTls; 2]);
    running.mark();
    let fault = bed.rate(Side::Helper, 250_000).unwrap();
    running.film.watch(GAP * 3);
    let (gap, changes) = (running.film.gap(running.since), running.session.changes());
    println!("  gap {gap:?}, {changes:?} changes");
    assert!(gap < GAP);
    fault.undo().unwrap();
    running.mark();
    running.film.watch(CALM * 2);
    println!("  gap {:?}", running.film.gap(running.since));
    assert!(running.film.gap(running.since) < GAP);
    running.ends();
}
