//! Who reaches whom in which layout.

use crate::sockets::{LOST, at, is_lost, reaches, received, tcp, tcp_echo, udp, udp_at};
use farpane_netbed::{Bed, Config, Family, Layout, Nat, Side};
use std::net::{SocketAddr, UdpSocket};

/// A socket of a side at an inside port, and where `public` saw it.
fn mapped(bed: &Bed, side: Side, port: u16) -> (UdpSocket, SocketAddr) {
    let socket = udp_at(bed.machine(side), port);
    let server = udp(bed.public());
    let seen = reaches(&socket, at(&server), &server);
    (socket, seen)
}

/// Both send to where the other was seen, as programs do that want to meet. Who hears the other.
fn punch(bed: &Bed) -> (bool, bool) {
    let (sharer, sharer_seen) = mapped(bed, Side::Sharer, 40_001);
    let (helper, helper_seen) = mapped(bed, Side::Helper, 40_002);
    // The first is dropped by the helper's router; the second finds the way that the first made.
    assert!(is_lost(&sharer, helper_seen, &helper));
    helper.send_to(b"ping", sharer_seen).unwrap();
    let at_sharer = received(&sharer, LOST).is_some();
    sharer.send_to(b"ping", helper_seen).unwrap();
    (at_sharer, received(&helper, LOST).is_some())
}

#[test]
fn two_nats_hide_the_machines_and_keep_ports() {
    let bed = Bed::build(&Config::default()).unwrap();
    let (sharer, seen) = mapped(&bed, Side::Sharer, 40_000);
    assert_eq!(seen, (bed.router(Side::Sharer).address(), 40_000).into());
    let helper = udp(bed.helper());
    assert!(is_lost(&sharer, at(&helper), &helper));
    let outside = (bed.router(Side::Helper).address(), helper.local_addr().unwrap().port());
    assert!(is_lost(&sharer, outside.into(), &helper));
    assert!(is_lost(&udp(bed.public()), outside.into(), &helper));
    let echo = tcp_echo(bed.helper(), 4_000);
    assert!(tcp(bed.sharer(), echo).is_err());
}

#[test]
fn through_port_preserving_nats_both_meet_who_send_at_once() {
    let bed = Bed::build(&Config::default()).unwrap();
    let (sharer, seen) = mapped(&bed, Side::Sharer, 40_000);
    let elsewhere = udp(bed.public());
    assert_eq!(reaches(&sharer, at(&elsewhere), &elsewhere), seen);
    assert_eq!(punch(&bed), (true, true));
}

#[test]
fn through_symmetric_nats_they_do_not() {
    let nat = Nat::Symmetric;
    let config = Config { sharer_nat: nat, helper_nat: nat, ..Config::default() };
    let bed = Bed::build(&config).unwrap();
    let (sharer, seen) = mapped(&bed, Side::Sharer, 40_000);
    let elsewhere = udp(bed.public());
    assert_ne!(reaches(&sharer, at(&elsewhere), &elsewhere), seen);
    assert_eq!(punch(&bed), (false, false));
}

#[test]
fn in_one_lan_they_reach_each_other_and_share_an_outside_address() {
    for family in [Family::V4, Family::V6] {
        let config = Config { layout: Layout::OneLan, family, ..Config::default() };
        let bed = Bed::build(&config).unwrap();
        let (sharer, sharer_seen) = mapped(&bed, Side::Sharer, 40_001);
        let (helper, helper_seen) = mapped(&bed, Side::Helper, 40_002);
        assert_eq!(reaches(&sharer, at(&helper), &helper), at(&sharer));
        assert!(tcp(bed.helper(), tcp_echo(bed.sharer(), 4_000)).is_ok());
        assert_eq!(sharer_seen.ip() == helper_seen.ip(), family == Family::V4);
        assert!(is_lost(&udp(bed.public()), sharer_seen, &sharer));
    }
}

#[test]
fn over_ipv6_nothing_is_translated_and_only_answers_come_in() {
    let bed = Bed::build(&Config { family: Family::V6, ..Config::default() }).unwrap();
    let (sharer, seen) = mapped(&bed, Side::Sharer, 40_000);
    assert_eq!(seen, at(&sharer));
    let helper = udp(bed.helper());
    assert!(is_lost(&sharer, at(&helper), &helper));
    assert!(is_lost(&udp(bed.public()), at(&helper), &helper));
    assert!(tcp(bed.sharer(), tcp_echo(bed.helper(), 4_000)).is_err());
    assert_eq!(punch(&bed), (true, true));
}
