//! What networks let out.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use farpane_net::RelayPin;
use farpane_net::doctor::{Subject, Verdict};
use farpane_netbed::{Bed, Config, Family, RelayConfig, Side};

use crate::support::{
    TLS, UDP, bed, drop_forwarded, examine, examine_within, expect, expect_no_tcp, expect_no_udp,
    expect_tls, expect_udp, urls,
};

#[test]
fn in_an_open_network_all_is_well() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let report = examine(bed.helper(), &urls(&relay));
    expect_udp(&report.relays[0]);
    expect(&report.relays[0].checks, Subject::PathMtu, Verdict::Ok, &["1472 bytes"]);
    expect_tls(&report.relays[1]);
    expect(&report.network, Subject::NatMapping, Verdict::Ok, &["not port-dependent"]);
    expect(&report.network, Subject::NatRebinding, Verdict::Ok, &["of use"]);
    assert!(report.is_session_possible());
}

#[test]
fn without_udp_the_relay_over_tls_is_left() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let _fault = bed.block_udp(Side::Helper).unwrap();
    let report = examine(bed.helper(), &urls(&relay));
    expect_no_udp(&report.relays[0], "203.0.113.10");
    expect_tls(&report.relays[1]);
    expect(&report.network, Subject::NatMapping, Verdict::Skipped, &["no STUN server"]);
    assert!(report.is_session_possible());
}

#[test]
fn tcp_443_alone_is_enough() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let others = ["iifname in tcp dport != 443", "iifname in meta l4proto != tcp"];
    drop_forwarded(bed.router(Side::Helper), &others);
    let report = examine(bed.helper(), &urls(&relay));
    expect_no_udp(&report.relays[0], "203.0.113.10");
    expect_tls(&report.relays[1]);
    assert!(report.is_session_possible());
}

#[test]
fn without_tcp_443_udp_is_left() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let _fault = bed.block_ports(Side::Helper, &[], &[443]).unwrap();
    let report = examine(bed.helper(), &urls(&relay));
    expect_udp(&report.relays[0]);
    expect_no_tcp(&report.relays[1], "203.0.113.10");
    assert!(report.is_session_possible());
}

#[test]
fn one_udp_port_is_enough_and_the_others_are_warned_of() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let _fault = bed.block_ports(Side::Helper, &[3478, 3480, 3481], &[]).unwrap();
    let report = examine(bed.helper(), &urls(&relay)[..1]);
    let checks = &report.relays[0].checks;
    expect(checks, Subject::UdpPort(3479), Verdict::Ok, &[]);
    for port in [3478, 3480, 3481] {
        let words = ["outbound UDP", "port 3478, 3480-3481"];
        expect(checks, Subject::UdpPort(port), Verdict::Warning, &words);
    }
    expect(checks, UDP, Verdict::Ok, &[":3479"]);
    expect(&report.network, Subject::NatMapping, Verdict::Skipped, &["two have to answer"]);
    assert!(report.is_session_possible());
}

#[test]
fn where_nothing_is_let_out_no_session_is_possible() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let _fault = bed.cut(Side::Helper).unwrap();
    let report = examine(bed.helper(), &urls(&relay));
    expect_no_udp(&report.relays[0], "203.0.113.10");
    expect_no_tcp(&report.relays[1], "203.0.113.10");
    assert!(!report.is_session_possible());
    let limit = Duration::from_secs(1);
    let report = examine_within(bed.helper(), &urls(&relay), limit);
    assert!(report.took < limit + Duration::from_millis(500), "{:?}", report.took);
    assert!(!report.is_session_possible());
}

#[test]
fn inspection_of_tls_is_named_with_both_keys() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let proxy = bed.intercept_tls(Side::Helper, &relay).unwrap();
    let report = examine(bed.helper(), &urls(&relay));
    expect_udp(&report.relays[0]);
    let checks = &report.relays[1].checks;
    let shown = RelayPin(proxy.spki_sha256()).to_string();
    let expected = RelayPin(relay.spki_sha256()).to_string();
    let words = [
        "exempt 203.0.113.10:443 from TLS inspection",
        "signed by Corporate Inspection CA",
        &format!("with key {shown}"),
        &format!("expected {expected}"),
    ];
    expect(checks, Subject::TcpPort(443), Verdict::Ok, &[]);
    expect(checks, Subject::Tls, Verdict::Failed, &words);
    expect(checks, TLS, Verdict::Skipped, &["TLS fails"]);
    assert!(!report.relays[1].is_usable());
    assert!(report.is_session_possible());
}

#[test]
fn a_filter_that_takes_connections_and_ends_tls_is_told_from_inspection() {
    let bed = Bed::build(&Config::default()).unwrap();
    let server = SocketAddr::new(bed.public().address(), 443);
    let listener = bed.public().inside(|| TcpListener::bind(server)).unwrap().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let pin = RelayPin([7; 32]);
    let url = format!("turns:u:p@{}?pin={pin}", server.ip()).parse().unwrap();
    let report = examine(bed.helper(), &[url]);
    let checks = &report.relays[0].checks;
    expect(checks, Subject::TcpPort(443), Verdict::Ok, &[]);
    let words = ["exempt 203.0.113.1:443", "application filters", "TLS 1.2 or 1.3"];
    expect(checks, Subject::Tls, Verdict::Failed, &words);
    assert!(!report.is_session_possible());
}

#[test]
fn over_ipv6_alone_all_is_well() {
    let config = Config { family: Family::V6, ..Config::default() };
    let (bed, relay) = bed(&config, RelayConfig::default());
    let report = examine(bed.helper(), &urls(&relay));
    expect_udp(&report.relays[0]);
    expect(&report.relays[0].checks, Subject::PathMtu, Verdict::Ok, &["1452 bytes"]);
    expect_tls(&report.relays[1]);
    expect(&report.network, Subject::NatMapping, Verdict::Ok, &["no NAT", "2001:db8:2::2"]);
    assert!(report.is_session_possible());
}
