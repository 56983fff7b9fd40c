//! What a relay is for: an address on it, and a datagram from one of its addresses to another.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::time::{Instant, timeout, timeout_at};

use super::mtu::NEEDED_BYTES;
use super::report::{Check, Subject};
use super::{Bound, advice};
use crate::network::system;
use crate::relay::{Inbox, Relay, RelayError, RelayUrl};

/// Kernel buffers of a relay's socket: a few datagrams wait there.
const BUFFER_BYTES: usize = 256 << 10;
/// What the relay may take to permit a peer.
const PERMIT_LIMIT: Duration = Duration::from_secs(3);
/// What it may take to confirm that an allocation has been given back.
const GIVE_BACK_LIMIT: Duration = Duration::from_secs(2);
/// Waits for each repeat of a datagram.
const WAITS: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(500), Duration::from_millis(700)];
/// TURN's header in front of what goes by a channel.
const CHANNEL_BYTES: usize = 4;
/// What a datagram begins with, to be known again.
const NONCE_BYTES: usize = 16;

/// Asks for an address on the relay.
pub(super) async fn allocate(url: &RelayUrl, bound: Bound) -> (Check, Option<Relay>) {
    let subject = Subject::Allocation(url.transport());
    let start = Instant::now();
    match timeout_at(bound.deadline, Relay::open(url, &system(BUFFER_BYTES))).await {
        Ok(Ok(relay)) => {
            let measured = format!("{} at {}", relay.relayed(), relay.server());
            (Check::ok(subject, measured).within(start.elapsed()), Some(relay))
        }
        Ok(Err(error)) => {
            let measured = match &error {
                // What it says to allow is in the advice.
                RelayError::NoAnswer { limit_ms, .. } => format!("no answer within {limit_ms} ms"),
                error => error.to_string(),
            };
            (Check::failed(subject, measured, advice::for_error(&error, url)), None)
        }
        Err(_) => {
            let advice = advice::let_out(url, &url.ports());
            (Check::failed(subject, bound.overrun(), advice), None)
        }
    }
}

/// Sends datagrams from the relay's address to itself. That takes the permission and the way that
/// a session between two addresses on the relay takes, and no second allocation, which a quota
/// could refuse.
pub(super) async fn forward(relay: &Relay, bound: Bound) -> Check {
    let inbox = Inbox::default();
    relay.deliver_all(inbox.clone());
    if let Err(check) = permit(relay, bound).await {
        return check;
    }
    let (host, ip) = (relay.url().host(), relay.relayed().ip());
    let Some(time) = echo(relay, &inbox, NONCE_BYTES, bound).await else {
        return Check::failed(
            Subject::Forwarding,
            "the relay takes datagrams, and none comes back",
            format!(
                "let the relay {host} reach its own address {ip} over UDP (its own firewall, and \
                 relay-ip and external-ip of coturn)"
            ),
        );
    };
    match echo(relay, &inbox, NEEDED_BYTES - CHANNEL_BYTES, bound).await {
        Some(_) => {
            let measured = format!("{NEEDED_BYTES} bytes there and back by {ip}");
            Check::ok(Subject::Forwarding, measured).within(time)
        }
        None => Check::failed(
            Subject::Forwarding,
            format!("small datagrams come back, and those of {NEEDED_BYTES} bytes do not"),
            advice::widen(relay.url()),
        ),
    }
}

/// Lets the relay forward to its own address; the finding if it does not.
async fn permit(relay: &Relay, bound: Bound) -> Result<(), Check> {
    let (url, own) = (relay.url(), relay.relayed());
    let failed =
        |measured: String, advice| Err(Check::failed(Subject::Forwarding, measured, advice));
    let limit = bound.deadline.min(Instant::now() + PERMIT_LIMIT);
    match timeout_at(limit, relay.reach(own)).await {
        Ok(true) => Ok(()),
        Ok(false) if relay.has_ended() => {
            let why = relay.ended().await;
            failed(why.to_string(), advice::for_error(&why, url))
        }
        Ok(false) => failed(
            format!("the relay does not forward to its own address {}", own.ip()),
            advice::allow_own_address(url, own.ip()),
        ),
        Err(_) => failed(
            "the relay does not answer requests for a permission".to_owned(),
            advice::let_out(url, &url.ports()),
        ),
    }
}

/// Gives an allocation back and waits for the relay's word.
pub(super) async fn give_back(relay: Relay) {
    // What is not confirmed ends by itself at the relay, within ten minutes (RFC 8656, section 7).
    let _ = timeout(GIVE_BACK_LIMIT, relay.give_back()).await;
}

/// The round-trip time of the first datagram that comes back.
async fn echo(relay: &Relay, inbox: &Inbox, bytes: usize, bound: Bound) -> Option<Duration> {
    let own = relay.relayed();
    let mut datagram = vec![0; bytes];
    SystemRandom::new().fill(&mut datagram[..NONCE_BYTES]).ok()?;
    for wait in WAITS {
        let sent = Instant::now();
        relay.send(own, &datagram, None);
        let until = bound.deadline.min(sent + wait);
        let is_back = poll_fn(|cx| is_received(cx, inbox, &datagram));
        if let Ok(()) = timeout_at(until, is_back).await {
            return Some(sent.elapsed());
        }
    }
    None
}

/// Ready when `datagram` is among what has come.
fn is_received(cx: &Context<'_>, inbox: &Inbox, datagram: &[u8]) -> Poll<()> {
    let mut buffer = [0; NEEDED_BYTES];
    while let Some(run) = inbox.read(cx, &mut buffer) {
        if buffer[..run.bytes].chunks(run.packet_bytes).any(|packet| packet == datagram) {
            return Poll::Ready(());
        }
    }
    Poll::Pending
}
