//! Kinds of addresses, of translators, and more than one relay.

use std::time::Duration;

use farpane_net::{Credential, PathKind, RelayUrl};
use farpane_netbed::{Config, Family, Layout, Nat, RelayConfig};

use crate::session::Session;
use crate::support::{Carriers, active, bed, urls, wait_for};

/// For the best way to be in use.
const BEST_LIMIT: Duration = Duration::from_secs(3);
const JOIN_LIMIT: Duration = Duration::from_secs(1);

/// A session by the relay comes about, and shows a film.
fn goes(config: &Config, carriers: Carriers, kind: PathKind) {
    let (bed, relay) = bed(config);
    let session = Session::begin(&bed, urls(&relay, carriers), None);
    println!("  {config:?} {kind}: joined after {:?}", session.took);
    assert!(session.took < JOIN_LIMIT);
    shows(session, kind);
}

fn shows(session: Session, kind: PathKind) {
    assert!(wait_for(BEST_LIMIT, || session.kinds() == [kind; 2]), "{}", session.told());
    let mut film = session.film();
    film.watch(Duration::from_secs(1));
    assert!(film.had.len() > 30, "{} frames", film.had.len());
    assert!(session.agrees(), "{}", session.told());
    film.end();
    session.control_passes();
}

#[test]
fn ipv6_goes_by_the_relay_over_udp() {
    let config = Config { family: Family::V6, ..Config::default() };
    goes(&config, Carriers::Udp, PathKind::RelayUdp);
}

#[test]
fn ipv6_goes_by_the_relay_over_tls() {
    let config = Config { family: Family::V6, ..Config::default() };
    goes(&config, Carriers::Tls, PathKind::RelayTls);
}

#[test]
fn ipv6_goes_directly_on_one_network() {
    let config = Config { family: Family::V6, layout: Layout::OneLan, ..Config::default() };
    let (bed, relay) = bed(&config);
    let here = Some(bed.sharer().address());
    let session = Session::begin(&bed, urls(&relay, Carriers::Both), here);
    println!("  joined after {:?}", session.took);
    shows(session, PathKind::Direct);
}

#[test]
fn two_symmetric_translators_do_not_matter() {
    let (sharer_nat, helper_nat) = (Nat::Symmetric, Nat::Symmetric);
    let config = Config { sharer_nat, helper_nat, ..Config::default() };
    goes(&config, Carriers::Both, PathKind::RelayUdp);
}

#[test]
fn a_symmetric_translator_before_the_helper_does_not_matter() {
    let config = Config { helper_nat: Nat::Symmetric, ..Config::default() };
    goes(&config, Carriers::Both, PathKind::RelayUdp);
}

#[test]
fn a_symmetric_translator_before_the_sharer_does_not_matter() {
    let config = Config { sharer_nat: Nat::Symmetric, ..Config::default() };
    goes(&config, Carriers::Both, PathKind::RelayUdp);
}

#[test]
fn of_two_relays_the_first_may_be_dead() {
    let (bed, mut first) = bed(&Config::default());
    let second = bed.relay(&RelayConfig::default()).unwrap();
    first.kill();
    let relays = [&first, &second].map(|relay| urls(relay, Carriers::Both)).concat();
    let session = Session::begin(&bed, relays, None);
    println!("  joined after {:?}", session.took);
    assert!(session.took < JOIN_LIMIT);
    assert_eq!(active(&session.near).remote.ip(), second.address());
    shows(session, PathKind::RelayUdp);
}

#[test]
fn a_relay_is_found_at_one_of_its_usual_ports() {
    let config = RelayConfig { udp_port: 3480, ..RelayConfig::default() };
    let bed = farpane_netbed::Bed::build(&Config::default()).unwrap();
    let relay = bed.relay(&config).unwrap();
    let url: RelayUrl = format!("turn:{}", relay.address()).parse().unwrap();
    let who = Credential::new("user", "password");
    let session = Session::begin(&bed, vec![url.with_credential(who)], None);
    println!("  joined after {:?}", session.took);
    assert_eq!(active(&session.near).relay, Some(relay.udp()));
    shows(session, PathKind::RelayUdp);
}
