//! How the network translates this machine's addresses, as the relays' STUN servers see it.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::prober::{PATIENT, Prober};
use super::report::{Check, Subject};
use crate::endpoint;

/// How long a mapping is watched, and how often it is used meanwhile. NATs that change mappings of
/// flows in use do so when lines are balanced or addresses run out; those who do it more rarely
/// than every few seconds are not found.
const WATCH: Duration = Duration::from_secs(3);
const EVERY: Duration = Duration::from_millis(500);
/// Repeats of a request while watching.
const WAITS: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(300)];

/// A server, and this machine's address as it sees it.
type Seen = (SocketAddr, SocketAddr);

/// Examines the network towards these servers: twice, if they are of two families.
pub(super) async fn check(servers: &[SocketAddr], deadline: Instant) -> Vec<Check> {
    let (v4, v6): (Vec<_>, Vec<_>) = servers.iter().copied().partition(SocketAddr::is_ipv4);
    let (v4, v6) = tokio::join!(family(v4, deadline), family(v6, deadline));
    let checks: Vec<_> = v4.into_iter().chain(v6).flatten().collect();
    if !checks.is_empty() {
        return checks;
    }
    let why = match servers.is_empty() {
        true => "no turn: relay with an address",
        false => "no STUN server answers over UDP",
    };
    [Subject::NatMapping, Subject::NatRebinding].map(|s| Check::skipped(s, why)).into()
}

/// None when no server answers.
async fn family(servers: Vec<SocketAddr>, deadline: Instant) -> Option<[Check; 2]> {
    let first = *servers.first()?;
    let prober = Prober::open(first).ok()?;
    let mut asked = JoinSet::new();
    for server in servers {
        let prober = prober.clone();
        asked.spawn(async move {
            let answer = prober.ask(server, &PATIENT, deadline).await;
            answer.map(|answer| (server, answer.reflexive))
        });
    }
    let mut seen: Vec<_> = asked.join_all().await.into_iter().flatten().collect();
    seen.sort();
    let (server, reflexive) = *seen.first()?;
    let rebinding = watch(&prober, server, reflexive, deadline).await;
    let mapping = judge(local(&prober, server), &seen);
    Some([mapping, rebinding])
}

/// The prober's address before translation.
fn local(prober: &Prober, server: SocketAddr) -> Option<SocketAddr> {
    // Connecting a UDP socket sends nothing; it asks which address would be used.
    let socket = UdpSocket::bind(endpoint::any_local(server)).ok()?;
    socket.connect(server).ok()?;
    Some(SocketAddr::new(socket.local_addr().ok()?.ip(), prober.port().ok()?))
}

/// What follows from answers in the order of their servers.
fn judge(local: Option<SocketAddr>, seen: &[Seen]) -> Check {
    let agree = |one: &Seen, other: &Seen| one.1 == other.1;
    let everywhere = seen.windows(2).all(|pair| agree(&pair[0], &pair[1]));
    let by_host = seen.chunk_by(|one, other| one.0.ip() == other.0.ip());
    let hosts = by_host.clone().count();
    let by_host = by_host.flat_map(|host| host.windows(2)).all(|pair| agree(&pair[0], &pair[1]));
    let Some((_, reflexive)) = seen.first() else {
        return Check::skipped(Subject::NatMapping, "no STUN server answers over UDP");
    };
    if everywhere && Some(*reflexive) == local {
        return Check::ok(Subject::NatMapping, format!("no NAT: seen as {reflexive}"));
    }
    match (everywhere, by_host, hosts, seen.len()) {
        (_, _, _, 1) => Check::skipped(
            Subject::NatMapping,
            format!("seen as {reflexive} by one port; to compare, two have to answer"),
        ),
        (true, _, 1, ports) => Check::ok(
            Subject::NatMapping,
            format!("{reflexive} for {ports} ports of one host: not port-dependent"),
        ),
        (true, _, hosts, _) => Check::ok(
            Subject::NatMapping,
            format!("{reflexive} for {hosts} hosts: endpoint-independent"),
        ),
        (false, true, ..) => dependent("address-dependent", seen),
        (false, false, ..) => dependent("address- and port-dependent (symmetric)", seen),
    }
}

fn dependent(how: &str, seen: &[Seen]) -> Check {
    let addresses: Vec<_> = seen.iter().map(|(_, reflexive)| reflexive.to_string()).collect();
    Check::warning(
        Subject::NatMapping,
        format!("{how}: {}", addresses.join(", ")),
        "direct connections between two networks are unlikely, and sessions go through the relay; \
         for more of them, configure endpoint-independent mapping for UDP (RFC 4787) at the NAT",
    )
}

/// Uses a mapping for a while.
async fn watch(
    prober: &Prober,
    server: SocketAddr,
    reflexive: SocketAddr,
    deadline: Instant,
) -> Check {
    let start = Instant::now();
    let end = deadline.min(start + WATCH);
    let (mut addresses, mut answered) = (vec![reflexive], 0);
    let mut next = start + EVERY;
    while next <= end {
        sleep_until(next).await;
        if let Some(answer) = prober.ask(server, &WAITS, deadline).await {
            answered += 1;
            if addresses.last() != Some(&answer.reflexive) {
                addresses.push(answer.reflexive);
            }
        }
        next += EVERY;
    }
    let seconds = start.elapsed().as_secs_f64();
    if answered == 0 {
        return Check::skipped(Subject::NatRebinding, "the server did not answer again");
    }
    if addresses.len() == 1 {
        let measured = format!("{reflexive} for {seconds:.1} s of use");
        return Check::ok(Subject::NatRebinding, measured);
    }
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    Check::warning(
        Subject::NatRebinding,
        format!("changed within {seconds:.1} s of use: {}", addresses.join(", ")),
        "sessions stutter at every change: let the NAT keep UDP mappings that are in use, and keep \
         a flow on one line where several are balanced",
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    fn judged(local: &str, seen: &[(&str, &str)]) -> (Verdict, String) {
        let seen: Vec<_> =
            seen.iter().map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).collect();
        let check = judge(Some(local.parse().unwrap()), &seen);
        assert_eq!(check.advice.is_some(), check.verdict == Verdict::Warning);
        (check.verdict, check.measured)
    }

    #[test]
    fn mappings_are_told_apart() {
        const INSIDE: &str = "10.0.0.2:4000";
        const OUTSIDE: &str = "192.0.2.1:4000";
        const OTHER: &str = "192.0.2.1:4001";
        let (a, b, c) = ("198.51.100.1:3478", "198.51.100.1:3479", "198.51.100.2:3478");
        for (local, seen, verdict, words) in [
            (OUTSIDE, &[(a, OUTSIDE)][..], Verdict::Ok, "no NAT"),
            (INSIDE, &[(a, OUTSIDE)], Verdict::Skipped, "two have to answer"),
            (INSIDE, &[(a, OUTSIDE), (b, OUTSIDE)], Verdict::Ok, "not port-dependent"),
            (INSIDE, &[(a, OUTSIDE), (c, OUTSIDE)], Verdict::Ok, "endpoint-independent"),
            (INSIDE, &[(a, OUTSIDE), (b, OTHER)], Verdict::Warning, "port-dependent (symmetric)"),
            (INSIDE, &[(a, OUTSIDE), (c, OTHER)], Verdict::Warning, "address-dependent"),
            (
                INSIDE,
                &[(a, OUTSIDE), (b, OUTSIDE), (c, OTHER)],
                Verdict::Warning,
                "address-dependent",
            ),
        ] {
            let (found, measured) = judged(local, seen);
            assert_eq!(found, verdict, "{seen:?}");
            assert!(measured.contains(words), "{measured}");
        }
    }
}
