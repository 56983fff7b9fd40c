//! UDP sockets, handed to quinn.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, TokioRuntime};

use crate::ecn::{EcnSocket, Marks};
use crate::network::Network;

/// A socket on `address` whose packets are ECT(1); must be called inside the network thread's
/// runtime.
pub(crate) fn bind(
    network: &dyn Network,
    address: SocketAddr,
    marks: &Marks,
) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    Ok(Arc::new(EcnSocket::new(network.bind(address)?, marks.clone())))
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

/// The unspecified address of the family of `remote`, with a port that the system chooses.
pub(crate) fn any_local(remote: SocketAddr) -> SocketAddr {
    match remote {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
