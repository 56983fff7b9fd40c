//! Firewalls that were there before the session: what they leave is used, or they are named.

use std::time::{Duration, Instant};

use farpane_net::PathKind::{self, RelayTls, RelayUdp};
use farpane_netbed::{Bed, Config, Fault, Side};

use crate::session::Session;
use crate::support::{Carriers, Helper, Sharer, bed, urls, wait_for};

/// For a session that comes about, the invitation not counted; the design's floor is 1 s.
const JOIN_LIMIT: Duration = Duration::from_secs(1);
/// For the best of what is left to be in use.
const BEST_LIMIT: Duration = Duration::from_secs(3);
/// For an error: the relays' 5 s, and the machine's noise.
const ERROR_LIMIT: Duration = Duration::from_secs(7);
/// For an error that takes the whole time of `connect`, and the machine's noise.
const CONNECT_LIMIT: Duration = Duration::from_secs(11);
const HELPER: &[Side] = &[Side::Helper];
const SHARER: &[Side] = &[Side::Sharer];
const BOTH: &[Side] = &[Side::Helper, Side::Sharer];

/// What a firewall drops.
#[derive(Clone, Copy, Debug)]
enum Wall {
    TurnPort,
    TlsPort,
    Udp,
    Everything,
}

fn raise(bed: &Bed, wall: Wall, sides: &[Side]) -> Vec<Fault> {
    let raise = |side: &Side| match wall {
        Wall::TurnPort => bed.block_ports(*side, &[3478], &[]),
        Wall::TlsPort => bed.block_ports(*side, &[], &[443]),
        Wall::Udp => bed.block_udp(*side),
        Wall::Everything => bed.cut(*side),
    };
    sides.iter().map(|side| raise(side).unwrap()).collect()
}

/// The session comes about, by these kinds of paths at the helper and at the sharer.
fn leaves(wall: Wall, sides: &[Side], kinds: [PathKind; 2]) {
    let (bed, relay) = bed(&Config::default());
    let _faults = raise(&bed, wall, sides);
    let session = Session::begin(&bed, urls(&relay, Carriers::Both), None);
    println!("  {wall:?} {sides:?}: joined after {:?}", session.took);
    assert!(session.took < JOIN_LIMIT, "{:?}", session.took);
    println!("  at first {:?}", session.kinds());
    assert!(wait_for(BEST_LIMIT, || session.kinds() == kinds), "{}", session.told());
    assert!(session.agrees(), "{}", session.told());
    session.control_passes();
}

/// The sharer, who was there before the walls if they are not its own, and the helper are told what
/// to allow, in time.
fn shuts_out(sides: &[Side]) {
    let (bed, relay) = bed(&Config::default());
    let all = urls(&relay, Carriers::Both);
    let good = Sharer::start(&bed, all.clone());
    let invitation = good.invite(None);
    let _faults = raise(&bed, Wall::Everything, sides);
    if sides.contains(&Side::Sharer) {
        let sharer = Sharer::start(&bed, all);
        let start = Instant::now();
        let error = sharer.try_invite(None, |_| {}).err().unwrap().to_string();
        println!("  {sides:?}: sharer after {:?}: {error}", start.elapsed());
        assert!(start.elapsed() < ERROR_LIMIT);
        let failures = sharer.failures();
        TOLD.iter().for_each(|words| assert!(failures.contains(words), "{words}: {failures}"));
    }
    let start = Instant::now();
    let error = Helper::join(&bed, &invitation).err().unwrap().to_string();
    println!("  {sides:?}: helper after {:?}: {error}", start.elapsed());
    assert!(start.elapsed() < CONNECT_LIMIT);
    let words = if sides.contains(&Side::Helper) { TOLD } else { SILENT };
    words.iter().for_each(|words| assert!(error.contains(words), "{words}: {error}"));
}

const SILENT: &[&str] = &["no answer; is the sharer running"];
const TOLD: &[&str] = &[
    "allow outbound UDP to 203.0.113.10 port 3478",
    "allow outbound TCP to 203.0.113.10 port 443",
];

#[test]
fn a_blocked_turn_port_at_the_helper_leaves_tls() {
    leaves(Wall::TurnPort, HELPER, [RelayTls, RelayUdp]);
}

#[test]
fn a_blocked_turn_port_at_the_sharer_leaves_tls() {
    leaves(Wall::TurnPort, SHARER, [RelayUdp, RelayTls]);
}

#[test]
fn a_blocked_turn_port_at_both_leaves_tls() {
    leaves(Wall::TurnPort, BOTH, [RelayTls, RelayTls]);
}

#[test]
fn a_blocked_tls_port_at_the_helper_leaves_udp() {
    leaves(Wall::TlsPort, HELPER, [RelayUdp, RelayUdp]);
}

#[test]
fn a_blocked_tls_port_at_the_sharer_leaves_udp() {
    leaves(Wall::TlsPort, SHARER, [RelayUdp, RelayUdp]);
}

#[test]
fn a_blocked_tls_port_at_both_leaves_udp() {
    leaves(Wall::TlsPort, BOTH, [RelayUdp, RelayUdp]);
}

#[test]
fn blocked_udp_at_the_helper_leaves_tls() {
    leaves(Wall::Udp, HELPER, [RelayTls, RelayUdp]);
}

#[test]
fn blocked_udp_at_the_sharer_leaves_tls() {
    leaves(Wall::Udp, SHARER, [RelayUdp, RelayTls]);
}

#[test]
fn blocked_udp_at_both_leaves_tls() {
    leaves(Wall::Udp, BOTH, [RelayTls, RelayTls]);
}

#[test]
fn a_helper_who_is_shut_in_is_told_what_to_allow() {
    shuts_out(HELPER);
}

#[test]
fn a_sharer_who_is_shut_in_is_told_what_to_allow() {
    shuts_out(SHARER);
}

#[test]
fn when_both_are_shut_in_both_are_told_what_to_allow() {
    shuts_out(BOTH);
}
