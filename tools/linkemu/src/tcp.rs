//! TCP through a link: bytes wait, and nothing is lost.

use crate::schedule::{Lateness, SPIN, Schedule, Way, wait_until};
use crate::{Path, Proxy};
use anyhow::Context;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use farpane_linksim::{Ecn, LinkConfig, Loss, Packet, QueueKind};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes read at once: a segment.
const SEGMENT_BYTES: usize = 1_400;
/// What headers add to a segment.
const HEADER_BYTES: u32 = 52;
/// Bytes of a direction that may wait in the link; what comes beyond stays with the sender.
const MAX_WAITING_BYTES: usize = 64 << 10;
/// Segments read and not yet in a link.
const ARRIVALS: usize = 1_024;
/// Connections at once.
const MAX_CONNECTIONS: usize = 64;
/// How often blocked threads look whether they are to end, or whether there is room again.
const LOOK: Duration = Duration::from_millis(50);
const ROOM: Duration = Duration::from_millis(1);

/// A segment, or the end of a direction when it is empty.
struct Segment {
    at: Instant,
    way: Way,
    connection: u64,
    data: Vec<u8>,
}

enum Event {
    Opened(u64, Ends),
    Segment(Segment),
}

/// Both sides of a connection and what waits in the link towards each.
#[derive(Clone)]
struct Ends {
    streams: [Arc<TcpStream>; 2],
    waiting: [Arc<AtomicUsize>; 2],
}

/// A proxy of TCP; when it ends, all connections do.
///
/// Losses, blackouts and bounds of the queue are left out: TCP would hide them, and what they do
/// to its delay is in `farpane_linksim::TcpPipe`.
pub enum TcpProxy {}

impl TcpProxy {
    /// Takes connections at `listen` and passes them on to `to`.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn start(listen: SocketAddr, to: SocketAddr, path: Path) -> anyhow::Result<Proxy> {
        let listener = TcpListener::bind(listen).with_context(|| format!("cannot use {listen}"))?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let ends = Arc::new(AtomicBool::new(false));
        let (events, waiting) = bounded(ARRIVALS);
        let path = Path { up: lossless(path.up), down: lossless(path.down) };
        let (accepts, runs) = (Arc::clone(&ends), Arc::clone(&ends));
        let acceptor = std::thread::spawn(move || {
            accept(&listener, to, &accepts, &events);
            Lateness::default()
        });
        let scheduler = std::thread::spawn(move || run(&waiting, Schedule::new(path), &runs));
        Ok(Proxy::new(address, ends, [acceptor, scheduler]))
    }
}

fn lossless(link: LinkConfig) -> LinkConfig {
    LinkConfig {
        queue: QueueKind::DropTail { bytes: u64::MAX },
        loss: Loss::None,
        policer: None,
        blackouts: Vec::new(),
        ..link
    }
}

fn accept(listener: &TcpListener, to: SocketAddr, ends: &Arc<AtomicBool>, events: &Sender<Event>) {
    let (mut readers, mut count) = (Vec::<JoinHandle<()>>::new(), 0);
    while !ends.load(Ordering::Relaxed) {
        readers.retain(|reader| !reader.is_finished());
        let Ok((client, _)) = listener.accept() else {
            std::thread::sleep(LOOK);
            continue;
        };
        if readers.len() >= 2 * MAX_CONNECTIONS {
            continue;
        }
        count += 1;
        if let Ok(opened) = open(client, to) {
            if events.send(Event::Opened(count, opened.clone())).is_err() {
                return;
            }
            for way in [Way::Up, Way::Down] {
                let (opened, ends, events) = (opened.clone(), Arc::clone(ends), events.clone());
                readers.push(std::thread::spawn(move || {
                    read(count, way, &opened, &ends, &events);
                }));
            }
        }
    }
    for reader in readers {
        let _ = reader.join();
    }
}

fn open(client: TcpStream, to: SocketAddr) -> std::io::Result<Ends> {
    let server = TcpStream::connect(to)?;
    for stream in [&client, &server] {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK))?;
    }
    Ok(Ends { streams: [Arc::new(client), Arc::new(server)], waiting: Default::default() })
}

/// Reads what goes one way until the end of the stream.
fn read(connection: u64, way: Way, opened: &Ends, ends: &AtomicBool, events: &Sender<Event>) {
    let (mut stream, waiting) = (&*opened.streams[way as usize], &opened.waiting[way as usize]);
    let mut buffer = [0; SEGMENT_BYTES];
    while !ends.load(Ordering::Relaxed) {
        if waiting.load(Ordering::Relaxed) > MAX_WAITING_BYTES {
            std::thread::sleep(ROOM);
            continue;
        }
        let bytes = match stream.read(&mut buffer) {
            Ok(bytes) => bytes,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => 0,
        };
        waiting.fetch_add(bytes, Ordering::Relaxed);
        let data = buffer[..bytes].to_vec();
        let segment = Segment { at: Instant::now(), way, connection, data };
        if events.send(Event::Segment(segment)).is_err() || bytes == 0 {
            return;
        }
    }
}

fn run(
    events: &Receiver<Event>,
    mut schedule: Schedule<(u64, Vec<u8>)>,
    ends: &AtomicBool,
) -> Lateness {
    let mut open: HashMap<u64, (Ends, u8)> = HashMap::new();
    while !ends.load(Ordering::Relaxed) {
        let next = schedule.next();
        let until = next.map_or_else(|| Instant::now() + LOOK, |at| at - SPIN);
        match events.recv_deadline(until) {
            Ok(Event::Opened(connection, ends)) => {
                open.insert(connection, (ends, 0));
            }
            Ok(Event::Segment(Segment { at, way, connection, data })) => {
                let bytes = data.len() as u32 + HEADER_BYTES;
                let payload = (connection, data);
                schedule.send(at, way, Packet { bytes, ecn: Ecn::NotEct, payload });
            }
            Err(RecvTimeoutError::Timeout) => next.into_iter().for_each(wait_until),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        while let Some((way, (connection, data))) = schedule.poll() {
            let Some((ends, ended)) = open.get_mut(&connection) else { continue };
            let mut target = &*ends.streams[1 - way as usize];
            let failed = !data.is_empty() && target.write_all(&data).is_err();
            ends.waiting[way as usize].fetch_sub(data.len(), Ordering::Relaxed);
            if data.is_empty() || failed {
                let _ = target.shutdown(Shutdown::Write);
                *ended += 1;
            }
            if *ended >= 2 {
                open.remove(&connection);
            }
        }
    }
    for (ends, _) in open.values() {
        for stream in &ends.streams {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
    schedule.lateness().clone()
}
