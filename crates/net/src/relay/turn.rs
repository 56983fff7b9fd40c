//! One allocation on a relay, without a socket: the crate turn-client-proto (RFC 8656), with the
//! reasons for which relays refuse, which it does not tell.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stun_proto::types::TransportType;
use stun_proto::types::attribute::ErrorCode;
use stun_proto::types::message::{Message, MessageClass};
use turn_client_proto::api::{
    Transmit, TransmitBuild, TurnClientApi, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet,
};
use turn_client_proto::types::message::{ALLOCATE, REFRESH};
use turn_client_proto::types::{AddressFamily, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use super::keepalive::{Answer, Keepalive};
use super::url::Credential;

/// The crate's least time between two requests, which is for servers that are asked for many paths
/// at once. What waits for it alone is sent at once, and the crate's clock set ahead.
const CADENCE: Duration = Duration::from_millis(50);
/// Repeats of a request over UDP: after 200 ms, then twice as late each time, and how long the last
/// may take. RFC 8489 (section 6.2.1) begins at 500 ms; a session that is cut cannot wait so long.
const RETRANSMIT: (Duration, Duration, u32, Duration) =
    (Duration::from_millis(200), Duration::from_millis(1_600), 6, Duration::from_millis(1_600));
/// Over TLS nothing is repeated.
const ONCE: (Duration, Duration, u32, Duration) =
    (Duration::from_secs(1), Duration::from_secs(1), 1, Duration::from_secs(4));

/// What a message from the relay was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// The relay's own, or nobody's.
    Nothing,
    /// What a peer sent: where in the message it lies.
    Data(SocketAddr, Range<usize>),
}

/// What happened to an allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is there; peers send to this address.
    Allocated(SocketAddr),
    /// The relay forwards to one more host.
    PeerPermitted,
    /// The relay does not forward to this one.
    PeerRefused(IpAddr),
    /// The relay says that it is still there.
    Kept,
}

/// Why there is no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TurnRefusal {
    /// 401 or 441.
    #[error("it does not accept this user name and password")]
    Credential,
    /// 401, with a credential that says when it ends.
    #[error("the credential ended {ago_s} s ago; get a new one")]
    CredentialEnded {
        /// Seconds since then.
        ago_s: u64,
    },
    /// It wants a credential and none was given.
    #[error("it wants a user name and a password; write turn:USER:PASSWORD@HOST")]
    NoCredential,
    /// 486.
    #[error(
        "this user has as many allocations as it may have (486); end others, or raise its quota"
    )]
    Quota,
    /// 508.
    #[error("it has no capacity left (508); try again later, or another relay")]
    Capacity,
    /// 440.
    #[error("it has no addresses of this family (440)")]
    Family,
    /// 403.
    #[error("it forbids this (403)")]
    Forbidden,
    /// Any other code.
    #[error("it refused with code {0}")]
    Other(u16),
    /// It no longer answers, or forgot the allocation.
    #[error("it does not answer any more")]
    Silent,
}

/// An allocation, wanted or held.
#[derive(Debug)]
pub(super) struct Turn {
    client: TurnClientUdp,
    base: Instant,
    /// How far the crate's clock is ahead.
    ahead: Duration,
    server: SocketAddr,
    credential: Option<Credential>,
    relayed: Option<SocketAddr>,
    refusal: Option<TurnRefusal>,
    /// Whether the relay has asked for a credential: asking again means that it was wrong.
    challenged: bool,
    keepalive: Keepalive,
    events: Vec<Event>,
}

impl Turn {
    /// Asks `server` for an address of its family, over messages or over a stream.
    pub(super) fn new(
        local: SocketAddr,
        server: SocketAddr,
        credential: Option<Credential>,
        is_stream: bool,
        now: Instant,
    ) -> Self {
        let (username, password) = credential
            .as_ref()
            .map_or(("", ""), |credential| (&credential.username, &credential.password));
        let mut config = TurnConfig::new(TurnCredentials::new(username, password));
        if server.is_ipv6() {
            config.set_address_family(AddressFamily::IPV6);
        }
        let keepalive = Keepalive::new(credential.as_ref());
        let (initial, max, count, last) = if is_stream { ONCE } else { RETRANSMIT };
        config.set_request_retransmits(initial, max, count, last);
        Self {
            client: TurnClientUdp::allocate(local, server, config),
            base: now,
            ahead: Duration::ZERO,
            server,
            credential,
            relayed: None,
            refusal: None,
            challenged: false,
            keepalive,
            events: Vec::new(),
        }
    }

    /// Why there is none, or none any more.
    pub(super) fn refusal(&self) -> Option<TurnRefusal> {
        self.refusal
    }

    /// Takes one whole message from the relay in.
    pub(super) fn handle(&mut self, message: &[u8], now: Instant) -> Received {
        if self.look_at(message, now) {
            return Received::Nothing;
        }
        let now = self.at(now);
        let (local, server) = (self.client.local_addr(), self.server);
        let transmit = Transmit::new(message, TransportType::Udp, server, local);
        let received = match self.client.recv(transmit, now) {
            TurnRecvRet::PeerData(data) => {
                let start = data.data().as_ptr() as usize - message.as_ptr() as usize;
                Received::Data(data.peer, start..start + data.data().len())
            }
            _ => Received::Nothing,
        };
        self.take_events();
        received
    }

    /// Lets time pass; gives when to call this again.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Instant> {
        if self.relayed.is_some() && self.keepalive.next().is_none() {
            self.keepalive.start(now);
        }
        let then = match self.client.poll(self.at(now)) {
            TurnPollRet::WaitUntil(then) => {
                let then = then.to_std(self.base);
                Some(then.checked_sub(self.ahead).unwrap_or(now))
            }
            TurnPollRet::Closed => {
                self.refusal.get_or_insert(TurnRefusal::Silent);
                None
            }
            _ => None,
        };
        self.take_events();
        let is_lost = self.relayed.is_some() && self.client.relayed_addresses().next().is_none();
        if is_lost {
            self.refusal.get_or_insert(TurnRefusal::Silent);
        }
        [then, self.keepalive.next()].into_iter().flatten().min()
    }

    /// A message for the relay.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let at = self.at(now);
        if let Some(transmit) = self.client.poll_transmit(at) {
            return Some(transmit.data.to_vec());
        }
        if let Some(transmit) = self.client.poll_transmit(at + CADENCE) {
            self.ahead += CADENCE;
            return Some(transmit.data.to_vec());
        }
        self.keepalive.poll_transmit(now)
    }

    /// What happened, in order.
    pub(super) fn poll_event(&mut self) -> Option<Event> {
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }

    /// Asks the relay whether it is still there, which gives [`Event::Kept`].
    pub(super) fn ask(&mut self, now: Instant) {
        self.keepalive.ask(now);
    }

    /// Lets a peer's host send and be sent to.
    pub(super) fn permit(&mut self, peer: IpAddr, now: Instant) {
        let now = self.at(now);
        // What is permitted already needs nothing.
        let _ = self.client.create_permission(TransportType::Udp, peer, now);
    }

    /// Whether a host may send and be sent to.
    pub(super) fn is_permitted(&self, peer: IpAddr) -> bool {
        self.client.have_permission(TransportType::Udp, peer)
    }

    /// Spares 32 bytes in every message to and from `peer`.
    pub(super) fn bind_channel(&mut self, peer: SocketAddr, now: Instant) {
        let now = self.at(now);
        let _ = self.client.bind_channel(TransportType::Udp, peer, now);
    }

    /// Gives the allocation back.
    pub(super) fn delete(&mut self, now: Instant) {
        let now = self.at(now);
        let _ = self.client.delete(now);
    }

    /// Appends the message that makes the relay send `data` to `peer`; nothing while it may not.
    pub(super) fn encode(
        &mut self,
        peer: SocketAddr,
        data: &[u8],
        out: &mut Vec<u8>,
        now: Instant,
    ) {
        let now = self.at(now);
        let sent = self.client.send_to(TransportType::Udp, peer, data, now);
        if let Ok(Some(TransmitBuild { data: message, .. })) = sent {
            use turn_client_proto::types::prelude::DelayedTransmitBuild;
            let start = out.len();
            out.resize(start + message.len(), 0);
            message.write_into(&mut out[start..]);
        }
    }

    fn at(&self, now: Instant) -> stun_proto::Instant {
        let nanos = (now.saturating_duration_since(self.base) + self.ahead).as_nanos();
        stun_proto::Instant::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// Notes why the relay refuses; whether the message is of no concern to the crate.
    fn look_at(&mut self, message: &[u8], now: Instant) -> bool {
        // The first two bits part STUN's own from channels (RFC 8656, section 12).
        let is_own = message.first().is_some_and(|first| first >> 6 == 0);
        let Some(message) = is_own.then(|| Message::from_bytes(message).ok()).flatten() else {
            return false;
        };
        match self.keepalive.handle(&message, now) {
            Answer::Other => {}
            Answer::Kept => {
                self.events.push(Event::Kept);
                return true;
            }
            Answer::Unclear => return true,
            Answer::Lost => {
                self.refusal.get_or_insert(TurnRefusal::Silent);
                return true;
            }
        }
        let is_error = message.class() == MessageClass::Error;
        if is_error
            && matches!(message.method(), ALLOCATE | REFRESH)
            && let Ok(code) = message.attribute::<ErrorCode>().map(|code| code.code())
        {
            self.note_refusal(code);
        }
        false
    }

    fn note_refusal(&mut self, code: u16) {
        let refusal = match code {
            401 if !self.challenged && self.credential.is_some() => {
                self.challenged = true;
                return;
            }
            // It gives a new nonce, and the client asks again.
            438 => return,
            401 | 441 => self.why_unauthorized(),
            403 => TurnRefusal::Forbidden,
            440 => TurnRefusal::Family,
            486 => TurnRefusal::Quota,
            508 => TurnRefusal::Capacity,
            code => TurnRefusal::Other(code),
        };
        self.refusal.get_or_insert(refusal);
    }

    fn why_unauthorized(&self) -> TurnRefusal {
        let Some(credential) = &self.credential else { return TurnRefusal::NoCredential };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        match credential.expires_unix_s() {
            Some(end) if end <= now => TurnRefusal::CredentialEnded { ago_s: now - end },
            _ => TurnRefusal::Credential,
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::AllocationCreated(_, relayed) => {
                    self.relayed = Some(relayed);
                    self.events.push(Event::Allocated(relayed));
                }
                TurnEvent::AllocationCreateFailed(_) => {
                    self.refusal.get_or_insert(TurnRefusal::Silent);
                }
                TurnEvent::PermissionCreateFailed(_, peer) => {
                    self.events.push(Event::PeerRefused(peer));
                }
                TurnEvent::ChannelCreateFailed(_, peer) => {
                    self.events.push(Event::PeerRefused(peer.ip()));
                }
                TurnEvent::PermissionCreated(..) | TurnEvent::ChannelCreated(..) => {
                    self.events.push(Event::PeerPermitted);
                }
                _ => {}
            }
        }
    }
}
