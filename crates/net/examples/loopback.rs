//! Measures a link over loopback: one-way latency, throughput, CPU, idle cost.
//!
//! `cargo run --release -p farpane-net --example loopback [SEND_BUFFER_BYTES]`

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farpane_net::{
    CloseReason, Connection, Identity, Invitations, Link, LinkHandle, LinkSink, Listener,
    NetConfig, NetThread, connect,
};
use rustix::time::{ClockId, clock_gettime};

const LATENCY_SAMPLES: usize = 3000;
const LATENCY_DATAGRAM_BYTES: usize = 200;
const THROUGHPUT_DATAGRAM_BYTES: usize = 1150;
const THROUGHPUT_DATAGRAMS: usize = 200_000;
const IDLE: Duration = Duration::from_secs(10);

enum Note {
    Arrived(Instant),
    Batch(usize),
    Drained,
}

/// Notes each arrival at once, or counts them until the batch ends.
struct Probe {
    notes: Sender<Note>,
    in_batch: usize,
}

impl LinkSink for Probe {
    fn datagram(&mut self, _now_us: u64, bytes: Bytes) {
        if bytes.len() == LATENCY_DATAGRAM_BYTES {
            let _ = self.notes.send(Note::Arrived(Instant::now()));
        } else {
            self.in_batch += 1;
        }
    }

    fn batch_end(&mut self) {
        let count = std::mem::take(&mut self.in_batch);
        if count > 0 {
            let _ = self.notes.send(Note::Batch(count));
        }
    }

    fn control(&mut self, _bytes: Bytes) {}

    fn blob(&mut self, _kind: u8, _bytes: Bytes) {}

    fn mtu(&mut self, _max_datagram_bytes: usize) {}

    fn drained(&mut self) {
        let _ = self.notes.send(Note::Drained);
    }

    fn closed(&mut self, _reason: CloseReason) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = NetConfig::default();
    if let Some(bytes) = std::env::args().nth(1) {
        config.limits.datagram_send_buffer_bytes = bytes.parse()?;
    }
    println!("send buffer {} bytes", config.limits.datagram_send_buffer_bytes);
    let (sharer_net, helper_net) = (NetThread::start()?, NetThread::start()?);
    let (sharer, helper) = join(&sharer_net, &helper_net, config)?;
    let (sharer, sharer_notes) = link(sharer);
    let (_helper, helper_notes) = link(helper);
    latency(&sharer, &helper_notes);
    throughput(&sharer, &sharer_notes, &helper_notes);
    idle(&sharer);
    Ok(())
}

fn join(
    sharer_net: &NetThread,
    helper_net: &NetThread,
    config: NetConfig,
) -> Result<(Connection, Connection), Box<dyn std::error::Error>> {
    let identity = Identity::generate()?;
    let invitations = Invitations::new();
    let key = identity.public_key();
    let (list, settings) = (invitations.clone(), config.clone());
    let any = ([127, 0, 0, 1], 0).into();
    let listener =
        sharer_net.run(async move { Listener::bind(any, &identity, list, settings).await })??;
    let address = listener.local_address()?.to_string();
    let invitation = invitations.issue(key, vec![address], Duration::from_secs(60))?;
    let helper = Identity::generate()?;
    let started = Instant::now();
    let near = helper_net.run(async move { connect(&invitation, &helper, &config).await })??;
    println!("connected and confirmed in {:?}", started.elapsed());
    let far = sharer_net.run(async move { listener.accept().await })?;
    Ok((far.ok_or("the listener is gone")?, near))
}

fn link(connection: Connection) -> (LinkHandle, Receiver<Note>) {
    let (notes, heard) = channel();
    let probe = Probe { notes, in_batch: 0 };
    (Link::spawn(connection, probe), heard)
}

fn latency(sharer: &LinkHandle, helper_notes: &Receiver<Note>) {
    let datagram = Bytes::from(vec![7; LATENCY_DATAGRAM_BYTES]);
    let mut spans: Vec<Duration> = Vec::with_capacity(LATENCY_SAMPLES);
    let before = cpu();
    for _ in 0..LATENCY_SAMPLES {
        std::thread::sleep(Duration::from_millis(1));
        let sent = Instant::now();
        sharer.send_datagrams([datagram.clone()]);
        while let Ok(note) = helper_notes.recv_timeout(Duration::from_secs(1)) {
            if let Note::Arrived(at) = note {
                spans.push(at - sent);
                break;
            }
        }
    }
    let used = cpu() - before;
    spans.sort_unstable();
    let quantile = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
    println!(
        "{LATENCY_DATAGRAM_BYTES}-byte datagram, send call to sink, {} of {LATENCY_SAMPLES}: \
         p50 {:?}, p95 {:?}, p99 {:?}; {:.1} us of CPU each, both ends",
        spans.len(),
        quantile(0.5),
        quantile(0.95),
        quantile(0.99),
        used.as_secs_f64() * 1e6 / LATENCY_SAMPLES as f64,
    );
}

fn throughput(sharer: &LinkHandle, sharer_notes: &Receiver<Note>, helper_notes: &Receiver<Note>) {
    let datagram = Bytes::from(vec![7; THROUGHPUT_DATAGRAM_BYTES]);
    let (started, before) = (Instant::now(), cpu());
    let mut sent = 0;
    while sent < THROUGHPUT_DATAGRAMS {
        let batch = std::iter::repeat_n(datagram.clone(), (THROUGHPUT_DATAGRAMS - sent).min(64));
        match sharer.send_datagrams(batch) {
            0 => while !matches!(sharer_notes.recv(), Ok(Note::Drained) | Err(_)) {},
            accepted => sent += accepted,
        }
    }
    let mut arrived = 0;
    while arrived < sent {
        match helper_notes.recv_timeout(Duration::from_secs(1)) {
            Ok(Note::Batch(count)) => arrived += count,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let (elapsed, used) = (started.elapsed(), cpu() - before);
    let megabytes = (arrived * THROUGHPUT_DATAGRAM_BYTES) as f64 / 1e6;
    let stats = sharer.stats().connection;
    println!(
        "{arrived} of {sent} datagrams of {THROUGHPUT_DATAGRAM_BYTES} bytes: {:.0} MB/s, {:.2} ms \
         of CPU per MB, both ends; {} packets lost",
        megabytes / elapsed.as_secs_f64(),
        used.as_secs_f64() * 1e3 / megabytes,
        stats.lost_packets,
    );
    println!("{stats:?}");
}

fn idle(sharer: &LinkHandle) {
    let (before, packets) = (cpu(), sharer.stats().connection);
    std::thread::sleep(IDLE);
    let (used, now) = (cpu() - before, sharer.stats().connection);
    println!(
        "idle {IDLE:?}: {used:?} of CPU, both ends; the sharer sent {} and received {} packets",
        now.udp_sent - packets.udp_sent,
        now.udp_received - packets.udp_received,
    );
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
