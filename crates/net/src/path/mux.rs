//! The socket that QUIC sees: packets of one peer by several paths, under one address.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::PathKind;
use super::mapped::Mapped;
use super::message::{FIRST_BYTE, MAX_CANDIDATES, SessionName};
use super::peer::Peer;
use super::place::{Aliases, Place, Via};
use crate::clock::now_us;
use crate::network::Network;
use crate::relay::{Inbox, Relay, Run};

/// How often it is looked whether all have parted.
const LOOK: Duration = Duration::from_millis(2);

thread_local! {
    /// All that were made on this thread, which alone serves them.
    static HERE: RefCell<Vec<Weak<Mutex<State>>>> = const { RefCell::new(Vec::new()) };
}

/// Waits until the other end of every session that was closed on this thread knows it, or no path
/// leads there; at most for `limit`.
pub(crate) async fn part(limit: Duration) {
    let is_parting = || {
        let here =
            HERE.with_borrow(|here| here.iter().filter_map(Weak::upgrade).collect::<Vec<_>>());
        here.into_iter().any(|state| Mux(state).state().is_parting())
    };
    let deadline = Instant::now() + limit;
    while is_parting() && Instant::now() < deadline {
        sleep(LOOK).await;
    }
}

/// The sockets of one end, and the sessions that go over them.
#[derive(Clone)]
pub(crate) struct Mux(Arc<Mutex<State>>);

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mux")
    }
}

pub(crate) struct State {
    network: Arc<dyn Network>,
    pub(super) sockets: Sockets,
    pub(super) inbox: Inbox,
    pub(super) aliases: Aliases,
    pub(super) peers: Vec<Peer>,
    mapped: Mapped,
    /// Whether ways without a relay are looked for.
    pub(super) finds_direct: bool,
    timer: Pin<Box<Sleep>>,
    waker: Option<Waker>,
    /// Whether relays are read before the other sockets, which takes turns.
    relays_first: bool,
    /// What those who keep relays see: that a session is cut off, and the end of the sockets.
    alive: watch::Sender<()>,
}

/// What packets go out by.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    direct: Vec<Arc<dyn AsyncUdpSocket>>,
    /// By their numbers; `None` while one is lost.
    relays: Vec<Option<Relay>>,
}

impl Mux {
    /// An end with the sockets `direct` of `network`, at most one of each family of addresses.
    pub(crate) fn new(
        network: Arc<dyn Network>,
        direct: Vec<Arc<dyn AsyncUdpSocket>>,
        aliases: Aliases,
        finds_direct: bool,
    ) -> Self {
        let state = State {
            network,
            sockets: Sockets { direct, relays: Vec::new() },
            inbox: Inbox::default(),
            aliases,
            peers: Vec::new(),
            mapped: Mapped::default(),
            finds_direct,
            timer: Box::pin(sleep_until(Instant::now())),
            waker: None,
            relays_first: false,
            alive: watch::Sender::new(()),
        };
        let state = Arc::new(Mutex::new(state));
        HERE.with_borrow_mut(|here| {
            here.retain(|other| other.strong_count() > 0);
            here.push(Arc::downgrade(&state));
        });
        Self(state)
    }

    /// The socket for the QUIC of a helper or a sharer.
    pub(crate) fn socket(&self, is_helper: bool) -> Arc<dyn AsyncUdpSocket> {
        let direct = self.state().sockets.direct.clone();
        Arc::new(MuxSocket { mux: self.clone(), direct, is_helper })
    }

    /// What the sockets are of.
    pub(crate) fn network(&self) -> Arc<dyn Network> {
        self.state().network.clone()
    }

    pub(crate) fn downgrade(&self) -> WeakMux {
        WeakMux { state: Arc::downgrade(&self.0), alive: self.state().alive.subscribe() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does not keep the sockets open.
#[derive(Clone, Debug)]
pub(crate) struct WeakMux {
    state: Weak<Mutex<State>>,
    alive: watch::Receiver<()>,
}

impl WeakMux {
    pub(crate) fn upgrade(&self) -> Option<Mux> {
        self.state.upgrade().map(Mux)
    }

    /// Waits until the sockets are closed.
    pub(crate) async fn closed(&mut self) {
        while self.cut_off().await {}
    }

    /// Waits until a session is cut off; false when the sockets are closed.
    pub(crate) async fn cut_off(&mut self) -> bool {
        self.alive.changed().await.is_ok()
    }
}

impl State {
    /// A relay with this number is there.
    pub(crate) fn set_relay(&mut self, slot: usize, relay: Relay) {
        if self.sockets.relays.len() <= slot {
            self.sockets.relays.resize(slot + 1, None);
        }
        self.peers.iter_mut().for_each(|peer| peer.open_relay(slot, &relay));
        self.sockets.relays[slot] = Some(relay);
        self.settle();
    }

    /// This end has closed a session. QUIC has said farewell once; that the path still leads to the
    /// other end is found out, so that it can be said again by another.
    pub(super) fn close(&mut self, name: SessionName) {
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.name() == name) {
            peer.is_closed = true;
            peer.set.check(now_us());
        }
        self.settle();
    }

    /// Whether it is open if the other end of some session knows that it was closed.
    fn is_parting(&self) -> bool {
        self.peers.iter().any(|peer| peer.is_closed && peer.set.is_unsure())
    }

    /// A session is over. What QUIC still sends goes by the path that was in use, and in doubt by
    /// the second one as well.
    pub(super) fn forget(&mut self, name: SessionName) {
        let Some(at) = self.peers.iter().position(|peer| peer.name() == name) else { return };
        let alias = self.peers[at].alias;
        let peer = self.peers.remove(at);
        let (first, second) = peer.set.route();
        self.aliases.lead(alias, peer.place(first), second.map(|way| peer.place(way)));
    }

    /// Whether some session's ways by it have all fallen silent.
    pub(crate) fn has_lost_relay(&self, slot: usize) -> bool {
        self.peers.iter().any(|peer| peer.has_lost_relay(slot))
    }

    /// Asks all ways by it again.
    pub(crate) fn ask_by_relay(&mut self, slot: usize) {
        self.peers.iter_mut().for_each(|peer| peer.ask_by_relay(slot));
        self.settle();
    }

    /// It is lost.
    pub(crate) fn close_relay(&mut self, slot: usize) {
        self.sockets.relays[slot] = None;
        self.peers.iter_mut().for_each(|peer| peer.close_relay(slot));
        self.settle();
    }

    /// Where a relay is to deliver.
    pub(crate) fn inbox_of(&self, relay: usize) -> Inbox {
        self.inbox.of(relay)
    }

    /// Asks relays how they see the sockets that go without them.
    pub(crate) fn ask_relays(&mut self) {
        let slots: Vec<_> = self.sockets.relays().map(|(slot, _)| slot).collect();
        slots.into_iter().for_each(|slot| self.ask_relay(slot));
    }

    /// Asks one relay again while some session goes by relays: translators forget and give other
    /// addresses, and a way without relays is found only by those that hold.
    pub(crate) fn ask_relay_again(&mut self, slot: usize) {
        if self.peers.iter().any(Peer::is_relayed) {
            self.ask_relay(slot);
        }
    }

    fn ask_relay(&mut self, slot: usize) {
        let relay = self.sockets.relays.get(slot).and_then(Option::as_ref);
        let relay = relay.filter(|relay| relay.kind() == PathKind::RelayUdp);
        if let (Some(relay), true) = (relay, self.finds_direct) {
            let server = relay.server();
            let question = self.mapped.ask(server);
            self.sockets.tell(Place::direct(server), &question);
        }
    }

    /// The addresses by which this end may be reached.
    pub(super) fn own_addresses(&self) -> Vec<(SocketAddr, PathKind)> {
        let relayed = self.relays().map(|relay| (relay.relayed(), relay.kind()));
        let relayed = relayed.collect::<Vec<_>>();
        let local = self.sockets.direct.first().and_then(|socket| socket.local_addr().ok());
        let (Some(local), true) = (local, self.finds_direct) else { return relayed };
        let ips = self.relays().filter_map(|relay| self.network.outward(relay.server()));
        let near = ips.map(|ip| SocketAddr::new(ip, local.port()));
        let mut direct: Vec<_> = self.mapped.addresses().chain(near).collect();
        direct.sort_unstable();
        direct.dedup();
        let direct = direct.into_iter().map(|address| (address, PathKind::Direct));
        direct.chain(relayed).take(MAX_CANDIDATES).collect()
    }

    /// Tells all peers by what addresses this end may be reached.
    pub(super) fn offer(&mut self) {
        let addresses = self.own_addresses();
        self.peers.iter_mut().for_each(|peer| peer.offer(addresses.clone()));
        self.settle();
    }

    /// The relays that are there.
    pub(crate) fn relays(&self) -> impl Iterator<Item = &Relay> {
        self.sockets.relays().map(|(_, relay)| relay)
    }

    /// Sends what sessions have to tell, and asks to be woken in time.
    pub(crate) fn settle(&mut self) {
        for peer in &mut self.peers {
            peer.drain(&self.sockets);
        }
        let now_us = now_us();
        let next_us = self.peers.iter().filter_map(|peer| peer.set.poll_timeout()).min();
        let Some(next_us) = next_us else { return };
        let next = Instant::now() + Duration::from_micros(next_us.saturating_sub(now_us));
        if next < self.timer.deadline() || self.timer.is_elapsed() {
            self.timer.as_mut().reset(next);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        self.waker = Some(cx.waker().clone());
        while self.timer.as_mut().poll(cx).is_ready() {
            let now_us = now_us();
            let due = |peer: &&mut Peer| peer.set.poll_timeout().is_some_and(|at| at <= now_us);
            self.peers.iter_mut().filter(due).for_each(|peer| peer.set.handle_timeout(now_us));
            for peer in &mut self.peers {
                peer.drain(&self.sockets);
            }
            if self.peers.iter().any(|peer| peer.set.is_lost(now_us)) {
                self.alive.send_replace(());
            }
            let next_us = self.peers.iter().filter_map(|peer| peer.set.poll_timeout()).min();
            let Some(next_us) = next_us else { return };
            // Not before the next tick of the timer, so that it cannot spin.
            let wait_us = next_us.saturating_sub(now_us).max(1_000);
            self.timer.as_mut().reset(Instant::now() + Duration::from_micros(wait_us));
        }
    }

    /// Takes the packets of one read, all from one place; gives the address that QUIC is to see,
    /// or `None` when they were not QUIC's.
    fn take(&mut self, place: Place, packets: &[u8], stride: usize) -> Option<SocketAddr> {
        let is_told = |packet: &&[u8]| packet.first() == Some(&FIRST_BYTE);
        let mut others = false;
        for packet in packets.chunks(stride.max(1)) {
            if is_told(&packet) {
                self.take_message(place, packet);
            } else if Mapped::is_stun(packet) {
                if self.mapped.handle(place.address, packet) {
                    self.offer();
                }
            } else {
                others = true;
            }
        }
        if !others {
            return None;
        }
        let now_us = now_us();
        for peer in &mut self.peers {
            if let Some(way) = peer.way_of(place) {
                peer.set.handle_heard(way, now_us);
                return Some(peer.alias);
            }
        }
        Some(self.aliases.alias(place))
    }

    fn take_message(&mut self, place: Place, datagram: &[u8]) {
        let name = SessionName::of(datagram);
        let peer = self.peers.iter_mut().find(|peer| Some(peer.name()) == name);
        if let Some(peer) = peer {
            peer.handle_message(place, datagram, &self.sockets);
        }
    }

    /// Shows QUIC what came by the sockets without relays.
    fn recv_direct(&mut self, bufs: &[IoSliceMut<'_>], meta: &mut [RecvMeta]) {
        for (meta, buffer) in meta.iter_mut().zip(bufs) {
            let place = Place::direct(canonical(meta.addr));
            match self.take(place, &buffer[..meta.len], meta.stride) {
                Some(alias) if alias != place.address => meta.addr = alias,
                Some(_) => {}
                None => meta.len = 0,
            }
        }
        self.settle();
    }

    /// Shows QUIC what came by relays; gives how many reads that is.
    fn recv_relayed(
        &mut self,
        cx: &Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> usize {
        let mut reads = 0;
        while reads < bufs.len().min(meta.len()) {
            let Some(run) = self.inbox.read(cx, &mut bufs[reads]) else { break };
            let Run { relay, peer, bytes: len, packet_bytes: stride } = run;
            let place = Place { via: Via::Relay(relay), address: peer };
            if let Some(addr) = self.take(place, &bufs[reads][..len], stride) {
                meta[reads] = RecvMeta { addr, len, stride, ecn: None, dst_ip: None };
                reads += 1;
            }
        }
        self.settle();
        reads
    }

    fn try_send(&mut self, transmit: &Transmit<'_>) -> io::Result<()> {
        let alias = transmit.destination;
        let peer = self.peers.iter_mut().find(|peer| peer.alias == alias);
        let is_session = peer.is_some();
        let (first, second) = match peer {
            None => self.aliases.places(alias),
            Some(peer) => {
                peer.handle_sent(transmit);
                let (first, second) = peer.set.route();
                (peer.place(first), second.map(|way| peer.place(way)))
            }
        };
        if let Some(second) = second {
            // What does not go by it is not missed: the first one has it too.
            let _ = self.sockets.send(second, transmit);
        }
        let sent = self.sockets.send(first, transmit);
        if !is_session {
            return sent;
        }
        self.settle();
        match sent {
            // A path that is broken is left in time; QUIC is not to end for it.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Ok(()),
            sent => sent,
        }
    }
}

impl Sockets {
    pub(super) fn relays(&self) -> impl Iterator<Item = (usize, &Relay)> {
        self.relays.iter().enumerate().filter_map(|(slot, relay)| Some((slot, relay.as_ref()?)))
    }

    /// The relay by which a place is reached, while it is there.
    pub(super) fn relay(&self, place: Place) -> Option<&Relay> {
        let Via::Relay(slot) = place.via else { return None };
        self.relays.get(slot)?.as_ref()
    }

    /// Sends to a place. By relays what cannot go at once is lost.
    pub(super) fn send(&self, place: Place, transmit: &Transmit<'_>) -> io::Result<()> {
        match place.via {
            Via::Relay(_) => {
                if let Some(relay) = self.relay(place) {
                    relay.send(place.address, transmit.contents, transmit.segment_size);
                }
                Ok(())
            }
            Via::Direct => {
                let fits = |socket: &&Arc<dyn AsyncUdpSocket>| {
                    socket.local_addr().is_ok_and(|a| a.is_ipv6() == place.address.is_ipv6())
                };
                if let Some(socket) = self.direct.iter().find(fits) {
                    let destination = place.address;
                    return socket.try_send(&Transmit { destination, ..transmit.clone() });
                }
                // A socket of IPv6 takes addresses of IPv4 in its own form.
                let (Some(socket), IpAddr::V4(ip)) = (self.direct.first(), place.address.ip())
                else {
                    return Ok(());
                };
                let ip = ip.to_ipv6_mapped();
                let destination = SocketAddr::new(ip.into(), place.address.port());
                socket.try_send(&Transmit { destination, ..transmit.clone() })
            }
        }
    }

    /// Sends one datagram of a session's own.
    pub(super) fn tell(&self, place: Place, datagram: &[u8]) {
        let transmit = Transmit {
            destination: place.address,
            ecn: None,
            contents: datagram,
            segment_size: None,
            src_ip: None,
        };
        // A lost one is repeated.
        let _ = self.send(place, &transmit);
    }
}

struct MuxSocket {
    mux: Mux,
    direct: Vec<Arc<dyn AsyncUdpSocket>>,
    is_helper: bool,
}

impl fmt::Debug for MuxSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MuxSocket").field("direct", &self.direct).finish_non_exhaustive()
    }
}

impl AsyncUdpSocket for MuxSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        match self.direct.first() {
            Some(direct) => direct.clone().create_io_poller(),
            None => Box::pin(AlwaysWritable),
        }
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.mux.state().try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.mux.state();
        state.poll_timer(cx);
        // A flood at one kind of socket must not silence the other.
        state.relays_first = !state.relays_first;
        let relays_first = state.relays_first;
        let reads = match relays_first {
            true => state.recv_relayed(cx, bufs, meta),
            false => 0,
        };
        if reads > 0 {
            return Poll::Ready(Ok(reads));
        }
        for socket in &self.direct {
            if let Poll::Ready(reads) = socket.poll_recv(cx, bufs, meta) {
                let reads = reads?;
                state.recv_direct(bufs, &mut meta[..reads]);
                return Poll::Ready(Ok(reads));
            }
        }
        match if relays_first { 0 } else { state.recv_relayed(cx, bufs, meta) } {
            0 => Poll::Pending,
            reads => Poll::Ready(Ok(reads)),
        }
    }

    /// A helper's QUIC sees one address of IPv6, and takes that only from a socket of that family.
    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.direct.first().filter(|_| !self.is_helper) {
            Some(direct) => direct.local_addr(),
            None => Ok(super::place::SHARER),
        }
    }

    fn max_transmit_segments(&self) -> usize {
        self.direct.iter().map(|socket| socket.max_transmit_segments()).min().unwrap_or(16)
    }

    fn max_receive_segments(&self) -> usize {
        self.direct.iter().map(|socket| socket.max_receive_segments()).max().unwrap_or(1)
    }

    fn may_fragment(&self) -> bool {
        self.direct.iter().any(|socket| socket.may_fragment())
    }
}

/// The address as a socket of its own family has it.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(ip) => SocketAddr::new(ip.into(), v6.port()),
            None => address,
        },
    }
}

/// A relay takes what it can and drops the rest.
#[derive(Debug)]
pub(super) struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
