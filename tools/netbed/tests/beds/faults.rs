//! Each fault does what it says, and its undoing repairs it.

use crate::sockets::{LOST, at, echoes, is_lost, reaches, received, tcp, tcp_echo, udp, udp_at};
use farpane_netbed::{Bed, Config, Family, Layout, Nat, Side, Space};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn beds() -> [Bed; 3] {
    let build =
        |layout, family| Bed::build(&Config { layout, family, ..Config::default() }).unwrap();
    [
        build(Layout::TwoNats, Family::V4),
        build(Layout::OneLan, Family::V4),
        build(Layout::TwoNats, Family::V6),
    ]
}

/// Whether a new flow of the space reaches `public` over UDP.
fn reaches_public(bed: &Bed, from: &Space) -> bool {
    let server = udp(bed.public());
    !is_lost(&udp(from), at(&server), &server)
}

#[test]
fn udp_is_blocked_for_one_side_also_in_flows_that_are_there() {
    for bed in beds() {
        let server = udp(bed.public());
        let to = at(&server);
        let socket = udp(bed.sharer());
        let seen = reaches(&socket, to, &server);
        let mut stream = tcp(bed.sharer(), tcp_echo(bed.public(), 4_000)).unwrap();

        let fault = bed.block_udp(Side::Sharer).unwrap();
        assert!(is_lost(&socket, to, &server));
        assert!(is_lost(&server, seen, &socket));
        assert!(!reaches_public(&bed, bed.sharer()));
        assert!(reaches_public(&bed, bed.helper()));
        assert!(echoes(&mut stream, SECOND));

        fault.undo().unwrap();
        assert_eq!(reaches(&socket, to, &server), seen);
        reaches(&server, seen, &socket);
    }
}

#[test]
fn ports_are_blocked_and_no_others() {
    for bed in beds() {
        let (one, other) = (udp_at(bed.public(), 5_001), udp_at(bed.public(), 5_002));
        let socket = udp(bed.helper());
        let seen = reaches(&socket, at(&one), &one);
        let (blocked, open) = (tcp_echo(bed.public(), 6_001), tcp_echo(bed.public(), 6_002));
        let mut stream = tcp(bed.helper(), blocked).unwrap();

        let fault = bed.block_ports(Side::Helper, &[5_001, 7_000], &[6_001]).unwrap();
        assert!(is_lost(&socket, at(&one), &one));
        assert!(is_lost(&one, seen, &socket));
        assert!(!echoes(&mut stream, LOST));
        assert!(tcp(bed.helper(), blocked).is_err());
        reaches(&socket, at(&other), &other);
        assert!(tcp(bed.helper(), open).is_ok());
        assert!(tcp(bed.sharer(), blocked).is_ok());

        // Dropping it undoes it, too.
        drop(fault);
        reaches(&socket, at(&one), &one);
        assert!(tcp(bed.helper(), blocked).is_ok());
        assert!(bed.block_ports(Side::Helper, &[], &[]).is_err());
    }
}

#[test]
fn a_side_is_cut_off_without_being_told() {
    for bed in beds() {
        let server = udp(bed.public());
        let to = at(&server);
        let socket = udp(bed.sharer());
        let seen = reaches(&socket, to, &server);
        let helper = udp(bed.helper());
        let direct = reaches_directly(&bed);

        let fault = bed.cut(Side::Sharer).unwrap();
        assert!(is_lost(&socket, to, &server));
        assert!(is_lost(&server, seen, &socket));
        assert!(is_lost(&socket, at(&helper), &helper));
        assert!(tcp(bed.sharer(), tcp_echo(bed.public(), 4_000)).is_err());
        assert!(reaches_public(&bed, bed.helper()));

        fault.undo().unwrap();
        reaches(&socket, to, &server);
        assert_eq!(reaches_directly(&bed), direct);
    }
}

fn reaches_directly(bed: &Bed) -> bool {
    let helper = udp(bed.helper());
    !is_lost(&udp(bed.sharer()), at(&helper), &helper)
}

#[test]
fn only_the_direct_way_is_cut() {
    for bed in beds() {
        let (sharer, helper) = (udp_at(bed.sharer(), 40_001), udp_at(bed.helper(), 40_002));
        // Where they are seen: in one LAN and over IPv6 at their own addresses.
        let translated = bed.sharer().address().is_ipv4()
            && bed.router(Side::Sharer).name() != bed.router(Side::Helper).name();
        let seen = |side, port| {
            let space = if translated { bed.router(side) } else { bed.machine(side) };
            (space.address(), port).into()
        };
        let (sharer_seen, helper_seen) = (seen(Side::Sharer, 40_001), seen(Side::Helper, 40_002));
        sharer.send_to(b"ping", helper_seen).unwrap();
        received(&helper, LOST);
        reaches(&helper, sharer_seen, &sharer);

        let fault = bed.cut_direct().unwrap();
        assert!(is_lost(&helper, sharer_seen, &sharer));
        assert!(is_lost(&sharer, helper_seen, &helper));
        assert!(reaches_public(&bed, bed.sharer()));
        assert!(reaches_public(&bed, bed.helper()));

        fault.undo().unwrap();
        reaches(&helper, sharer_seen, &sharer);
    }
}

#[test]
fn a_nat_that_forgets_gives_other_ports_each_time() {
    for nat in [Nat::Preserving, Nat::Symmetric] {
        let bed = Bed::build(&Config { sharer_nat: nat, ..Config::default() }).unwrap();
        let (server, other) = (udp(bed.public()), udp(bed.public()));
        let to = at(&server);
        let socket = udp(bed.sharer());
        let mut seen = vec![reaches(&socket, to, &server)];
        for _ in 0..3 {
            bed.remap(Side::Sharer).unwrap();
            assert!(is_lost(&server, *seen.last().unwrap(), &socket));
            let now = reaches(&socket, to, &server);
            assert!(!seen.contains(&now), "{now} again: {seen:?}");
            assert_eq!(now.ip(), bed.router(Side::Sharer).address());
            reaches(&server, now, &socket);
            let elsewhere = reaches(&socket, at(&other), &other);
            assert_eq!(elsewhere == now, nat == Nat::Preserving);
            seen.push(now);
        }
    }
    let bed = Bed::build(&Config { family: Family::V6, ..Config::default() }).unwrap();
    assert!(bed.remap(Side::Sharer).is_err());
}

/// How long 500 kB take to `public` and back.
fn round_trip(bed: &Bed, side: Side) -> Duration {
    const BYTES: usize = 500_000;
    let mut stream = tcp(bed.machine(side), tcp_echo(bed.public(), 0)).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let begun = Instant::now();
    let writer = std::thread::spawn(move || stream.write_all(&[1; BYTES]).unwrap());
    reader.read_exact(&mut [0; BYTES]).unwrap();
    writer.join().unwrap();
    begun.elapsed()
}

#[test]
fn a_link_carries_no_more_than_its_rate() {
    // 0.5 s each way, at once; headers on top.
    const RATE: u64 = 8_000_000;
    for bed in beds() {
        assert!(round_trip(&bed, Side::Helper) < Duration::from_millis(400));
        let fault = bed.rate(Side::Helper, RATE).unwrap();
        assert!(bed.rate(Side::Helper, RATE).is_err(), "it has one");
        let slow = round_trip(&bed, Side::Helper);
        assert!((500..2_000).contains(&slow.as_millis()), "{slow:?}");
        assert!(round_trip(&bed, Side::Sharer) < Duration::from_millis(400));
        fault.undo().unwrap();
        assert!(round_trip(&bed, Side::Helper) < Duration::from_millis(400));
    }
    let bed = Bed::build(&Config::default()).unwrap();
    assert!(bed.rate(Side::Helper, 0).is_err());
}
