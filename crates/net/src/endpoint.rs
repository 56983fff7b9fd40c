//! UDP sockets with large kernel buffers, handed to quinn.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use rustix::net::sockopt;

/// An endpoint on `address`; must be called inside the network thread's runtime.
pub(crate) fn bind(
    address: SocketAddr,
    server: Option<quinn::ServerConfig>,
    buffer_bytes: usize,
) -> io::Result<Endpoint> {
    let socket = UdpSocket::bind(address)?;
    // A smaller buffer than asked for only makes bursts riskier, so a refusal is no error.
    let _ = sockopt::set_socket_recv_buffer_size(&socket, buffer_bytes);
    let _ = sockopt::set_socket_send_buffer_size(&socket, buffer_bytes);
    Endpoint::new(EndpointConfig::default(), server, socket, Arc::new(TokioRuntime))
}

/// The unspecified address of the family of `remote`, with a port that the system chooses.
pub(crate) fn any_local(remote: SocketAddr) -> SocketAddr {
    match remote {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
