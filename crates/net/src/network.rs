//! Where an end's UDP sockets come from.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};
use rustix::net::sockopt;

use crate::endpoint::any_local;

/// What a machine is connected to.
pub(crate) trait Network: fmt::Debug + Send + Sync {
    /// A socket on `address`; must be called inside the network thread's runtime.
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>>;

    /// The address of this machine that packets to `remote` leave from. Sends nothing.
    fn outward(&self, remote: SocketAddr) -> Option<IpAddr>;
}

/// This machine's own network, with kernel buffers of this size on every socket, each way.
pub(crate) fn system(buffer_bytes: usize) -> Arc<dyn Network> {
    Arc::new(System { buffer_bytes })
}

#[derive(Debug)]
struct System {
    buffer_bytes: usize,
}

impl Network for System {
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket = UdpSocket::bind(address)?;
        // A smaller buffer than asked for only makes bursts riskier, so a refusal is no error.
        let _ = sockopt::set_socket_recv_buffer_size(&socket, self.buffer_bytes);
        let _ = sockopt::set_socket_send_buffer_size(&socket, self.buffer_bytes);
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn outward(&self, remote: SocketAddr) -> Option<IpAddr> {
        let socket = UdpSocket::bind(any_local(remote)).ok()?;
        // Connecting a UDP socket sends nothing.
        socket.connect(remote).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    }
}
