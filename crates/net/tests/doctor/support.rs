//! A network, its relay, and what the examination finds from the helper's machine.

use std::time::{Duration, Instant};

use farpane_net::doctor::{self, Check, RelayReport, Report, Subject, Verdict};
use farpane_net::{Credential, NetThread, RelayPin, RelayTransport, RelayUrl};
use farpane_netbed::{Bed, Config, Family, Relay, RelayConfig, Space};

const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const UDP: Subject = Subject::Allocation(RelayTransport::Udp);
pub(crate) const TLS: Subject = Subject::Allocation(RelayTransport::Tls);
/// The ports of the relay beside its first.
const OTHER_PORTS: std::ops::RangeInclusive<u16> = 3479..=3481;

/// A bed and a relay that listens at all four ports over UDP, and at 443 over TLS.
pub(crate) fn bed(config: &Config, relay: RelayConfig) -> (Bed, Relay) {
    let bed = Bed::build(config).unwrap();
    // A bed's first relay is always there.
    let host = match config.family {
        Family::V4 => "203.0.113.10",
        Family::V6 => "[2001:db8::a]",
    };
    let mut relay = relay;
    let others = OTHER_PORTS.map(|port| format!("--aux-server={host}:{port}"));
    relay.arguments.extend(others);
    let relay = bed.relay(&relay).unwrap();
    (bed, relay)
}

/// The relay over UDP without a port, and over TLS, for its user.
pub(crate) fn urls(relay: &Relay) -> [RelayUrl; 2] {
    let login = relay.login(HOUR).unwrap();
    urls_for(relay, &Credential::new(login.user, login.password))
}

/// The same for somebody.
pub(crate) fn urls_for(relay: &Relay, credential: &Credential) -> [RelayUrl; 2] {
    let pin = RelayPin(relay.spki_sha256());
    let ip = relay.address();
    let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    [format!("turn:{host}"), format!("turns:{host}?pin={pin}")]
        .map(|text| text.parse::<RelayUrl>().unwrap().with_credential(credential.clone()))
}

/// Examines from a machine, and prints what was found.
pub(crate) fn examine(space: &Space, relays: &[RelayUrl]) -> Report {
    examine_within(space, relays, doctor::DEFAULT_LIMIT)
}

pub(crate) fn examine_within(space: &Space, relays: &[RelayUrl], limit: Duration) -> Report {
    let relays = relays.to_vec();
    let start = Instant::now();
    let work = || {
        let net = NetThread::start().unwrap();
        let report = net.run(async move { doctor::examine(&relays, limit, |_, _| {}).await });
        let took = start.elapsed();
        (report.unwrap(), took)
    };
    let (report, took) = space.inside(work).unwrap();
    print(&report);
    // Giving back what was allocated may come on top.
    assert!(took < limit + Duration::from_secs(3), "{took:?}");
    report
}

fn print(report: &Report) {
    let lines = |checks: &[Check]| {
        for check in checks {
            let Check { subject, verdict, measured, time, advice, .. } = check;
            println!("  {subject}: {verdict}, {measured} {time:?} {advice:?}");
        }
    };
    for relay in &report.relays {
        println!("{} (usable: {})", relay.relay, relay.is_usable());
        lines(&relay.checks);
    }
    println!("network, after {:?}", report.took);
    lines(&report.network);
}

/// Asserts the verdict about a subject, and words of what was measured and of the advice.
pub(crate) fn expect(checks: &[Check], subject: Subject, verdict: Verdict, words: &[&str]) {
    let check = checks.iter().find(|check| check.subject == subject);
    let check = check.unwrap_or_else(|| panic!("no check of {subject}"));
    assert_eq!(check.verdict, verdict, "{check:?}");
    let is_bad = matches!(verdict, Verdict::Warning | Verdict::Failed);
    assert_eq!(check.advice.is_some(), is_bad, "{check:?}");
    // What is to be done is in the advice, not only in what was seen.
    let text = check.advice.as_ref().unwrap_or(&check.measured);
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

/// Asserts that all is well with a relay over UDP.
pub(crate) fn expect_udp(relay: &RelayReport) {
    for port in 3478..=3481 {
        expect(&relay.checks, Subject::UdpPort(port), Verdict::Ok, &[]);
    }
    expect(&relay.checks, UDP, Verdict::Ok, &[]);
    expect(&relay.checks, Subject::Forwarding, Verdict::Ok, &["1232 bytes"]);
    expect(&relay.checks, Subject::PathMtu, Verdict::Ok, &[]);
    assert!(relay.is_usable());
}

/// Asserts that all is well with a relay over TLS.
pub(crate) fn expect_tls(relay: &RelayReport) {
    expect(&relay.checks, Subject::TcpPort(443), Verdict::Ok, &[]);
    expect(&relay.checks, Subject::Tls, Verdict::Ok, &[]);
    expect(&relay.checks, TLS, Verdict::Ok, &[]);
    expect(&relay.checks, Subject::Forwarding, Verdict::Ok, &["1232 bytes"]);
    assert!(relay.is_usable());
}

/// Asserts that the relay's UDP ports are silent, and what to do about it.
pub(crate) fn expect_no_udp(relay: &RelayReport, host: &str) {
    let words = ["outbound UDP", host, "port 3478-3481", "firewall"];
    for port in 3478..=3481 {
        expect(&relay.checks, Subject::UdpPort(port), Verdict::Failed, &words);
    }
    expect(&relay.checks, UDP, Verdict::Failed, &words);
    expect(&relay.checks, Subject::Forwarding, Verdict::Skipped, &[]);
    expect(&relay.checks, Subject::PathMtu, Verdict::Skipped, &[]);
    assert!(!relay.is_usable());
}

/// Asserts that TCP does not get to the relay, and what to do about it.
pub(crate) fn expect_no_tcp(relay: &RelayReport, host: &str) {
    let words = ["outbound TCP", host, "port 443", "firewall"];
    expect(&relay.checks, Subject::TcpPort(443), Verdict::Failed, &words);
    for subject in [Subject::Tls, TLS, Subject::Forwarding] {
        expect(&relay.checks, subject, Verdict::Skipped, &[]);
    }
    assert!(!relay.is_usable());
}

/// Runs a program in a space to its end.
pub(crate) fn run(space: &Space, program: &str, arguments: &[&str]) {
    let status = space.command(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

/// From now on a router drops what it would forward and what one of the conditions holds for.
pub(crate) fn drop_forwarded(router: &Space, conditions: &[&str]) {
    run(router, "nft", &["add", "table", "inet", "own"]);
    let chain = "{ type filter hook forward priority -10; }";
    run(router, "nft", &["add", "chain", "inet", "own", "forward", chain]);
    for condition in conditions {
        run(router, "nft", &["add", "rule", "inet", "own", "forward", condition, "drop"]);
    }
}
