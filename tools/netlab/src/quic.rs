//! Two real QUIC endpoints in virtual time.

use bytes::{Bytes, BytesMut};
use farpane_linksim::{Ecn, Ns};
use quinn_proto::{
    ClientConfig, Connection, ConnectionHandle, DatagramEvent, EcnCodepoint, Endpoint,
    EndpointConfig, Event, HashedConnectionIdGenerator, ServerConfig, StreamId, Transmit,
};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// What IP and UDP add to a QUIC packet.
pub(crate) const HEADER_BYTES: u32 = 28;
/// The largest UDP payload that a link carries.
const MAX_UDP_PAYLOAD: usize = 1_452;

/// The time 0 of all runs. Only differences to it reach QUIC.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn instant(now: Ns) -> Instant {
    *ORIGIN + Duration::from_nanos(now)
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Sends media or bulk data; QUIC's server.
    Sharer,
    /// Receives it; opens the connection.
    Helper,
}

/// A UDP datagram to put on a link.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Its payload.
    pub(crate) data: Vec<u8>,
    /// Whether it may be marked.
    pub(crate) ecn: Ecn,
}

/// One endpoint and its connection.
pub(crate) struct Side {
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    peer: SocketAddr,
    outgoing: VecDeque<Outgoing>,
    /// Whether the connection is established.
    pub(crate) is_connected: bool,
    /// The stream that the other end opened, once there is one.
    pub(crate) stream: Option<StreamId>,
}

impl Side {
    /// The end that accepts.
    pub(crate) fn sharer(config: ServerConfig, seed: u64) -> Self {
        Self::new(Some(Arc::new(config)), seed, address(2))
    }

    /// The end that opens the connection, which it does at `now`.
    pub(crate) fn helper(now: Ns, config: ClientConfig, seed: u64) -> anyhow::Result<Self> {
        let mut side = Self::new(None, seed, address(1));
        let peer = side.peer;
        // Sessions send no server name; quinn wants one all the same.
        let connection = side.endpoint.connect(instant(now), config, peer, "farpane")?;
        side.connection = Some(connection);
        side.pump(now);
        Ok(side)
    }

    fn new(server: Option<Arc<ServerConfig>>, seed: u64, peer: SocketAddr) -> Self {
        let mut config = EndpointConfig::default();
        let mut rng_seed = [server.is_some().into(); 32];
        rng_seed[..8].copy_from_slice(&seed.to_le_bytes());
        config.rng_seed(Some(rng_seed));
        config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(seed)));
        Self {
            endpoint: Endpoint::new(Arc::new(config), server, true, None),
            connection: None,
            peer,
            outgoing: VecDeque::new(),
            is_connected: false,
            stream: None,
        }
    }

    /// The connection, once there is one.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut().map(|(_, connection)| connection)
    }

    /// A UDP datagram arrived.
    pub(crate) fn handle(&mut self, now: Ns, data: &[u8], ecn: Ecn) {
        let ecn = match ecn {
            Ecn::NotEct => None,
            Ecn::Ect0 => Some(EcnCodepoint::Ect0),
            Ecn::Ect1 => Some(EcnCodepoint::Ect1),
            Ecn::Ce => Some(EcnCodepoint::Ce),
        };
        let mut buffer = Vec::new();
        let data = BytesMut::from(data);
        let event = self.endpoint.handle(instant(now), self.peer, None, ecn, data, &mut buffer);
        match event {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some((known, connection)) = &mut self.connection
                    && *known == handle
                {
                    connection.handle_event(event);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => {
                buffer.clear();
                let accepted = self.endpoint.accept(incoming, instant(now), &mut buffer, None);
                self.connection = accepted.ok();
            }
            Some(DatagramEvent::Response(transmit)) => self.push(&transmit, &buffer),
            None => {}
        }
        self.pump(now);
    }

    /// Lets time pass.
    pub(crate) fn handle_timeout(&mut self, now: Ns) {
        if let Some((_, connection)) = &mut self.connection {
            connection.handle_timeout(instant(now));
        }
        self.pump(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn poll_timeout(&mut self) -> Option<Ns> {
        let at = self.connection()?.poll_timeout()?;
        Some(at.saturating_duration_since(*ORIGIN).as_nanos() as Ns)
    }

    /// The next UDP datagram to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// The next media datagram that arrived.
    pub(crate) fn recv_datagram(&mut self) -> Option<Bytes> {
        self.connection()?.datagrams().recv()
    }

    /// Gives QUIC a media datagram; false when its buffer is full.
    pub(crate) fn send_datagram(&mut self, datagram: &Bytes) -> bool {
        let Some(connection) = self.connection() else { return false };
        let mut datagrams = connection.datagrams();
        let has_room = datagrams.send_buffer_space() >= datagram.len();
        has_room && datagrams.send(datagram.clone(), false).is_ok()
    }

    /// Brings events and packets to where they belong; call it after anything was done to the
    /// connection.
    pub(crate) fn pump(&mut self, now: Ns) {
        let Some((handle, connection)) = &mut self.connection else { return };
        while let Some(event) = connection.poll() {
            match event {
                Event::Connected => self.is_connected = true,
                Event::Stream(_) => {
                    self.stream = self.stream.or(connection.streams().accept(quinn_proto::Dir::Bi));
                }
                _ => {}
            }
        }
        let mut packets = Vec::new();
        let mut buffer = Vec::with_capacity(MAX_UDP_PAYLOAD);
        while let Some(transmit) = connection.poll_transmit(instant(now), 1, &mut buffer) {
            packets.push((transmit, std::mem::take(&mut buffer)));
        }
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                connection.handle_event(event);
            }
        }
        for (transmit, data) in packets {
            self.push(&transmit, &data);
        }
    }

    fn push(&mut self, transmit: &Transmit, data: &[u8]) {
        let ecn = match transmit.ecn {
            None => Ecn::NotEct,
            Some(EcnCodepoint::Ect0) => Ecn::Ect0,
            Some(EcnCodepoint::Ect1) => Ecn::Ect1,
            Some(EcnCodepoint::Ce) => Ecn::Ce,
        };
        let data = data[..transmit.size].to_vec();
        self.outgoing.push_back(Outgoing { data, ecn });
    }
}

fn address(host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], 4_433))
}
