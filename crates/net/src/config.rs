//! Every limit and time of the transport, with its default and its reason.

use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::ControllerFactory;
use quinn::{AckFrequencyConfig, IdleTimeout, MtuDiscoveryConfig, TransportConfig, VarInt};

use crate::congestion::WindowHandle;
use crate::relay::RelayUrl;

/// What both ends of a connection are configured with. The default suits a session on any network.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// How long things may take.
    pub timing: Timing,
    /// How large things may get.
    pub limits: Limits,
    /// The relays by which a sharer can be reached. A helper has those of its invitation.
    pub relays: Vec<RelayUrl>,
    /// Whether to look for a way without a relay once a session goes by one. The other side, which
    /// is confirmed then, learns this side's addresses. Default true.
    pub find_direct: bool,
}

impl Default for NetConfig {
    fn default() -> Self {
        let (timing, limits, relays) = Default::default();
        Self { timing, limits, relays, find_direct: true }
    }
}

/// How long things may take.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Silence after which the other side counts as gone. Default 7 s: with one keep-alive
    /// interval before it, a dead peer is noticed within 10 s.
    pub idle_timeout: Duration,
    /// Silence after which a keep-alive goes out. Default 3 s: half the idle timeout leaves time
    /// to repeat a lost one, and three packets per 3 s cost next to nothing.
    pub keep_alive: Duration,
    /// How long a helper may take from its first packet to its proof. Default 5 s.
    pub confirmation: Duration,
    /// How long [`connect`](crate::connect) tries in all. Default 10 s.
    pub connect: Duration,
    /// Head start of each of the invitation's addresses over the next. Default 150 ms: above a
    /// good round trip, below what a person notices.
    pub stagger: Duration,
    /// How long the addresses without relays are tried alone before relays over UDP are, and those
    /// over TLS. Default 50 and 250 ms. All relays are asked for an address at once.
    pub relay_stagger: [Duration; 2],
    /// How long a helper may come back with the same key after its connection was lost, even if
    /// the invitation has expired meanwhile. Default 2 minutes.
    pub resume: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(7),
            keep_alive: Duration::from_secs(3),
            confirmation: Duration::from_secs(5),
            connect: Duration::from_secs(10),
            stagger: Duration::from_millis(150),
            relay_stagger: [50, 250].map(Duration::from_millis),
            resume: Duration::from_secs(120),
        }
    }
}

/// How large things may get.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest control message in bytes, either way. Default 16 KiB.
    pub control_message_bytes: usize,
    /// Longest blob in bytes, either way. Default 300 KiB: a 256x256 cursor and its header.
    pub blob_bytes: usize,
    /// Blobs that the other side may have under way at once. Default 4.
    pub blobs: u32,
    /// Helpers that may be between first packet and proof at once. Default 8.
    pub pending: usize,
    /// Datagrams waiting inside quinn, in bytes. Default 8 KiB, six full datagrams: more would
    /// add delay that the pacer above cannot take back (65 ms at 1 Mbit/s).
    pub datagram_send_buffer_bytes: usize,
    /// Datagrams received and not yet read, in bytes. Default 2 MiB: a burst of 1 MiB survives a
    /// reader that is late.
    pub datagram_receive_buffer_bytes: usize,
    /// Datagrams waiting in a [`Link`](crate::Link)'s queue, in bytes. Default 256 KiB.
    pub link_queue_bytes: usize,
    /// Kernel buffer asked for on the UDP socket, in bytes each way. Default 2 MiB; the system's
    /// `net.core.rmem_max` and `wmem_max` may give less.
    pub socket_buffer_bytes: usize,
    /// quinn's congestion window until [`WindowHandle::set`] is called, in bytes. Default 1 MiB:
    /// 84 Mbit/s at a round trip of 100 ms.
    pub initial_window_bytes: u64,
    /// Largest UDP payload that MTU discovery tries, in bytes. Default 1448, and no
    /// more: Ethernet, IPv6 and a relay's channel.
    pub max_udp_payload_bytes: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            control_message_bytes: 16 << 10,
            blob_bytes: 300 << 10,
            blobs: 4,
            pending: 8,
            datagram_send_buffer_bytes: 8 << 10,
            datagram_receive_buffer_bytes: 2 << 20,
            link_queue_bytes: 256 << 10,
            socket_buffer_bytes: 2 << 20,
            initial_window_bytes: 1 << 20,
            max_udp_payload_bytes: 1448,
        }
    }
}

/// What a relay's channel leaves of Ethernet's 1500 bytes under IPv6: any session may come to go by
/// one.
const MAX_RELAYED_PAYLOAD_BYTES: u16 = 1500 - 48 - 4;
/// Smallest UDP payload tried first: the least that QUIC allows (RFC 9000 section 14).
const INITIAL_UDP_PAYLOAD_BYTES: u16 = 1200;
/// Stream bytes that may be under way before the other side has proved itself.
const RECEIVE_WINDOW_BEFORE_BYTES: u32 = 64 << 10;
/// Stream bytes that may be under way afterwards.
pub(crate) const RECEIVE_WINDOW_AFTER_BYTES: u32 = 2 << 20;
/// Stream bytes that this side keeps unacknowledged.
const SEND_WINDOW_BYTES: u64 = 2 << 20;
/// Packets that the other side may leave unacknowledged. Media reports its own losses, so QUIC's
/// acknowledgements only have to keep the window moving; fewer of them save CPU on both sides.
const ACK_ELICITING_THRESHOLD: u32 = 9;

impl NetConfig {
    /// The transport of one connection whose window is `window`. Until the confirmation, the
    /// other side gets one stream, 64 KiB and no blobs.
    pub(crate) fn transport(&self, window: &WindowHandle) -> Arc<TransportConfig> {
        self.transport_with(window.factory())
    }

    /// The same with any congestion controller of quinn's.
    pub(crate) fn transport_with(
        &self,
        controller: Arc<dyn ControllerFactory + Send + Sync>,
    ) -> Arc<TransportConfig> {
        let mut mtu = MtuDiscoveryConfig::default();
        mtu.upper_bound(self.limits.max_udp_payload_bytes.min(MAX_RELAYED_PAYLOAD_BYTES));
        let mut acks = AckFrequencyConfig::default();
        acks.ack_eliciting_threshold(VarInt::from_u32(ACK_ELICITING_THRESHOLD));
        let idle = IdleTimeout::try_from(self.timing.idle_timeout)
            .unwrap_or_else(|_| IdleTimeout::from(VarInt::from_u32(u32::MAX)));
        let mut transport = TransportConfig::default();
        transport
            .max_concurrent_bidi_streams(VarInt::from_u32(1))
            .max_concurrent_uni_streams(VarInt::from_u32(0))
            .receive_window(VarInt::from_u32(RECEIVE_WINDOW_BEFORE_BYTES))
            .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW_AFTER_BYTES))
            .send_window(SEND_WINDOW_BYTES)
            .max_idle_timeout(Some(idle))
            .keep_alive_interval(Some(self.timing.keep_alive))
            .initial_mtu(INITIAL_UDP_PAYLOAD_BYTES)
            .mtu_discovery_config(Some(mtu))
            .ack_frequency_config(Some(acks))
            .datagram_send_buffer_size(self.limits.datagram_send_buffer_bytes)
            .datagram_receive_buffer_size(Some(self.limits.datagram_receive_buffer_bytes))
            .congestion_controller_factory(controller);
        Arc::new(transport)
    }
}
