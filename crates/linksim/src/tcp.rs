//! One TCP connection, one way: what head-of-line blocking and retransmission do to a stream.
//!
//! A model, not an implementation: no handshake, no options, no wire format. Data is kept in one
//! place and packets carry only its position. What it does have is what one feels: a congestion
//! window (slow start, then one segment a round trip, times 0.7 at a loss, as RFC 9438 asks of a
//! decrease), losses found by time (RFC 8985), a retransmission timeout (RFC 6298), and bytes that
//! wait for those before them.

use crate::{MS, Ns, US};
use std::collections::{BTreeMap, VecDeque};

/// A segment on the way, or its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpPacket {
    /// Bytes from `position` on.
    Data {
        /// Bytes of the stream before it.
        position: u64,
        /// How many.
        bytes: u32,
    },
    /// The receiver's answer to one segment.
    Ack {
        /// All bytes before this one are there.
        next: u64,
        /// The segment that it answers.
        segment: u64,
    },
}

/// How a connection is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpPipeConfig {
    /// Bytes of data in a segment. Default 1,400.
    pub segment_bytes: u32,
    /// What headers add to a segment, and the size of an acknowledgement. Default 52.
    pub header_bytes: u32,
    /// Bytes that may wait to be sent for the first time (`TCP_NOTSENT_LOWAT`). Default 16 KiB.
    pub unsent_bytes: usize,
    /// The largest congestion window. Default 4 MiB.
    pub max_window_bytes: u64,
}

impl Default for TcpPipeConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1_400,
            header_bytes: 52,
            unsent_bytes: 16 << 10,
            max_window_bytes: 4 << 20,
        }
    }
}

/// Segments in the first window (RFC 6928).
const INITIAL_SEGMENTS: u64 = 10;
/// The least retransmission timeout, as Linux has it; the most.
const MIN_RTO: Ns = 200 * MS;
const MAX_RTO: Ns = 60_000 * MS;

#[derive(Debug)]
struct Segment {
    bytes: u32,
    sent: Ns,
    arrived: bool,
    lost: bool,
    repeated: bool,
}

/// A connection that carries bytes from its sender to its receiver.
///
/// After `write`, `handle` and `handle_timeout`, drain [`poll_transmit`](Self::poll_transmit):
/// data goes on the link to the receiver, acknowledgements on the one back. What the links
/// deliver goes to [`handle`](Self::handle).
#[derive(Debug)]
pub struct TcpPipe {
    config: TcpPipeConfig,
    /// Bytes from `read` on.
    stream: VecDeque<u8>,
    /// The receiver has read all bytes before this one; has all before `received`.
    read: u64,
    received: u64,
    /// What the receiver has behind a hole: position and end.
    held: BTreeMap<u64, u64>,
    /// The sender has sent all bytes before this one, and knows of all before `acked` that they
    /// are there.
    sent: u64,
    acked: u64,
    segments: BTreeMap<u64, Segment>,
    in_flight: u64,
    window: u64,
    threshold: u64,
    /// Losses of segments sent before this time belong to a reduction already made.
    reduced: Ns,
    srtt: Ns,
    rttvar: Ns,
    backoff: u32,
    timeout: Option<Ns>,
    acks: VecDeque<TcpPacket>,
}

impl TcpPipe {
    /// A connection that has just been opened.
    pub fn new(config: TcpPipeConfig) -> Self {
        Self {
            stream: VecDeque::new(),
            read: 0,
            received: 0,
            held: BTreeMap::new(),
            sent: 0,
            acked: 0,
            segments: BTreeMap::new(),
            in_flight: 0,
            window: INITIAL_SEGMENTS * u64::from(config.segment_bytes),
            threshold: u64::MAX,
            reduced: 0,
            srtt: 0,
            rttvar: 0,
            backoff: 0,
            timeout: None,
            acks: VecDeque::new(),
            config,
        }
    }

    /// Gives bytes to the sender; how many it took.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let unsent = (self.read + self.stream.len() as u64 - self.sent) as usize;
        let taken = bytes.len().min(self.config.unsent_bytes.saturating_sub(unsent));
        self.stream.extend(&bytes[..taken]);
        taken
    }

    /// Takes what the receiver has in order.
    pub fn read(&mut self) -> Vec<u8> {
        let bytes = (self.received - self.read) as usize;
        self.read = self.received;
        self.stream.drain(..bytes).collect()
    }

    /// The next packet to put on a link, and its size there.
    pub fn poll_transmit(&mut self, now: Ns) -> Option<(TcpPacket, u32)> {
        if let Some(ack) = self.acks.pop_front() {
            return Some((ack, self.config.header_bytes));
        }
        let lost = self.segments.iter().find(|(_, s)| s.lost && !s.arrived);
        let lost = lost.map(|(position, segment)| (*position, segment.bytes));
        let (position, bytes) = match lost {
            // The first one goes out whatever the window is.
            Some((position, bytes)) if self.has_room(bytes) || self.in_flight == 0 => {
                (position, bytes)
            }
            Some(_) => return None,
            None => self.fresh()?,
        };
        let repeated = lost.is_some();
        let segment = Segment { bytes, sent: now, arrived: false, lost: false, repeated };
        self.segments.insert(position, segment);
        self.in_flight += u64::from(bytes);
        self.timeout.get_or_insert(now + self.rto());
        Some((TcpPacket::Data { position, bytes }, bytes + self.config.header_bytes))
    }

    fn fresh(&mut self) -> Option<(u64, u32)> {
        let unsent = self.read + self.stream.len() as u64 - self.sent;
        let bytes = unsent.min(u64::from(self.config.segment_bytes)) as u32;
        if bytes == 0 || !self.has_room(bytes) {
            return None;
        }
        let position = self.sent;
        self.sent += u64::from(bytes);
        Some((position, bytes))
    }

    fn has_room(&self, bytes: u32) -> bool {
        self.in_flight + u64::from(bytes) <= self.window
    }

    /// A packet came out of a link.
    pub fn handle(&mut self, now: Ns, packet: TcpPacket) {
        match packet {
            TcpPacket::Data { position, bytes } => self.handle_data(position, bytes),
            TcpPacket::Ack { next, segment } => self.handle_ack(now, next, segment),
        }
    }

    fn handle_data(&mut self, position: u64, bytes: u32) {
        let end = position + u64::from(bytes);
        if end > self.received {
            self.held.insert(position, end);
        }
        while let Some(entry) = self.held.first_entry() {
            if *entry.key() > self.received {
                break;
            }
            self.received = self.received.max(entry.remove());
        }
        self.acks.push_back(TcpPacket::Ack { next: self.received, segment: position });
    }

    fn handle_ack(&mut self, now: Ns, next: u64, segment: u64) {
        let mut newest = None;
        if let Some(segment) = self.segments.get_mut(&segment).filter(|s| !s.arrived) {
            segment.arrived = true;
            newest = Some(segment.sent);
            let (sent, bytes, repeated, lost) =
                (segment.sent, u64::from(segment.bytes), segment.repeated, segment.lost);
            if !lost {
                self.in_flight -= bytes;
            }
            if !repeated {
                self.measure(now - sent);
            }
            self.grow(bytes);
        }
        if next > self.acked {
            self.acked = next;
            self.backoff = 0;
            while let Some(entry) = self.segments.first_entry() {
                if *entry.key() >= next {
                    break;
                }
                let segment = entry.remove();
                if !segment.arrived && !segment.lost {
                    self.in_flight -= u64::from(segment.bytes);
                }
            }
            self.timeout = (!self.segments.is_empty()).then(|| now + self.rto());
        }
        if let Some(newest) = newest {
            self.find_losses(newest);
        }
    }

    /// What was sent well before a segment that arrived is lost (RFC 8985, section 6.2).
    fn find_losses(&mut self, newest: Ns) {
        let reordering = self.srtt / 4;
        let mut reduced = self.reduced;
        for segment in self.segments.values_mut().filter(|s| !s.arrived && !s.lost) {
            if segment.sent + reordering < newest {
                segment.lost = true;
                self.in_flight -= u64::from(segment.bytes);
                reduced = reduced.max(segment.sent);
            }
        }
        if reduced > self.reduced {
            // One reduction for all that was sent before it.
            self.reduced = newest;
            self.window = (self.window * 7 / 10).max(2 * u64::from(self.config.segment_bytes));
            self.threshold = self.window;
        }
    }

    fn grow(&mut self, bytes: u64) {
        let growth = match self.window < self.threshold {
            true => bytes,
            false => (u64::from(self.config.segment_bytes) * bytes / self.window).max(1),
        };
        self.window = (self.window + growth).min(self.config.max_window_bytes);
    }

    fn measure(&mut self, rtt: Ns) {
        if self.srtt == 0 {
            (self.srtt, self.rttvar) = (rtt, rtt / 2);
        } else {
            self.rttvar = (3 * self.rttvar + self.srtt.abs_diff(rtt)) / 4;
            self.srtt = (7 * self.srtt + rtt) / 8;
        }
    }

    fn rto(&self) -> Ns {
        let rto = match self.srtt {
            0 => 1_000 * MS,
            srtt => (srtt + (4 * self.rttvar).max(100 * US)).max(MIN_RTO),
        };
        (rto << self.backoff.min(8)).min(MAX_RTO)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn next_timeout(&self) -> Option<Ns> {
        self.timeout
    }

    /// The retransmission timer: at its time all that is under way counts as lost.
    pub fn handle_timeout(&mut self, now: Ns) {
        if self.timeout.is_none_or(|at| at > now) {
            return;
        }
        self.backoff += 1;
        self.threshold = (self.window / 2).max(2 * u64::from(self.config.segment_bytes));
        self.window = u64::from(self.config.segment_bytes);
        for segment in self.segments.values_mut().filter(|s| !s.arrived) {
            segment.lost = true;
        }
        (self.in_flight, self.reduced) = (0, now);
        self.timeout = Some(now + self.rto());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ecn, Link, LinkConfig, Loss, Packet, QueueKind, Rate, S, Span};

    /// Sends for so long over a link; the bytes that came out, with their times.
    fn run(config: LinkConfig, span: Ns) -> Vec<(Ns, usize)> {
        run_with(TcpPipeConfig::default(), config, span)
    }

    fn run_with(pipe: TcpPipeConfig, config: LinkConfig, span: Ns) -> Vec<(Ns, usize)> {
        let mut down = Link::new(config.clone());
        let up_config = LinkConfig { propagation: config.propagation, ..LinkConfig::default() };
        let mut up = Link::new(up_config);
        let mut pipe = TcpPipe::new(pipe);
        let (mut now, mut written, mut out, mut expected) = (0, 0u64, Vec::new(), 0u64);
        while now < span {
            let chunk: Vec<u8> = (written..written + 4_096).map(|i| (i % 251) as u8).collect();
            written += pipe.write(&chunk) as u64;
            while let Some((packet, bytes)) = pipe.poll_transmit(now) {
                let is_data = matches!(packet, TcpPacket::Data { .. });
                let link = if is_data { &mut down } else { &mut up };
                link.send(now, Packet { bytes, ecn: Ecn::NotEct, payload: packet });
            }
            let times = [down.next_event(), up.next_event(), pipe.next_timeout()];
            now = times.into_iter().flatten().min().unwrap().max(now);
            pipe.handle_timeout(now);
            for link in [&mut down, &mut up] {
                while let Some(delivered) = link.poll(now) {
                    pipe.handle(now, delivered.packet.payload);
                }
            }
            let bytes = pipe.read();
            for byte in &bytes {
                assert_eq!(*byte, (expected % 251) as u8);
                expected += 1;
            }
            if !bytes.is_empty() {
                out.push((now, bytes.len()));
            }
        }
        out
    }

    fn mean_bits_per_s(out: &[(Ns, usize)], span: Ns) -> u64 {
        out.iter().map(|(_, bytes)| *bytes as u64 * 8).sum::<u64>() * S / span
    }

    #[test]
    fn a_link_is_filled_and_bytes_come_in_order() {
        let config = LinkConfig {
            rate: Rate::constant(5_000_000),
            queue: QueueKind::DropTailTime { time: 100 * MS },
            propagation: 20 * MS,
            ..LinkConfig::default()
        };
        let rate = mean_bits_per_s(&run(config, 30 * S), 30 * S);
        assert!((4_200_000..5_000_000).contains(&rate), "{rate}");
    }

    #[test]
    fn one_loss_holds_back_all_that_follows() {
        let config = |blackouts| LinkConfig {
            rate: Rate::constant(5_000_000),
            propagation: 50 * MS,
            blackouts,
            ..LinkConfig::default()
        };
        let longest = |out: &[(Ns, usize)]| {
            let late = out.iter().filter(|(at, _)| *at > 2 * S);
            let times: Vec<_> = late.map(|(at, _)| *at).collect();
            times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
        };
        // What the path holds, so that nothing waits and nothing overflows.
        let pipe = TcpPipeConfig { max_window_bytes: 60_000, ..TcpPipeConfig::default() };
        let smooth = longest(&run_with(pipe, config(vec![]), 6 * S));
        // Two packets' time.
        let hit = longest(&run_with(pipe, config(vec![Span::new(4 * S, 4 * S + 5 * MS)]), 6 * S));
        assert!(smooth < 10 * MS, "{}", smooth / MS);
        assert!(hit > 100 * MS, "{}", hit / MS);
    }

    #[test]
    fn a_lossy_path_is_slow_but_complete() {
        let config = LinkConfig {
            rate: Rate::constant(10_000_000),
            propagation: 40 * MS,
            loss: Loss::Random(0.02),
            ..LinkConfig::default()
        };
        let rate = mean_bits_per_s(&run(config, 60 * S), 60 * S);
        // Far below the link's rate, as of loss-based TCP.
        assert!((300_000..3_000_000).contains(&rate), "{rate}");
    }

    #[test]
    fn a_dead_path_is_tried_again_and_comes_back() {
        let config = LinkConfig {
            rate: Rate::constant(5_000_000),
            propagation: 20 * MS,
            blackouts: vec![Span::new(S, 4 * S)],
            ..LinkConfig::default()
        };
        let out = run(config, 12 * S);
        let late: usize = out.iter().filter(|(at, _)| *at > 8 * S).map(|(_, bytes)| bytes).sum();
        assert!(late as u64 * 8 > 4 * 3_000_000, "{late}");
    }
}
