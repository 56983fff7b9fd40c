//! A confirmed connection between one sharer and one helper.

use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;
use quinn::{SendDatagramError, VarInt};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use crate::close::{APP_CODE_MAX, CODE_DROPPED, CloseReason, MAX_REASON_BYTES};
use crate::config::{Limits, RECEIVE_WINDOW_AFTER_BYTES};
use crate::confirm::Control;
use crate::congestion::{self, WindowHandle};
use crate::ecn::Marks;
use crate::identity::PublicKey;
use crate::invitation::InvitationId;
use crate::path::{PathStats, PathSwitch, Paths};
use crate::streams::{self, ControlReceiver, ControlSender, StreamError};

/// A connection whose two ends have proved who they are. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    pub(crate) quinn: CloseOnDrop,
    pub(crate) control: Control,
    pub(crate) window: WindowHandle,
    pub(crate) marks: Marks,
    pub(crate) limits: Limits,
    pub(crate) runtime: Handle,
    pub(crate) paths: Option<Paths>,
    peer: PublicKey,
    invitation: InvitationId,
}

/// Why something could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The queue is full; nothing was taken. Send less, or again later.
    #[error("the queue is full; send less or try again later")]
    Full,
    /// It is longer than what fits.
    #[error("{bytes} bytes exceed the limit of {limit_bytes}; split the message")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// What fits now.
        limit_bytes: usize,
    },
    /// The connection is over.
    #[error(transparent)]
    Closed(#[from] CloseReason),
}

/// What has gone over a connection so far, and how the path does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: u64,
    /// Least round-trip time in microseconds.
    pub min_rtt_us: u64,
    /// UDP datagrams sent, QUIC's own included.
    pub udp_sent: u64,
    /// UDP payload bytes sent.
    pub udp_sent_bytes: u64,
    /// UDP datagrams received.
    pub udp_received: u64,
    /// UDP payload bytes received.
    pub udp_received_bytes: u64,
    /// Media datagrams sent.
    pub datagrams_sent: u64,
    /// Media datagrams received.
    pub datagrams_received: u64,
    /// Packets sent and lost, as QUIC counts them.
    pub lost_packets: u64,
    /// Bytes in those packets.
    pub lost_bytes: u64,
    /// Packets received marked by the network (CE). Counted at the helper, which gets the media.
    pub marked_packets: u64,
    /// QUIC's congestion window in bytes.
    pub window_bytes: u64,
    /// Largest UDP payload that the path carries, in bytes.
    pub udp_payload_bytes: u16,
}

impl Connection {
    pub(crate) fn new(
        quinn: quinn::Connection,
        control: Control,
        window: WindowHandle,
        limits: Limits,
        peer: PublicKey,
        invitation: InvitationId,
    ) -> Self {
        quinn.set_receive_window(VarInt::from_u32(RECEIVE_WINDOW_AFTER_BYTES));
        quinn.set_max_concurrent_uni_streams(VarInt::from_u32(limits.blobs));
        let (quinn, marks, runtime) = (CloseOnDrop(quinn), Marks::default(), Handle::current());
        let paths = None;
        Self { quinn, control, window, marks, limits, runtime, paths, peer, invitation }
    }

    pub(crate) fn with_paths(self, paths: Option<Paths>) -> Self {
        Self { paths, ..self }
    }

    /// Counts marks by what arrives at an endpoint that has no other connection.
    pub(crate) fn with_marks(self, marks: Marks) -> Self {
        Self { marks, ..self }
    }

    /// The other side's key.
    pub fn peer_key(&self) -> PublicKey {
        self.peer
    }

    /// The invitation that brought the two together.
    pub fn invitation_id(&self) -> InvitationId {
        self.invitation
    }

    /// 32 bytes that both ends of this very connection know and nobody else: the TLS exporter
    /// (RFC 8446 section 7.5) with this label and no context. `None` once the connection is over.
    pub fn export(&self, label: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.quinn.export_keying_material(&mut *bytes, label, &[]).ok()?;
        Some(bytes)
    }

    /// The other side's address by the path in use; behind a relay, its address there.
    pub fn remote_address(&self) -> SocketAddr {
        let known = self.paths.as_ref().and_then(Paths::remote_address);
        known.unwrap_or_else(|| self.quinn.remote_address())
    }

    /// The paths to the other side.
    pub fn paths(&self) -> Vec<PathStats> {
        self.paths.as_ref().map(Paths::stats).unwrap_or_default()
    }

    /// The last changes of the path, the newest last; at most 32.
    pub fn path_switches(&self) -> Vec<PathSwitch> {
        self.paths.as_ref().map(Paths::switches).unwrap_or_default()
    }

    /// Longest datagram that fits the path now, in bytes; grows and shrinks with MTU discovery.
    pub fn max_datagram_bytes(&self) -> usize {
        max_datagram_bytes(&self.quinn)
    }

    /// Sends one datagram, or waits until QUIC's small buffer has room: nothing queued is dropped.
    pub async fn send_datagram(&self, datagram: Bytes) -> Result<(), SendError> {
        send_datagram(&self.quinn, datagram).await
    }

    /// Sends datagrams in order, waiting as [`Connection::send_datagram`] does.
    pub async fn send_datagrams(
        &self,
        datagrams: impl IntoIterator<Item = Bytes>,
    ) -> Result<(), SendError> {
        for datagram in datagrams {
            self.send_datagram(datagram).await?;
        }
        Ok(())
    }

    /// The next datagram, in order of arrival. May be dropped and called again.
    pub async fn read_datagram(&self) -> Result<Bytes, CloseReason> {
        self.quinn.read_datagram().await.map_err(|error| (&error).into())
    }

    /// Both directions of the control stream.
    pub fn control(&mut self) -> (&mut ControlSender, &mut ControlReceiver) {
        (&mut self.control.0, &mut self.control.1)
    }

    /// Sends bytes that are too long for a control message, on a stream of their own.
    pub async fn send_blob(&self, kind: u8, blob: Bytes) -> Result<(), StreamError> {
        streams::send_blob(&self.quinn, kind, blob, self.limits.blob_bytes).await
    }

    /// The next blob, whole. Dropping the future may lose a blob.
    pub async fn recv_blob(&self) -> Result<(u8, Bytes), StreamError> {
        streams::recv_blob(&self.quinn, self.limits.blob_bytes).await
    }

    /// Ends the connection at once: nothing that is queued goes out any more. `code` above
    /// [`APP_CODE_MAX`] is sent as [`APP_CODE_MAX`]; `reason` is cut at 256 bytes.
    pub fn close(&self, code: u32, reason: &str) {
        close(&self.quinn, code, reason);
    }

    /// Waits for the end and says why it came.
    pub async fn closed(&self) -> CloseReason {
        (&self.quinn.closed().await).into()
    }

    /// Smoothed round-trip time.
    pub fn rtt(&self) -> Duration {
        self.quinn.rtt()
    }

    /// Counters since the start.
    pub fn stats(&self) -> ConnectionStats {
        stats(&self.quinn, &self.marks)
    }

    /// Sets QUIC's congestion window.
    pub fn window(&self) -> WindowHandle {
        self.window.clone()
    }
}

/// Closes the connection when its owner goes away without having closed it.
#[derive(Debug)]
pub(crate) struct CloseOnDrop(pub(crate) quinn::Connection);

impl Deref for CloseOnDrop {
    type Target = quinn::Connection;

    fn deref(&self) -> &quinn::Connection {
        &self.0
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        close_once(&self.0, CODE_DROPPED, b"dropped");
    }
}

pub(crate) async fn send_datagram(
    connection: &quinn::Connection,
    datagram: Bytes,
) -> Result<(), SendError> {
    let bytes = datagram.len();
    connection.send_datagram_wait(datagram).await.map_err(|error| match error {
        SendDatagramError::ConnectionLost(error) => SendError::Closed((&error).into()),
        _ => SendError::TooLarge { bytes, limit_bytes: max_datagram_bytes(connection) },
    })
}

/// Both ends of this crate's protocol take datagrams, so there always is a size.
pub(crate) fn max_datagram_bytes(connection: &quinn::Connection) -> usize {
    connection.max_datagram_size().unwrap_or(0)
}

pub(crate) fn close(connection: &quinn::Connection, code: u32, reason: &str) {
    let reason = &reason.as_bytes()[..reason.len().min(MAX_REASON_BYTES)];
    close_once(connection, code.min(APP_CODE_MAX), reason);
}

/// Closes unless it is over already: closing twice would replace the reason of the first end.
pub(crate) fn close_once(connection: &quinn::Connection, code: u32, reason: &[u8]) {
    if connection.close_reason().is_none() {
        congestion::release(connection);
        connection.close(VarInt::from_u32(code), reason);
    }
}

pub(crate) fn stats(connection: &quinn::Connection, marks: &Marks) -> ConnectionStats {
    let stats = connection.stats();
    let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    ConnectionStats {
        rtt_us: microseconds(stats.path.rtt),
        min_rtt_us: microseconds(stats.path.min_rtt),
        udp_sent: stats.udp_tx.datagrams,
        udp_sent_bytes: stats.udp_tx.bytes,
        udp_received: stats.udp_rx.datagrams,
        udp_received_bytes: stats.udp_rx.bytes,
        datagrams_sent: stats.frame_tx.datagram,
        datagrams_received: stats.frame_rx.datagram,
        lost_packets: stats.path.lost_packets,
        lost_bytes: stats.path.lost_bytes,
        marked_packets: marks.count(),
        window_bytes: stats.path.cwnd,
        udp_payload_bytes: stats.path.current_mtu,
    }
}
