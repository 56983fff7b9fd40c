//! Sessions by each kind of path.

use std::time::{Duration, Instant};

use farpane_net::PathKind;
use farpane_netbed::{Config, Layout, Nat};

use crate::session::Session;
use crate::support::{Carriers, bed, urls};

fn goes_by(carriers: Carriers, kind: PathKind) {
    let (bed, relay) = bed(&Config::default());
    let session = Session::begin(&bed, urls(&relay, carriers), None);
    println!("{kind}: joined after {:?}", session.took);
    assert_eq!(session.kinds(), [kind; 2]);
    let mut film = session.film();
    film.watch(Duration::from_millis(1_500));
    assert!(film.had.len() > 50, "{kind}: {} frames", film.had.len());
    film.end();
    assert!(session.agrees(), "{}", session.told());
    session.control_passes();
}

#[test]
fn a_session_goes_by_the_relay_over_udp() {
    goes_by(Carriers::Udp, PathKind::RelayUdp);
}

#[test]
fn a_session_goes_by_the_relay_over_tls() {
    goes_by(Carriers::Tls, PathKind::RelayTls);
}

#[test]
fn on_one_network_the_relay_is_not_used() {
    let (bed, relay) = bed(&Config { layout: Layout::OneLan, ..Config::default() });
    let here = Some(bed.sharer().address());
    let session = Session::begin(&bed, urls(&relay, Carriers::Both), here);
    println!("direct: joined after {:?}", session.took);
    assert_eq!(session.kinds(), [PathKind::Direct; 2]);
    assert!(session.agrees());
    session.control_passes();
}

#[test]
fn two_translators_that_keep_ports_are_passed_without_a_relay_and_others_are_not() {
    for (nat, expected) in
        [(Nat::Preserving, PathKind::Direct), (Nat::Symmetric, PathKind::RelayUdp)]
    {
        let config = Config { sharer_nat: nat, helper_nat: nat, ..Config::default() };
        let (bed, relay) = bed(&config);
        let session = Session::begin_finding(&bed, urls(&relay, Carriers::Both));
        let mut film = session.film();
        let from = Instant::now();
        let is_found = || session.kinds() == [PathKind::Direct; 2];
        let found = film.watch_until(Duration::from_secs(5), is_found);
        println!("{nat:?}: {}", session.told());
        assert_eq!(session.kinds(), [expected; 2], "{nat:?}: {found}");
        film.watch(Duration::from_millis(500));
        assert!(film.gap(from) < Duration::from_millis(300));
        film.end();
    }
}
