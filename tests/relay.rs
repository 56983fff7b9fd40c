//! A network between sharer and helper that can be made bad.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a thread that waits for datagrams looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);
/// Longest datagram there is.
const MAX_DATAGRAM_BYTES: usize = 65_535;

/// Passes datagrams between helpers and one sharer, both ways, on loopback.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    /// Datagrams lost, of 100.
    loss_percent: AtomicU32,
    seen: AtomicU64,
}

impl Relay {
    /// A perfect way to `sharer`.
    ///
    /// # Panics
    /// When the system gives no socket.
    pub fn to(sharer: SocketAddr) -> Self {
        let front = Arc::new(socket().expect("a socket"));
        let address = front.local_addr().expect("a bound socket");
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            loss_percent: AtomicU32::new(0),
            seen: AtomicU64::new(0),
        });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || forward(&front, sharer, &shared)
        });
        Self { address, shared, threads: vec![thread] }
    }

    /// Where helpers find it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Loses this share of all datagrams from now on, evenly spread; 100 is a cut cable.
    pub fn lose(&self, percent: u32) {
        self.shared.loss_percent.store(percent, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.threads.drain(..).for_each(|thread| {
            let _ = thread.join();
        });
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Whether the next datagram gets through.
    fn passes(&self) -> bool {
        let n = self.seen.fetch_add(1, Ordering::SeqCst);
        // Spread over the hundred (37 is prime to 100), the same in every run.
        (n.wrapping_mul(37) % 100) as u32 >= self.loss_percent.load(Ordering::SeqCst)
    }
}

/// From helpers to the sharer; starts the way back for each helper.
fn forward(front: &Arc<UdpSocket>, sharer: SocketAddr, shared: &Arc<Shared>) {
    let mut ways: HashMap<SocketAddr, (Arc<UdpSocket>, JoinHandle<()>)> = HashMap::new();
    let mut datagram = vec![0; MAX_DATAGRAM_BYTES];
    while !shared.is_over() {
        let Ok((len, helper)) = front.recv_from(&mut datagram) else { continue };
        let (way, _) = ways.entry(helper).or_insert_with(|| {
            let way = Arc::new(socket().expect("a socket"));
            let (back, front, shared) = (way.clone(), front.clone(), shared.clone());
            (way, std::thread::spawn(move || backward(&back, &front, helper, &shared)))
        });
        if shared.passes() {
            let _ = way.send_to(&datagram[..len], sharer);
        }
    }
    ways.into_values().for_each(|(_, thread)| {
        let _ = thread.join();
    });
}

/// From the sharer to one helper.
fn backward(way: &UdpSocket, front: &UdpSocket, helper: SocketAddr, shared: &Shared) {
    let mut datagram = vec![0; MAX_DATAGRAM_BYTES];
    while !shared.is_over() {
        let Ok(len) = way.recv(&mut datagram) else { continue };
        if shared.passes() {
            let _ = front.send_to(&datagram[..len], helper);
        }
    }
}

fn socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(LOOK))?;
    Ok(socket)
}
