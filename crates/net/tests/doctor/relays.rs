//! What relays refuse.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use farpane_net::doctor::{Report, Subject, Verdict};
use farpane_net::{Credential, Identity, Invitations, Listener, NetConfig, NetThread, RelayUrl};
use farpane_netbed::{Config, RelayConfig, Side, Space};

use crate::support::{
    TLS, UDP, bed, drop_forwarded, examine, expect, expect_tls, expect_udp, urls, urls_for,
};

/// Asserts that both allocations are refused, and what to do about it.
fn expect_refused(report: &Report, words: &[&str]) {
    for (relay, allocation) in report.relays.iter().zip([UDP, TLS]) {
        expect(&relay.checks, allocation, Verdict::Failed, words);
        expect(&relay.checks, Subject::Forwarding, Verdict::Skipped, &["no address"]);
        assert!(!relay.is_usable());
    }
    // What comes before is well.
    expect(&report.relays[0].checks, Subject::UdpPort(3478), Verdict::Ok, &[]);
    expect(&report.relays[0].checks, Subject::PathMtu, Verdict::Ok, &[]);
    expect(&report.relays[1].checks, Subject::Tls, Verdict::Ok, &[]);
    assert!(!report.is_session_possible());
}

#[test]
fn a_wrong_password() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let urls = urls_for(&relay, &Credential::new("user", "pass-WORD"));
    let report = examine(bed.helper(), &urls);
    expect_refused(&report, &["check user name and password"]);
    assert!(!format!("{report:?}").contains("pass-WORD"));
}

#[test]
fn no_credential() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let urls = urls(&relay).map(|url| url.to_string().parse::<RelayUrl>().unwrap());
    let report = examine(bed.helper(), &urls);
    expect_refused(&report, &["give a user name and a password"]);
}

#[test]
fn a_credential_that_has_ended() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::with_secret("north"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ended = Credential::time_limited(b"north", now - 100, "helper");
    let report = examine(bed.helper(), &urls_for(&relay, &ended));
    expect_refused(&report, &["get a new credential: this one ended 10", "s ago", "clocks"]);
    let valid = Credential::time_limited(b"north", now + 100, "helper");
    let report = examine(bed.helper(), &urls_for(&relay, &valid));
    expect_udp(&report.relays[0]);
    expect_tls(&report.relays[1]);
    let forged = Credential::time_limited(b"south", now + 100, "helper");
    let report = examine(bed.helper(), &urls_for(&relay, &forged));
    expect_refused(&report, &["check user name and password", "present secret"]);
}

/// Something else of the same user that holds an allocation until it is dropped.
fn hold(space: &Space, url: RelayUrl) -> (NetThread, Listener) {
    let config = NetConfig { relays: vec![url], ..NetConfig::default() };
    let work = || {
        let net = NetThread::start().unwrap();
        let any: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let listener = net.run(async move {
            let identity = Identity::generate().unwrap();
            let invitations = Invitations::new();
            let listener = Listener::bind(any, &identity, invitations, config).await.unwrap();
            assert_eq!(listener.invited_relays().await.len(), 1);
            listener
        });
        let listener = listener.unwrap();
        (net, listener)
    };
    space.inside(work).unwrap()
}

#[test]
fn a_quota_that_is_used_up() {
    let config = RelayConfig { user_quota: Some(1), ..RelayConfig::default() };
    let (bed, relay) = bed(&Config::default(), config);
    let urls = urls(&relay);
    let held = hold(bed.sharer(), urls[0].clone());
    let report = examine(bed.helper(), &urls);
    expect_refused(&report, &["raise the user's quota", "user-quota"]);
    drop(held);
}

#[test]
fn a_quota_counts_by_the_name_in_a_time_limited_credential() {
    let config = RelayConfig { user_quota: Some(1), ..RelayConfig::with_secret("north") };
    let (bed, relay) = bed(&Config::default(), config);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let urls =
        |end_s, name| urls_for(&relay, &Credential::time_limited(b"north", now + end_s, name));
    let held = hold(bed.sharer(), urls(1_000, "ada")[0].clone());
    let report = examine(bed.helper(), &urls(2_000, "ada"));
    expect_refused(&report, &["raise the user's quota"]);
    let report = examine(bed.helper(), &urls(2_000, "bob")[..1]);
    expect_udp(&report.relays[0]);
    drop(held);
}

#[test]
fn nothing_is_left_at_the_relay() {
    let config = RelayConfig { user_quota: Some(2), ..RelayConfig::default() };
    let (bed, relay) = bed(&Config::default(), config);
    for _ in 0..3 {
        let report = examine(bed.helper(), &urls(&relay));
        expect_udp(&report.relays[0]);
        expect_tls(&report.relays[1]);
    }
}

#[test]
fn a_relay_that_forwards_to_nobody() {
    let denied_peers = vec!["0.0.0.0-255.255.255.255".to_owned()];
    let config = RelayConfig { denied_peers, ..RelayConfig::default() };
    let (bed, relay) = bed(&Config::default(), config);
    let report = examine(bed.helper(), &urls(&relay));
    let words = ["forwards to no peers", "its own address", "allowed-peer-ip=203.0.113.10"];
    for (relay, allocation) in report.relays.iter().zip([UDP, TLS]) {
        expect(&relay.checks, allocation, Verdict::Ok, &[]);
        expect(&relay.checks, Subject::Forwarding, Verdict::Failed, &words);
    }
    assert!(!report.is_session_possible());
}

#[test]
fn a_relay_that_is_allowed_its_own_address_alone() {
    let config = RelayConfig {
        denied_peers: vec!["0.0.0.0-255.255.255.255".to_owned()],
        arguments: vec!["--allowed-peer-ip=203.0.113.10".to_owned()],
        ..RelayConfig::default()
    };
    let (bed, relay) = bed(&Config::default(), config);
    let report = examine(bed.helper(), &urls(&relay));
    expect_udp(&report.relays[0]);
    expect_tls(&report.relays[1]);
}

#[test]
fn a_relay_that_answers_turn_and_no_stun_bindings() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    // Behind UDP's header, a message's type.
    drop_forwarded(bed.router(Side::Helper), &["udp dport 3478-3481 @th,64,16 1"]);
    let report = examine(bed.helper(), &urls(&relay)[..1]);
    let checks = &report.relays[0].checks;
    expect(checks, Subject::UdpPort(3478), Verdict::Ok, &["TURN answers"]);
    expect(checks, UDP, Verdict::Ok, &[]);
    expect(checks, Subject::Forwarding, Verdict::Ok, &["1232 bytes"]);
    expect(checks, Subject::PathMtu, Verdict::Skipped, &["STUN bindings"]);
    assert!(report.is_session_possible());
}

#[test]
fn a_relay_that_is_down() {
    let (bed, mut relay) = bed(&Config::default(), RelayConfig::default());
    relay.kill();
    let report = examine(bed.helper(), &urls(&relay));
    let words = ["check that the relay runs and listens"];
    expect(&report.relays[0].checks, Subject::UdpPort(3478), Verdict::Failed, &words);
    expect(&report.relays[1].checks, Subject::TcpPort(443), Verdict::Failed, &words);
    assert!(!report.is_session_possible());
}
