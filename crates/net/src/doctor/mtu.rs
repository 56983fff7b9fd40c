//! The largest UDP datagram that reaches a relay whole.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::prober::Prober;
use super::report::{Check, Subject};

/// What a session needs, in bytes of UDP payload with TURN's header: what every IPv6 network
/// carries, 1,280 bytes less 40 for IPv6 and 8 for UDP.
pub(super) const NEEDED_BYTES: usize = 1_232;
/// What an Ethernet carries: 1,500 bytes less the headers of IPv4 or IPv6 and of UDP.
const MOST_V4_BYTES: usize = 1_472;
const MOST_V6_BYTES: usize = 1_452;
/// Every IPv4 host takes 576 bytes; less than that is not looked for.
const LEAST_BYTES: usize = 576 - 28;
/// STUN's lengths are multiples of this.
const STEP_BYTES: usize = 4;
/// Sizes tried at once: three volleys find the one in all of the range, and a volley is no more
/// than 10 KB.
const VOLLEY: usize = 8;
/// Repeats of each request, so that two losses in a row are rare to be taken for a limit.
const WAITS: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(350), Duration::from_millis(500)];

/// Looks for the largest datagram that `server` answers.
pub(super) async fn check(prober: &Prober, server: SocketAddr, deadline: Instant) -> Check {
    let most = if server.is_ipv4() { MOST_V4_BYTES } else { MOST_V6_BYTES };
    let (mut passes, mut fails) = (None, most + STEP_BYTES);
    loop {
        let sizes = sizes(passes.map_or(LEAST_BYTES, |bytes| bytes + STEP_BYTES), fails);
        if sizes.is_empty() || Instant::now() >= deadline {
            break;
        }
        let largest = volley(prober, server, &sizes, deadline).await;
        let above = sizes.iter().find(|bytes| largest.is_none_or(|most| **bytes > most));
        fails = above.copied().unwrap_or(fails);
        passes = largest.or(passes);
        if passes.is_none() {
            break;
        }
    }
    judge(passes, most, server)
}

/// At most [`VOLLEY`] sizes from `least` on and below `fails`, evenly, with both ends.
fn sizes(least: usize, fails: usize) -> Vec<usize> {
    let steps = fails.saturating_sub(least) / STEP_BYTES;
    let count = steps.min(VOLLEY);
    let last = steps.saturating_sub(1);
    let part = count.saturating_sub(1).max(1);
    (0..count).map(|i| least + (last * i / part) * STEP_BYTES).collect()
}

/// The largest of these sizes that is answered.
async fn volley(
    prober: &Prober,
    server: SocketAddr,
    sizes: &[usize],
    deadline: Instant,
) -> Option<usize> {
    let mut asked = JoinSet::new();
    for bytes in sizes.iter().copied() {
        let prober = prober.clone();
        asked.spawn(async move {
            let answer = prober.ask_with(server, bytes, &WAITS, deadline).await;
            answer.map(|_| bytes)
        });
    }
    asked.join_all().await.into_iter().flatten().max()
}

fn judge(passes: Option<usize>, most: usize, server: SocketAddr) -> Check {
    let headers = if server.is_ipv4() { 28 } else { 48 };
    let advice = |found: &str| {
        format!(
            "{found}; a session needs {NEEDED_BYTES}: raise the MTU of the tunnel or the link on \
             the way to {} to {} or more",
            server.ip(),
            NEEDED_BYTES + headers,
        )
    };
    match passes {
        Some(bytes) if bytes >= most => {
            Check::ok(Subject::PathMtu, format!("all sizes pass, up to {bytes} bytes"))
        }
        Some(bytes) if bytes >= NEEDED_BYTES => Check::ok(
            Subject::PathMtu,
            format!("up to {bytes} bytes pass (MTU {}); enough", bytes + headers),
        ),
        Some(bytes) => Check::failed(
            Subject::PathMtu,
            format!("only up to {bytes} bytes pass (MTU {})", bytes + headers),
            advice(&format!("datagrams above {bytes} bytes are lost")),
        ),
        None => Check::failed(
            Subject::PathMtu,
            format!("nothing of {LEAST_BYTES} bytes or more passes"),
            advice("only the smallest datagrams pass"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_volleys_find_every_size() {
        for limit in (LEAST_BYTES..=MOST_V4_BYTES).step_by(STEP_BYTES) {
            let (mut passes, mut fails, mut volleys) = (LEAST_BYTES, MOST_V4_BYTES + STEP_BYTES, 0);
            let mut least = LEAST_BYTES;
            loop {
                let sizes = sizes(least, fails);
                if sizes.is_empty() {
                    break;
                }
                volleys += 1;
                assert!(sizes.len() <= VOLLEY && sizes.is_sorted());
                passes =
                    sizes.iter().copied().filter(|size| *size <= limit).max().unwrap_or(passes);
                fails = sizes.iter().copied().find(|size| *size > limit).unwrap_or(fails);
                least = passes + STEP_BYTES;
            }
            assert_eq!(passes, limit);
            assert!(volleys <= 3, "{limit}: {volleys}");
        }
    }

    #[test]
    fn what_every_ipv6_network_carries_is_enough() {
        use super::super::report::Verdict;
        let v4 = "192.0.2.1:3478".parse().unwrap();
        for (bytes, verdict) in
            [(Some(1_472), Verdict::Ok), (Some(1_232), Verdict::Ok), (Some(1_228), Verdict::Failed)]
        {
            let check = judge(bytes, MOST_V4_BYTES, v4);
            assert_eq!((check.verdict, check.advice.is_some()), (verdict, verdict != Verdict::Ok));
        }
        assert_eq!(judge(None, MOST_V4_BYTES, v4).verdict, Verdict::Failed);
    }
}
