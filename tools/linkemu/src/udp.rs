//! UDP through a link.

use crate::schedule::{Lateness, SPIN, Schedule, Way, wait_until};
use crate::{Path, Proxy};
use anyhow::Context;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use farpane_linksim::{Ecn, Packet};
use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What IP and UDP add to a datagram.
const HEADER_BYTES: u32 = 28;
/// Datagrams read and not yet in a link; beyond it the kernel's buffer fills and drops.
const ARRIVALS: usize = 4_096;
/// Those who may send at once; further ones are ignored.
const MAX_CLIENTS: usize = 256;
/// How often blocked threads look whether they are to end.
const LOOK: Duration = Duration::from_millis(100);

struct Arrival {
    at: Instant,
    way: Way,
    client: SocketAddr,
    data: Vec<u8>,
}

/// A proxy of UDP.
pub enum UdpProxy {}

impl UdpProxy {
    /// Takes datagrams at `listen` and passes them on to `to`, and the answers back.
    ///
    /// # Errors
    /// An address cannot be used.
    pub fn start(listen: SocketAddr, to: SocketAddr, path: Path) -> anyhow::Result<Proxy> {
        let socket = UdpSocket::bind(listen).with_context(|| format!("cannot use {listen}"))?;
        let address = socket.local_addr()?;
        socket.set_read_timeout(Some(LOOK))?;
        let socket = Arc::new(socket);
        let ends = Arc::new(AtomicBool::new(false));
        let (arrivals, waiting) = bounded(ARRIVALS);
        let reader = {
            let (socket, ends) = (Arc::clone(&socket), Arc::clone(&ends));
            let arrivals = arrivals.clone();
            std::thread::spawn(move || {
                let from = |from| Some((Way::Up, from));
                read(&socket, &ends, &arrivals, from);
                Lateness::default()
            })
        };
        let mut relay =
            Relay { socket, to, ends: Arc::clone(&ends), arrivals, clients: HashMap::new() };
        let scheduler = std::thread::spawn(move || relay.run(&waiting, Schedule::new(path)));
        Ok(Proxy::new(address, ends, [reader, scheduler]))
    }
}

/// Reads until the end; `place` says which way a datagram of a sender goes, and for whom.
fn read(
    socket: &UdpSocket,
    ends: &AtomicBool,
    arrivals: &Sender<Arrival>,
    place: impl Fn(SocketAddr) -> Option<(Way, SocketAddr)>,
) {
    let mut buffer = vec![0; 65_536];
    while !ends.load(Ordering::Relaxed) {
        let Ok((bytes, from)) = socket.recv_from(&mut buffer) else { continue };
        let Some((way, client)) = place(from) else { continue };
        let arrival = Arrival { at: Instant::now(), way, client, data: buffer[..bytes].to_vec() };
        if arrivals.send(arrival).is_err() {
            return;
        }
    }
}

struct Relay {
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    ends: Arc<AtomicBool>,
    arrivals: Sender<Arrival>,
    /// A socket towards the other side for each who sends, so that answers find their way.
    clients: HashMap<SocketAddr, Arc<UdpSocket>>,
}

impl Relay {
    fn run(
        &mut self,
        waiting: &Receiver<Arrival>,
        mut schedule: Schedule<(SocketAddr, Vec<u8>)>,
    ) -> Lateness {
        let mut readers = Vec::new();
        while !self.ends.load(Ordering::Relaxed) {
            let next = schedule.next();
            let until = next.map_or_else(|| Instant::now() + LOOK, |at| at - SPIN);
            match waiting.recv_deadline(until) {
                Ok(Arrival { at, way, client, data }) => {
                    if way == Way::Up && !self.clients.contains_key(&client) {
                        match self.open(client) {
                            Ok(reader) => readers.push(reader),
                            Err(_) => continue,
                        }
                    }
                    let bytes = data.len() as u32 + HEADER_BYTES;
                    let packet = Packet { bytes, ecn: Ecn::NotEct, payload: (client, data) };
                    schedule.send(at, way, packet);
                }
                Err(RecvTimeoutError::Timeout) => next.into_iter().for_each(wait_until),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some((way, (client, data))) = schedule.poll() {
                // A side that is gone loses its datagrams, as on any network.
                let _ = match (way, self.clients.get(&client)) {
                    (Way::Up, Some(socket)) => socket.send(&data),
                    (_, _) => self.socket.send_to(&data, client),
                };
            }
        }
        for reader in readers {
            let _ = reader.join();
        }
        schedule.lateness().clone()
    }

    fn open(&mut self, client: SocketAddr) -> anyhow::Result<JoinHandle<()>> {
        anyhow::ensure!(self.clients.len() < MAX_CLIENTS, "too many senders");
        let any: SocketAddr = match self.to {
            SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            SocketAddr::V6(_) => ([0u16; 8], 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(self.to)?;
        socket.set_read_timeout(Some(LOOK))?;
        let socket = Arc::new(socket);
        self.clients.insert(client, Arc::clone(&socket));
        let (ends, arrivals) = (Arc::clone(&self.ends), self.arrivals.clone());
        Ok(std::thread::spawn(move || {
            read(&socket, &ends, &arrivals, |_| Some((Way::Down, client)));
        }))
    }
}
