//! A machine of a virtual network, with sockets for QUIC and for relays.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::sync::mpsc;
use webrtc_util::vnet::net::Net;

use crate::network::Network;
use crate::path::mux::AlwaysWritable;

/// Packets that wait each way; what comes then is lost.
const QUEUE: usize = 512;
/// The longest packet.
const PACKET_BYTES: usize = 2048;
/// The first port given to a socket that asks for any.
const FIRST_PORT: u16 = 40_000;

type Packet = (SocketAddr, Vec<u8>);

/// A machine with one address of IPv4.
pub(super) struct Host {
    net: Arc<Net>,
    ip: IpAddr,
    next_port: AtomicU16,
}

impl Host {
    pub(super) fn new(net: Arc<Net>, ip: IpAddr) -> Arc<Self> {
        Arc::new(Self { net, ip, next_port: AtomicU16::new(FIRST_PORT) })
    }

    pub(super) fn ip(&self) -> IpAddr {
        self.ip
    }

    pub(super) fn net(&self) -> Arc<Net> {
        self.net.clone()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", self.ip)
    }
}

impl Network for Host {
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        if address.is_ipv6() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let port = match address.port() {
            0 => self.next_port.fetch_add(1, Ordering::Relaxed),
            port => port,
        };
        let local = SocketAddr::new(address.ip(), port);
        let (out, to_send) = mpsc::channel(QUEUE);
        let (received, into) = mpsc::channel(QUEUE);
        tokio::spawn(carry(self.net(), local, to_send, received));
        Ok(Arc::new(Socket { local, out, into: Mutex::new(into) }))
    }

    fn outward(&self, remote: SocketAddr) -> Option<IpAddr> {
        remote.is_ipv4().then_some(self.ip)
    }
}

/// Moves packets between a socket and the network, until the socket is dropped.
async fn carry(
    net: Arc<Net>,
    local: SocketAddr,
    mut out: mpsc::Receiver<Packet>,
    into: mpsc::Sender<Packet>,
) {
    let conn = net.bind(local).await.expect("no port is given twice");
    let mut buffer = vec![0; PACKET_BYTES];
    loop {
        tokio::select! {
            packet = out.recv() => {
                let Some((to, data)) = packet else { break };
                let _ = conn.send_to(&data, to).await;
            }
            Ok((bytes, from)) = conn.recv_from(&mut buffer) => {
                let _ = into.try_send((from, buffer[..bytes].to_vec()));
            }
        }
    }
    let _ = conn.close().await;
}

#[derive(Debug)]
struct Socket {
    local: SocketAddr,
    out: mpsc::Sender<Packet>,
    into: Mutex<mpsc::Receiver<Packet>>,
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let _ = self.out.try_send((transmit.destination, transmit.contents.to_vec()));
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut into = self.into.lock().unwrap();
        let mut reads = 0;
        while reads < bufs.len().min(meta.len()) {
            let Poll::Ready(Some((addr, data))) = into.poll_recv(cx) else { break };
            let len = data.len();
            bufs[reads][..len].copy_from_slice(&data);
            meta[reads] = RecvMeta { addr, len, stride: len, ecn: None, dst_ip: None };
            reads += 1;
        }
        if reads > 0 { Poll::Ready(Ok(reads)) } else { Poll::Pending }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}
