//! UDP sockets with large kernel buffers, handed to quinn.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::{Endpoint, EndpointConfig, Runtime, TokioRuntime};
use rustix::net::sockopt;

use crate::ecn::{EcnSocket, Marks};

/// An endpoint on `address`, and what arrives there marked; must be called inside the network
/// thread's runtime.
pub(crate) fn bind(
    address: SocketAddr,
    server: Option<quinn::ServerConfig>,
    buffer_bytes: usize,
) -> io::Result<(Endpoint, Marks)> {
    let socket = UdpSocket::bind(address)?;
    // A smaller buffer than asked for only makes bursts riskier, so a refusal is no error.
    let _ = sockopt::set_socket_recv_buffer_size(&socket, buffer_bytes);
    let _ = sockopt::set_socket_send_buffer_size(&socket, buffer_bytes);
    let marks = Marks::default();
    let socket = EcnSocket::new(TokioRuntime.wrap_udp_socket(socket)?, marks.clone());
    let (socket, runtime) = (Arc::new(socket), Arc::new(TokioRuntime));
    let endpoint =
        Endpoint::new_with_abstract_socket(EndpointConfig::default(), server, socket, runtime)?;
    Ok((endpoint, marks))
}

/// The unspecified address of the family of `remote`, with a port that the system chooses.
pub(crate) fn any_local(remote: SocketAddr) -> SocketAddr {
    match remote {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
