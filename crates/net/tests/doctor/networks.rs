//! Names, address translation, and the size of packets.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farpane_net::doctor::{Subject, Verdict};
use farpane_net::{Credential, RelayUrl};
use farpane_netbed::{Bed, Config, Nat, RelayConfig, Side};

use crate::support::{bed, examine, expect, expect_tls, expect_udp, run, urls};

#[test]
fn a_symmetric_nat_is_told_from_one_that_keeps_ports() {
    let config = Config { helper_nat: Nat::Symmetric, ..Config::default() };
    let (bed, relay) = bed(&config, RelayConfig::default());
    let report = examine(bed.helper(), &urls(&relay)[..1]);
    expect_udp(&report.relays[0]);
    let words = ["direct connections", "unlikely", "endpoint-independent mapping"];
    expect(&report.network, Subject::NatMapping, Verdict::Warning, &words);
    expect(&report.network, Subject::NatRebinding, Verdict::Ok, &[]);
    let report = examine(bed.sharer(), &urls(&relay)[..1]);
    expect(&report.network, Subject::NatMapping, Verdict::Ok, &["not port-dependent"]);
}

#[test]
fn two_relays_tell_more_of_a_nat_than_one() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let other = bed.relay(&RelayConfig::default()).unwrap();
    let [first, _] = urls(&relay);
    let [second, _] = urls(&other);
    let report = examine(bed.helper(), &[first, second]);
    expect(&report.network, Subject::NatMapping, Verdict::Ok, &["endpoint-independent"]);
    assert!(report.relays.iter().all(farpane_net::doctor::RelayReport::is_usable));
    // The second listens at one port.
    let words = ["outbound UDP", "203.0.113.11", "port 3479-3481"];
    expect(&report.relays[1].checks, Subject::UdpPort(3479), Verdict::Warning, &words);
}

#[test]
fn a_mapping_that_changes_in_use_is_warned_of() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    let is_over = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(700));
                bed.remap(Side::Helper).unwrap();
            }
        });
        let report = examine(bed.helper(), &urls(&relay)[..1]);
        is_over.store(true, Ordering::Relaxed);
        report
    });
    let words = ["stutter", "keep UDP mappings"];
    expect(&report.network, Subject::NatRebinding, Verdict::Warning, &words);
}

#[test]
fn a_name_without_an_address_is_for_dns() {
    let bed = Bed::build(&Config::default()).unwrap();
    let url: RelayUrl = "turn:relay.invalid".parse().unwrap();
    let url = url.with_credential(Credential::new("user", "password"));
    let report = examine(bed.helper(), &[url]);
    let checks = &report.relays[0].checks;
    expect(checks, Subject::Dns, Verdict::Failed, &["look up relay.invalid", "DNS servers"]);
    let others = checks.iter().filter(|check| check.subject != Subject::Dns);
    assert!(others.clone().all(|check| check.verdict == Verdict::Skipped));
    assert_eq!(others.count(), 7);
    assert!(!report.is_session_possible());
}

#[test]
fn a_tunnel_with_an_mtu_of_1300_is_enough_for_a_session() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    run(bed.helper(), "ip", &["link", "set", "dev", "eth0", "mtu", "1300"]);
    let report = examine(bed.helper(), &urls(&relay));
    expect_udp(&report.relays[0]);
    expect(&report.relays[0].checks, Subject::PathMtu, Verdict::Ok, &["1272 bytes", "MTU 1300"]);
    expect_tls(&report.relays[1]);
}

#[test]
fn a_line_with_an_mtu_of_1200_somewhere_is_too_narrow_for_udp() {
    let (bed, relay) = bed(&Config::default(), RelayConfig::default());
    run(bed.router(Side::Helper), "ip", &["link", "set", "dev", "out", "mtu", "1200"]);
    // As routers in front of narrow lines do, so that TCP keeps its segments small.
    let clamp = "table inet clamp {
        chain forward {
            type filter hook forward priority -20;
            tcp flags syn tcp option maxseg size set 1160
        }
    }";
    run(bed.router(Side::Helper), "nft", &[clamp]);
    let report = examine(bed.helper(), &urls(&relay));
    let checks = &report.relays[0].checks;
    let words = ["above 1172 bytes are lost", "needs 1232", "raise the MTU", "1260"];
    expect(checks, Subject::PathMtu, Verdict::Failed, &words);
    expect(checks, Subject::Forwarding, Verdict::Failed, &["raise the MTU", "1232"]);
    assert!(!report.relays[0].is_usable());
    expect_tls(&report.relays[1]);
    assert!(report.is_session_possible());
}
