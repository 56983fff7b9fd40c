//! A relay over TLS: its TCP port, its key, an address on it, and forwarding.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::report::{Check, Subject, Verdict};
use super::{Bound, Findings, advice, allocation};
use crate::relay::{RelayTransport, RelayUrl, shake_hands};

const ALLOCATION: Subject = Subject::Allocation(RelayTransport::Tls);
/// What a connection and then a handshake may take: what a session's relay may take in all.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(3);

/// Examines the relay at these addresses.
pub(super) async fn check(findings: &mut Findings, url: &RelayUrl, hosts: &[SocketAddr]) {
    let bound = findings.bound;
    let mut server = None;
    for port in url.ports() {
        let (check, found) = connect(url, hosts, port, bound).await;
        findings.push(check);
        server = server.or(found);
    }
    let Some(server) = server else {
        return skip_from(findings, Subject::Tls, "TCP does not connect");
    };
    let check = handshake(url, server, bound).await;
    let is_ok = check.verdict == Verdict::Ok;
    findings.push(check);
    if !is_ok {
        return skip_from(findings, ALLOCATION, "TLS fails");
    }
    let (check, relay) = allocation::allocate(url, bound).await;
    findings.push(check);
    let Some(relay) = relay else {
        return skip_from(findings, Subject::Forwarding, "there is no address on the relay");
    };
    let forwarding = allocation::forward(&relay, bound).await;
    findings.push(forwarding);
    allocation::give_back(relay).await;
}

/// What follows when the relay's name has no address.
pub(super) fn skip(findings: &mut Findings, url: &RelayUrl, why: &str) {
    for port in url.ports() {
        findings.push(Check::skipped(Subject::TcpPort(port), why));
    }
    skip_from(findings, Subject::Tls, why);
}

/// Skips this and what comes after it.
fn skip_from(findings: &mut Findings, first: Subject, why: &str) {
    let order = [Subject::Tls, ALLOCATION, Subject::Forwarding];
    for subject in order.into_iter().skip_while(|subject| *subject != first) {
        findings.push(Check::skipped(subject, why));
    }
}

/// The first of the hosts that takes a connection at this port.
async fn connect(
    url: &RelayUrl,
    hosts: &[SocketAddr],
    port: u16,
    bound: Bound,
) -> (Check, Option<SocketAddr>) {
    let subject = Subject::TcpPort(port);
    let start = Instant::now();
    let limit = bound.deadline.min(start + CONNECT_LIMIT);
    let mut asked = JoinSet::new();
    for host in hosts {
        let server = SocketAddr::new(host.ip(), port);
        asked.spawn(async move {
            match timeout_at(limit, TcpStream::connect(server)).await {
                Ok(connected) => connected.map(|_| server).map_err(|error| error.to_string()),
                Err(_) => Err("no answer".to_owned()),
            }
        });
    }
    let mut why = "no answer".to_owned();
    while let Some(Ok(done)) = asked.join_next().await {
        match done {
            Ok(server) => {
                let check = Check::ok(subject, format!("{} connects", server.ip()));
                return (check.within(start.elapsed()), Some(server));
            }
            Err(error) => why = error,
        }
    }
    (Check::failed(subject, why, advice::let_out(url, &[port])), None)
}

async fn handshake(url: &RelayUrl, server: SocketAddr, bound: Bound) -> Check {
    let start = Instant::now();
    let limit = bound.deadline.min(start + HANDSHAKE_LIMIT);
    match timeout_at(limit, shake_hands(server, url)).await {
        Ok(Ok(())) => {
            let check = Check::ok(Subject::Tls, "the relay's own key is shown");
            check.within(start.elapsed())
        }
        Ok(Err(error @ crate::RelayError::Inspected { .. })) => Check::failed(
            Subject::Tls,
            "TLS is inspected on the way: another key is shown",
            advice::for_error(&error, url),
        ),
        Ok(Err(error)) => Check::failed(Subject::Tls, error.to_string(), cut(url)),
        Err(_) => Check::failed(Subject::Tls, "TCP connects, and TLS is not answered", cut(url)),
    }
}

/// Something on the way takes the connection and does not like what is inside, or no relay is
/// there.
fn cut(url: &RelayUrl) -> String {
    format!(
        "exempt {} from inspection and application filters, which take the connection and end TLS; \
         if there are none, check that the relay offers TLS 1.2 or 1.3 there",
        advice::place(url)
    )
}
