//! A relay over UDP: its ports, an address on it, forwarding, and the size of datagrams.

use std::net::SocketAddr;

use tokio::task::JoinSet;

use super::prober::{Answer, PATIENT, Prober};
use super::report::{Check, Subject, Verdict};
use super::{Bound, Findings, advice, allocation, mtu};
use crate::relay::{Relay, RelayTransport, RelayUrl};

const ALLOCATION: Subject = Subject::Allocation(RelayTransport::Udp);

/// What a port answered, and from which of the relay's addresses.
type Port = (u16, Option<(SocketAddr, Answer)>);

/// Examines the relay at these addresses.
pub(super) async fn check(findings: &mut Findings, url: &RelayUrl, hosts: &[SocketAddr]) {
    let bound = findings.bound;
    let asked = ask_ports(url, hosts, bound);
    let (ports, (allocation, relay)) = tokio::join!(asked, allocation::allocate(url, bound));
    judge_ports(findings, url, &ports, relay.as_ref());
    findings.push(allocation);
    let server = ports.iter().find_map(|(_, answer)| answer.map(|(server, _)| server));
    let (forwarding, mtu) = tokio::join!(forward(relay.as_ref(), bound), check_mtu(server, bound));
    let is_enough = forwarding.verdict == Verdict::Ok;
    findings.push(forwarding);
    findings.push(match mtu.verdict {
        // Some STUN servers do not answer large requests.
        Verdict::Failed if is_enough => Check { verdict: Verdict::Warning, ..mtu },
        _ => mtu,
    });
    if let Some(relay) = relay {
        allocation::give_back(relay).await;
    }
}

/// What follows when the relay's name has no address.
pub(super) fn skip(findings: &mut Findings, url: &RelayUrl, why: &str) {
    for port in url.ports() {
        findings.push(Check::skipped(Subject::UdpPort(port), why));
    }
    for subject in [ALLOCATION, Subject::Forwarding, Subject::PathMtu] {
        findings.push(Check::skipped(subject, why));
    }
}

async fn ask_ports(url: &RelayUrl, hosts: &[SocketAddr], bound: Bound) -> Vec<Port> {
    let mut asked = JoinSet::new();
    for port in url.ports() {
        let hosts = hosts.to_vec();
        asked.spawn(async move { (port, ask_port(port, &hosts, bound).await) });
    }
    let mut ports = asked.join_all().await;
    ports.sort_unstable_by_key(|(port, _)| *port);
    ports
}

/// The first answer of any host at this port.
async fn ask_port(port: u16, hosts: &[SocketAddr], bound: Bound) -> Option<(SocketAddr, Answer)> {
    let mut asked = JoinSet::new();
    for host in hosts {
        let server = SocketAddr::new(host.ip(), port);
        asked.spawn(async move {
            let answer = Prober::open(server).ok()?.ask(server, &PATIENT, bound.deadline).await;
            answer.map(|answer| (server, answer))
        });
    }
    while let Some(done) = asked.join_next().await {
        if let Ok(Some(answer)) = done {
            return Some(answer);
        }
    }
    None
}

/// One port that answers is enough for a session.
fn judge_ports(findings: &mut Findings, url: &RelayUrl, ports: &[Port], relay: Option<&Relay>) {
    let allocated = relay.map(|relay| relay.server().port());
    let is_reached = |(port, answer): &&Port| answer.is_some() || allocated == Some(*port);
    let silent = ports.iter().filter(|port| !is_reached(port)).map(|(port, _)| *port);
    let silent: Vec<_> = silent.collect();
    let advice = advice::let_out(url, &silent);
    for (port, answer) in ports {
        let subject = Subject::UdpPort(*port);
        findings.push(match answer {
            Some((server, answer)) => {
                let measured = format!("{} sees {}", server.ip(), answer.reflexive);
                Check::ok(subject, measured).within(answer.round_trip)
            }
            None if allocated == Some(*port) => {
                Check::ok(subject, "TURN answers, and STUN bindings are not answered")
            }
            None if silent.len() < ports.len() => {
                Check::warning(subject, "no answer, and another port answers", advice.clone())
            }
            None => Check::failed(subject, "no answer", advice.clone()),
        });
    }
}

async fn forward(relay: Option<&Relay>, bound: Bound) -> Check {
    match relay {
        Some(relay) => allocation::forward(relay, bound).await,
        None => Check::skipped(Subject::Forwarding, "there is no address on the relay"),
    }
}

async fn check_mtu(server: Option<SocketAddr>, bound: Bound) -> Check {
    let Some(server) = server else {
        return Check::skipped(Subject::PathMtu, "no port answers STUN bindings");
    };
    match Prober::open(server) {
        Ok(prober) => mtu::check(&prober, server, bound.deadline).await,
        Err(error) => Check::skipped(Subject::PathMtu, format!("no socket: {error}")),
    }
}
