//! UDP sockets with large kernel buffers, handed to quinn.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, Runtime, TokioRuntime};
use rustix::net::sockopt;

use crate::ecn::{EcnSocket, Marks};

/// A socket on `address` whose packets are ECT(1); must be called inside the network thread's
/// runtime.
pub(crate) fn bind(
    address: SocketAddr,
    buffer_bytes: usize,
    marks: &Marks,
) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    let socket = enlarge(UdpSocket::bind(address)?, buffer_bytes)?;
    Ok(Arc::new(EcnSocket::new(TokioRuntime.wrap_udp_socket(socket)?, marks.clone())))
}

/// QUIC over a socket.
pub(crate) fn open(
    socket: Arc<dyn AsyncUdpSocket>,
    server: Option<quinn::ServerConfig>,
) -> io::Result<Endpoint> {
    let mut config = EndpointConfig::default();
    // What is told beside QUIC is known by a first byte that QUIC's packets never have.
    config.grease_quic_bit(false);
    Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(TokioRuntime))
}

/// The socket with kernel buffers of this size, each way.
pub(crate) fn enlarge(socket: UdpSocket, buffer_bytes: usize) -> io::Result<UdpSocket> {
    // A smaller buffer than asked for only makes bursts riskier, so a refusal is no error.
    let _ = sockopt::set_socket_recv_buffer_size(&socket, buffer_bytes);
    let _ = sockopt::set_socket_send_buffer_size(&socket, buffer_bytes);
    Ok(socket)
}

/// The unspecified address of the family of `remote`, with a port that the system chooses.
pub(crate) fn any_local(remote: SocketAddr) -> SocketAddr {
    match remote {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
