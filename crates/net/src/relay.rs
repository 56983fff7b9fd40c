//! Relays: TURN over UDP and over TLS, for peers that cannot reach each other directly.

mod inbox;
mod keepalive;
mod open;
mod tls;
mod turn;
mod udp;
mod url;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

pub(crate) use inbox::{Inbox, Run};
pub(crate) use open::look_up;
pub use tls::Presented;
pub use turn::TurnRefusal;
pub(crate) use url::literal;
pub use url::{
    Credential, MAX_RELAY_URL_BYTES, Pin as RelayPin, RelayTransport, RelayUrl, RelayUrlError,
};

use crate::path::PathKind;
use tls::TlsCarrier;
use turn::{Event, Received, Turn};
use udp::UdpCarrier;

/// How long the relay may take to confirm that an allocation has been given back.
const FAREWELL: Duration = Duration::from_secs(1);
/// Without anything to do the driver looks again after this long.
const IDLE: Duration = Duration::from_secs(60);

/// Why a relay is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// Its name has no address.
    #[error("the name {host} could not be looked up ({why}); check DNS")]
    Lookup {
        /// The name.
        host: String,
        /// What the system said.
        why: String,
    },
    /// The system could not reach it.
    #[error("it could not be reached: {0}")]
    Connect(io::Error),
    /// Nothing came back.
    #[error("no answer within {limit_ms} ms; allow outbound {what}")]
    NoAnswer {
        /// What a firewall would have to let out.
        what: String,
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// TLS failed before a certificate was seen.
    #[error("TLS failed: {0}")]
    Tls(rustls::Error),
    /// Somebody else answered: a proxy that inspects TLS, or an attacker.
    #[error(
        "TLS is inspected on the way: the certificate is of {presented}, expected was the key {}; \
         exempt this host from inspection",
        Pins(.expected)
    )]
    Inspected {
        /// What was shown.
        presented: Presented,
        /// The keys that would have been right.
        expected: Vec<RelayPin>,
    },
    /// The relay answered and refused.
    #[error("{0}")]
    Refused(#[from] TurnRefusal),
    /// The connection to it ended.
    #[error("the relay ended the connection: {0}")]
    Ended(Arc<io::Error>),
}

/// `one or another`
struct Pins<'a>(&'a [RelayPin]);

impl fmt::Display for Pins<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pin) in self.0.iter().enumerate() {
            let or = if index > 0 { " or " } else { "" };
            write!(f, "{or}{pin}")?;
        }
        Ok(())
    }
}

/// An allocation on a relay. Dropping the last clone gives it back.
#[derive(Clone, Debug)]
pub(crate) struct Relay(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    inner: Arc<Inner>,
    url: RelayUrl,
    server: SocketAddr,
    relayed: SocketAddr,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.inner.state();
        state.closing = Some(Instant::now() + FAREWELL);
        state.inboxes = Inboxes::default();
        state.turn.delete(Instant::now().into_std());
        state.pump();
        state.wake();
    }
}

/// Where an allocation's data goes.
#[derive(Debug, Default)]
struct Inboxes {
    by_peer: Vec<(SocketAddr, Inbox)>,
    others: Option<Inbox>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    ended: watch::Sender<Option<Arc<RelayError>>>,
    /// Changes with what the relay permits.
    progress: watch::Sender<()>,
}

struct State {
    turn: Turn,
    carrier: Carrier,
    inboxes: Inboxes,
    refused: Vec<IpAddr>,
    /// How often the relay has said that the allocation is there.
    kept: u64,
    closing: Option<Instant>,
    waker: Option<Waker>,
    /// What goes at once over UDP, kept for its memory.
    scratch: Vec<u8>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("carrier", &self.carrier).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Carrier {
    Udp(UdpCarrier),
    Tls(Box<TlsCarrier>),
}

impl Relay {
    /// Where it is and how it was reached.
    pub(crate) fn url(&self) -> &RelayUrl {
        &self.0.url
    }

    /// What paths by it are.
    pub(crate) fn kind(&self) -> PathKind {
        match self.0.url.transport() {
            RelayTransport::Udp => PathKind::RelayUdp,
            RelayTransport::Tls => PathKind::RelayTls,
        }
    }

    /// The address that answered.
    pub(crate) fn server(&self) -> SocketAddr {
        self.0.server
    }

    /// The address that peers send to.
    pub(crate) fn relayed(&self) -> SocketAddr {
        self.0.relayed
    }

    /// Lets a peer's host send and be sent to.
    pub(crate) fn permit(&self, peer: IpAddr) {
        self.command(|turn, now| turn.permit(peer, now));
    }

    /// Spares 32 bytes in every message to and from `peer`, which must be permitted.
    pub(crate) fn bind_channel(&self, peer: SocketAddr) {
        self.command(|turn, now| turn.bind_channel(peer, now));
    }

    /// Binds a channel to `peer` and waits until it can be sent to; false when the relay does not
    /// forward to it, or is lost.
    pub(crate) async fn reach(&self, peer: SocketAddr) -> bool {
        self.bind_channel(peer);
        let mut progress = self.0.inner.progress.subscribe();
        loop {
            progress.mark_unchanged();
            if let Some(reached) = self.is_reached(peer) {
                return reached;
            }
            tokio::select! {
                _ = progress.changed() => {}
                _ = self.ended() => return false,
            }
        }
    }

    /// Asks the relay, twice, whether the allocation is there for this way to it; false without an
    /// answer within `limit`.
    pub(crate) async fn is_kept(&self, limit: Duration) -> bool {
        let mut progress = self.0.inner.progress.subscribe();
        let before = self.0.inner.state().kept;
        let is_kept = || self.0.inner.state().kept > before;
        for _ in 0..2 {
            self.command(Turn::ask);
            let end = Instant::now() + limit / 2;
            while !is_kept() && matches!(timeout_at(end, progress.changed()).await, Ok(Ok(()))) {}
            if is_kept() {
                return true;
            }
        }
        false
    }

    /// Whether `peer` can be sent to, once that is known.
    fn is_reached(&self, peer: SocketAddr) -> Option<bool> {
        let state = self.0.inner.state();
        let is_refused = state.refused.contains(&peer.ip()) || self.has_ended();
        if state.turn.is_permitted(peer.ip()) { Some(true) } else { is_refused.then_some(false) }
    }

    /// What `peer` sends goes there from now on.
    pub(crate) fn deliver(&self, peer: SocketAddr, inbox: Inbox) {
        let mut state = self.0.inner.state();
        state.inboxes.by_peer.retain(|(known, _)| *known != peer);
        state.inboxes.by_peer.push((peer, inbox));
    }

    /// What anybody sends goes there from now on.
    pub(crate) fn deliver_all(&self, inbox: Inbox) {
        self.0.inner.state().inboxes = Inboxes { by_peer: Vec::new(), others: Some(inbox) };
    }

    /// Sends `contents` to `peer`, cut into datagrams of `segment_bytes` if that is given. What
    /// the way to the relay cannot take is lost.
    pub(crate) fn send(&self, peer: SocketAddr, contents: &[u8], segment_bytes: Option<usize>) {
        let segments = contents.chunks(segment_bytes.unwrap_or(contents.len()).max(1));
        let mut state = self.0.inner.state();
        let State { turn, carrier, scratch, .. } = &mut *state;
        let now = Instant::now().into_std();
        match carrier {
            Carrier::Tls(tls) => {
                for segment in segments {
                    tls.push(|out| turn.encode(peer, segment, out, now));
                }
                state.wake();
            }
            Carrier::Udp(udp) => {
                scratch.clear();
                let mut first_bytes = 0;
                for segment in segments {
                    turn.encode(peer, segment, scratch, now);
                    if first_bytes == 0 {
                        first_bytes = scratch.len();
                    }
                }
                if first_bytes > 0 {
                    udp.send(scratch, first_bytes);
                }
            }
        }
    }

    /// Gives this handle back, and the allocation with the last of them: then waits for the relay's
    /// word, at most for a second.
    pub(crate) async fn give_back(self) {
        let mut ended = self.0.inner.ended.subscribe();
        drop(self);
        while ended.changed().await.is_ok() {}
    }

    /// Waits until the allocation is lost, and says why.
    pub(crate) async fn ended(&self) -> Arc<RelayError> {
        let mut ended = self.0.inner.ended.subscribe();
        match ended.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(error)) => error.clone(),
            // The sender lives in `self`.
            _ => Arc::new(RelayError::Refused(TurnRefusal::Silent)),
        }
    }

    /// Whether it is lost.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.inner.ended.borrow().is_some()
    }

    fn command(&self, command: impl FnOnce(&mut Turn, std::time::Instant)) {
        let mut state = self.0.inner.state();
        command(&mut state.turn, Instant::now().into_std());
        state.pump();
        state.wake();
    }
}

/// Connects and shakes hands over TLS with the relay at `server`, and no more.
pub(crate) async fn shake_hands(server: SocketAddr, url: &RelayUrl) -> Result<(), RelayError> {
    TlsCarrier::connect(server, url.host(), url.pins()).await.map(drop)
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Whether what is to be sent waits for more that is likely to come at once.
    fn is_filling(&mut self) -> bool {
        match &mut self.carrier {
            Carrier::Udp(_) => false,
            Carrier::Tls(tls) => tls.is_filling(),
        }
    }

    /// Lets the allocation's state machine go on; gives when to do so again.
    fn pump(&mut self) -> Instant {
        let now = Instant::now();
        let then = self.turn.handle_timeout(now.into_std());
        while let Some(message) = self.turn.poll_transmit(now.into_std()) {
            match &mut self.carrier {
                Carrier::Udp(udp) => udp.send(&message, message.len()),
                Carrier::Tls(tls) => {
                    tls.push(|out| out.extend_from_slice(&message));
                    let _ = tls.flush();
                }
            }
        }
        let then = then.map_or(now + IDLE, |then| Instant::from_std(then).min(now + IDLE));
        // Never at once again: a state machine that asks for that would spin.
        then.max(now + Duration::from_millis(1))
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Self { turn, carrier, inboxes, .. } = self;
        let now = Instant::now().into_std();
        let take = |message: &[u8]| {
            if let Received::Data(peer, range) = turn.handle(message, now) {
                let known = inboxes.by_peer.iter().find(|(known, _)| *known == peer);
                if let Some(inbox) = known.map(|(_, inbox)| inbox).or(inboxes.others.as_ref()) {
                    inbox.push(peer, &message[range]);
                }
            }
        };
        let ended = match carrier {
            Carrier::Udp(udp) => udp.poll_recv(cx, take),
            Carrier::Tls(tls) => tls.poll_recv(cx, take),
        };
        inboxes.by_peer.iter().map(|(_, inbox)| inbox).chain(&inboxes.others).for_each(Inbox::wake);
        ended
    }
}

/// Keeps an allocation alive until its handle is dropped or it is lost.
struct Driver {
    inner: Arc<Inner>,
    timer: Pin<Box<Sleep>>,
    allocated: Option<tokio::sync::oneshot::Sender<Result<SocketAddr, RelayError>>>,
}

impl Driver {
    fn spawn(
        turn: Turn,
        carrier: Carrier,
    ) -> (Arc<Inner>, tokio::sync::oneshot::Receiver<Result<SocketAddr, RelayError>>) {
        let state = State {
            turn,
            carrier,
            inboxes: Inboxes::default(),
            refused: Vec::new(),
            kept: 0,
            closing: None,
            waker: None,
            scratch: Vec::new(),
        };
        let ended = watch::Sender::new(None);
        let (state, progress) = (Mutex::new(state), watch::Sender::new(()));
        let inner = Arc::new(Inner { state, ended, progress });
        let (sender, allocated) = tokio::sync::oneshot::channel();
        let timer = Box::pin(sleep_until(Instant::now()));
        tokio::spawn(Self { inner: inner.clone(), timer, allocated: Some(sender) });
        (inner, allocated)
    }

    fn end(&mut self, error: RelayError) {
        match self.allocated.take() {
            Some(waiting) => drop(waiting.send(Err(error))),
            None => drop(self.inner.ended.send_replace(Some(Arc::new(error)))),
        }
    }

    fn take_events(&mut self) {
        let mut state = self.inner.state();
        while let Some(event) = state.turn.poll_event() {
            match event {
                Event::Allocated(relayed) => {
                    let waiting = self.allocated.take();
                    let is_wanted = waiting.is_some_and(|w| w.send(Ok(relayed)).is_ok());
                    if !is_wanted {
                        state.closing = Some(Instant::now() + FAREWELL);
                        state.turn.delete(Instant::now().into_std());
                    }
                }
                Event::PeerPermitted => {}
                Event::Kept => state.kept += 1,
                Event::PeerRefused(peer) => {
                    if !state.refused.contains(&peer) {
                        state.refused.push(peer);
                    }
                }
            }
            self.inner.progress.send_replace(());
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let inner = self.inner.clone();
            if inner.state().is_filling() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let ended = inner.state().poll_recv(cx);
            if let Poll::Ready(error) = ended {
                self.end(RelayError::Ended(Arc::new(error)));
                return Poll::Ready(());
            }
            let then = inner.state().pump();
            self.take_events();
            let mut state = inner.state();
            if let Carrier::Tls(tls) = &mut state.carrier
                && let Err(error) = tls.poll_flush(cx)
            {
                drop(state);
                self.end(RelayError::Ended(Arc::new(error)));
                return Poll::Ready(());
            }
            let refusal = state.turn.refusal();
            let is_over = state.closing.is_some_and(|limit| Instant::now() >= limit);
            state.waker = Some(cx.waker().clone());
            let gone = self.allocated.as_ref().is_some_and(|waiting| waiting.is_closed());
            let limit = state.closing;
            drop(state);
            if let Some(refusal) = refusal {
                self.end(refusal.into());
                return Poll::Ready(());
            }
            if is_over || gone {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(limit.map_or(then, |limit| then.min(limit)));
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
