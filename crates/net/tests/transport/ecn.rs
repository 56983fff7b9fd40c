//! What goes out says that it answers to marks, and marks are counted.

use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use quinn::udp::{EcnCodepoint, RecvMeta, Transmit, UdpSocketState};

use crate::support::{Sharer, Wire, join, on_net, quick};

/// Forwards UDP between one helper and the sharer as a router does: with the bits of congestion
/// notification, which it counts, and marked when told so.
struct Router {
    address: SocketAddr,
    marks: Arc<AtomicBool>,
    /// Packets to the helper that were ECT(1), and all others.
    seen: Arc<[AtomicU64; 2]>,
}

impl Router {
    fn to(sharer: SocketAddr) -> Self {
        let [near, far] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let (address, helper) = (near.local_addr().unwrap(), Arc::new(Mutex::new(sharer)));
        let router = Self { address, marks: Arc::default(), seen: Arc::default() };
        let (near, far) = (Port::new(near), Port::new(far));
        let (near_too, far_too, helper_up) = (near.clone(), far.clone(), helper.clone());
        std::thread::spawn(move || {
            near_too.forward(|from, packet, ecn| {
                *helper_up.lock().unwrap() = from;
                far_too.send(sharer, packet, ecn);
            });
        });
        let (marks, seen) = (router.marks.clone(), router.seen.clone());
        std::thread::spawn(move || {
            far.forward(|_, packet, ecn| {
                let is_other = usize::from(ecn != Some(EcnCodepoint::Ect1));
                seen[is_other].fetch_add(1, Ordering::Relaxed);
                let ecn = ecn.map(|ecn| match marks.load(Ordering::Relaxed) {
                    true => EcnCodepoint::Ce,
                    false => ecn,
                });
                near.send(*helper.lock().unwrap(), packet, ecn);
            });
        });
        router
    }

    fn seen(&self) -> [u64; 2] {
        [0, 1].map(|i| self.seen[i].load(Ordering::Relaxed))
    }
}

#[derive(Clone)]
struct Port(Arc<(UdpSocket, UdpSocketState)>);

impl Port {
    fn new(socket: UdpSocket) -> Self {
        let state = UdpSocketState::new((&socket).into()).unwrap();
        Self(Arc::new((socket, state)))
    }

    fn send(&self, destination: SocketAddr, contents: &[u8], ecn: Option<EcnCodepoint>) {
        let (socket, state) = &*self.0;
        let transmit = Transmit { destination, ecn, contents, segment_size: None, src_ip: None };
        let _ = state.send(socket.into(), &transmit);
    }

    /// Calls with every packet that comes, until the process ends.
    fn forward(&self, mut take: impl FnMut(SocketAddr, &[u8], Option<EcnCodepoint>)) {
        let (socket, state) = &*self.0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let (mut meta, mut slices) = ([RecvMeta::default()], [IoSliceMut::new(&mut buffer)]);
            if state.recv(socket.into(), &mut slices, &mut meta).is_err() {
                std::thread::sleep(Duration::from_micros(200));
                continue;
            }
            let [RecvMeta { addr, len, stride, ecn, .. }] = meta;
            buffer[..len].chunks(stride.max(1)).for_each(|packet| take(addr, packet, ecn));
        }
    }
}

#[test]
fn media_is_ect_1_and_marks_are_counted_at_the_helper() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let router = Router::to(sharer.address);
        let invitation = sharer.invite_to(&[router.address.to_string()]);
        let far = join(&invitation, &quick()).await.unwrap();
        let near = sharer.listener.accept().await.unwrap();
        let carry = async |count: usize| {
            for _ in 0..count {
                near.send_datagram(Bytes::from_static(&[7; 800])).await.unwrap();
                far.read_datagram().await.unwrap();
            }
        };
        carry(100).await;
        assert_eq!(far.stats().marked_packets, 0);
        router.marks.store(true, Ordering::Relaxed);
        carry(100).await;
        let marked = far.stats().marked_packets;
        assert!(marked >= 100, "{marked} packets marked");
        router.marks.store(false, Ordering::Relaxed);
        carry(100).await;
        let more = far.stats().marked_packets - marked;
        assert!(more <= 5, "{more} more that were on their way");
        // Marked packets look as sent to QUIC, so it went on.
        let [ect_1, other] = router.seen();
        assert!(ect_1 > 300 && other == 0, "{ect_1} packets ECT(1), {other} others");
    });
}

#[test]
fn a_path_that_clears_the_bits_carries_on_without() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let wire = Wire::to(sharer.address);
        let invitation = sharer.invite_to(&[wire.address.to_string()]);
        let far = join(&invitation, &quick()).await.unwrap();
        let near = sharer.listener.accept().await.unwrap();
        for _ in 0..100 {
            near.send_datagram(Bytes::from_static(&[7; 800])).await.unwrap();
            far.read_datagram().await.unwrap();
        }
        assert_eq!(far.stats().marked_packets, 0);
    });
}
