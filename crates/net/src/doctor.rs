//! Can this machine reach what a session needs? Asks relays as a session would, and says for each
//! answer that is missing what to allow or to change, and where.
//!
//! Everything that is sent goes to the relays that are given; allocations are given back. Both
//! sides of a session need a way, so this is to be run in the sharer's network and in the helper's.

mod advice;
mod allocation;
mod mtu;
mod nat;
mod prober;
mod relay_tls;
mod relay_udp;
mod report;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

pub use report::{Check, RelayReport, Report, Subject, Verdict};

use crate::MAX_RELAYS;
use crate::relay::{RelayError, RelayTransport, RelayUrl, literal, look_up};

/// How long an examination takes at most, unless another limit is given.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(10);
/// What looking up a name may take: what a session's relay may take in all.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);

/// Examines the ways to these relays, all at once, within `limit`; what is not done by then counts
/// as not answered. Of more than [`MAX_RELAYS`], as many as a session has, the last are left out.
/// `told` is called with each finding as it comes, and with the relay's address without its
/// password, or `network`. Takes 3 s or more, for which a NAT mapping is watched; run it on a
/// [`crate::NetThread`].
pub async fn examine(
    relays: &[RelayUrl],
    limit: Duration,
    told: impl Fn(&str, &Check) + Send + Sync + 'static,
) -> Report {
    let start = Instant::now();
    let bound = Bound { deadline: start + limit, limit };
    let told: Told = Arc::new(told);
    let (found, servers) = mpsc::channel(MAX_RELAYS);
    let mut running = JoinSet::new();
    for (number, url) in relays.iter().take(MAX_RELAYS).cloned().enumerate() {
        let findings = Findings::new(url.to_string(), bound, &told);
        let relay = examine_relay(findings, url, found.clone());
        running.spawn(async move { (number, relay.await) });
    }
    drop(found);
    let mut network = Findings::new("network".to_owned(), bound, &told);
    let (mut reports, ()) =
        tokio::join!(running.join_all(), examine_network(&mut network, servers));
    reports.sort_unstable_by_key(|(number, _)| *number);
    let reports: Vec<_> = reports.into_iter().map(|(_, report)| report).collect();
    let unchecked = unchecked(relays);
    Report { relays: reports, network: network.checks, unchecked, took: start.elapsed() }
}

/// When all has to be done.
#[derive(Clone, Copy, Debug)]
struct Bound {
    deadline: Instant,
    limit: Duration,
}

impl Bound {
    fn overrun(&self) -> String {
        format!("not done within {} s", self.limit.as_secs_f64())
    }
}

type Told = Arc<dyn Fn(&str, &Check) + Send + Sync>;

/// Checks of one relay or of the network, told as they come.
struct Findings {
    about: String,
    bound: Bound,
    told: Told,
    checks: Vec<Check>,
}

impl Findings {
    fn new(about: String, bound: Bound, told: &Told) -> Self {
        Self { about, bound, told: told.clone(), checks: Vec::new() }
    }

    fn push(&mut self, check: Check) {
        (self.told)(&self.about, &check);
        self.checks.push(check);
    }
}

async fn examine_relay(
    mut findings: Findings,
    url: RelayUrl,
    found: mpsc::Sender<Vec<SocketAddr>>,
) -> RelayReport {
    let hosts = resolve(&mut findings, &url).await;
    let transport = url.transport();
    if transport == RelayTransport::Udp {
        let server = |port| hosts.iter().map(move |host| SocketAddr::new(host.ip(), port));
        // Fails only when the examination has been given up.
        let _ = found.send(url.ports().into_iter().flat_map(server).collect()).await;
    }
    drop(found);
    const NO_ADDRESS: &str = "its name has no address";
    match (transport, hosts.is_empty()) {
        (RelayTransport::Udp, true) => relay_udp::skip(&mut findings, &url, NO_ADDRESS),
        (RelayTransport::Tls, true) => relay_tls::skip(&mut findings, &url, NO_ADDRESS),
        (RelayTransport::Udp, false) => relay_udp::check(&mut findings, &url, &hosts).await,
        (RelayTransport::Tls, false) => relay_tls::check(&mut findings, &url, &hosts).await,
    }
    RelayReport { relay: findings.about, transport, checks: findings.checks }
}

async fn resolve(findings: &mut Findings, url: &RelayUrl) -> Vec<SocketAddr> {
    let start = Instant::now();
    let limit = findings.bound.deadline.min(start + LOOKUP_LIMIT);
    let (check, hosts) = match timeout_at(limit, look_up(url.host())).await {
        Ok(Ok(hosts)) if literal(url.host()).is_some() => {
            (Check::skipped(Subject::Dns, "an address, not a name"), hosts)
        }
        Ok(Ok(hosts)) => {
            let addresses: Vec<_> = hosts.iter().map(|host| host.ip().to_string()).collect();
            let check = Check::ok(Subject::Dns, addresses.join(", "));
            (check.within(start.elapsed()), hosts)
        }
        Ok(Err(error)) => {
            let why = match &error {
                RelayError::Lookup { why, .. } => why.clone(),
                other => other.to_string(),
            };
            (Check::failed(Subject::Dns, why, advice::lookup(url.host())), Vec::new())
        }
        Err(_) => {
            let measured = format!("no answer within {:.1} s", start.elapsed().as_secs_f64());
            (Check::failed(Subject::Dns, measured, advice::lookup(url.host())), Vec::new())
        }
    };
    findings.push(check);
    hosts
}

async fn examine_network(findings: &mut Findings, mut found: mpsc::Receiver<Vec<SocketAddr>>) {
    let mut servers = Vec::new();
    while let Some(more) = found.recv().await {
        servers.extend(more);
    }
    servers.sort_unstable();
    servers.dedup();
    for check in nat::check(&servers, findings.bound.deadline).await {
        findings.push(check);
    }
}

/// What the checks of these relays say nothing about.
fn unchecked(relays: &[RelayUrl]) -> Vec<String> {
    let mut unchecked = vec![
        "the other side's network: run this there, too".to_owned(),
        "rates: the relay's and the lines' capacity show in a session's statistics".to_owned(),
        "how long firewalls keep a connection, and NATs a mapping that is not in use".to_owned(),
    ];
    let hosts = |transport| {
        let relays = relays.iter().filter(move |relay| relay.transport() == transport);
        relays.map(RelayUrl::host).collect::<BTreeSet<_>>().len()
    };
    match hosts(RelayTransport::Udp) {
        0 => unchecked.push("UDP and NAT: give a turn: relay".to_owned()),
        1 => unchecked.push(
            "whether a NAT's mapping depends on the host: give turn: relays of two hosts"
                .to_owned(),
        ),
        _ => {}
    }
    if hosts(RelayTransport::Tls) == 0 {
        unchecked.push("TCP 443, for networks without UDP: give a turns: relay".to_owned());
    }
    if let Some(left @ 1..) = relays.len().checked_sub(MAX_RELAYS) {
        unchecked.push(format!("the last {left} relays: at most {MAX_RELAYS} are examined"));
    }
    unchecked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_is_named() {
        let pin = crate::RelayPin([7; 32]);
        let (a, b) = ("turn:a".to_owned(), "turn:b".to_owned());
        let tls = format!("turns:a?pin={pin}");
        for (texts, words) in [
            (vec![&a, &b, &tls], &[][..]),
            (vec![&a, &tls], &["depends on the host"]),
            (vec![&tls], &["UDP and NAT"]),
            (vec![&a], &["depends on the host", "TCP 443"]),
            (vec![&b, &tls, &a, &a, &a, &a], &["the last 2 relays"]),
        ] {
            let relays: Vec<RelayUrl> = texts.iter().map(|text| text.parse().unwrap()).collect();
            let found = unchecked(&relays);
            assert_eq!(found.len(), 3 + words.len(), "{found:?}");
            for (found, word) in found[3..].iter().zip(words) {
                assert!(found.contains(word), "{found}");
            }
        }
    }
}
