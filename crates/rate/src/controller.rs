//! The trait of congestion controllers.

/// One datagram's journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was sent, sender's clock in microseconds.
    pub sent_us: u64,
    /// When it arrived, receiver's clock in microseconds; the clocks need not agree.
    pub received_us: u64,
    /// Its size.
    pub bytes: u32,
}

/// The most samples of one report that are looked at.
pub const MAX_SAMPLES: usize = 1_024;

/// A longer round trip, or wait, is nonsense and counts as this one: a minute.
pub(crate) const MAX_RTT_US: u64 = 60_000_000;

/// What the receiver reported.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report<'a> {
    /// Datagrams that arrived.
    pub samples: &'a [Sample],
    /// Bytes that arrived.
    pub acked_bytes: u64,
    /// Bytes that were lost.
    pub lost_bytes: u64,
    /// How many of the datagrams that arrived the network had marked (ECN, RFC 3168).
    pub marked: u64,
    /// Round-trip time without the receiver's own wait, when the report allows to measure it.
    pub rtt_us: Option<u64>,
    /// Bytes in flight before this report.
    pub in_flight_bytes: u64,
}

/// Decides how many bytes may be on the way, and how fast they leave.
pub trait Controller: Send {
    /// Takes in a receiver's report.
    fn handle_report(&mut self, now_us: u64, report: &Report<'_>);

    /// Bytes that may be in flight.
    fn window_bytes(&self) -> u64;

    /// How fast to send, in bytes per second.
    fn pacing_bytes_per_s(&self) -> u64;

    /// What the path is believed to carry, in bytes per second. Unlike the window it does not
    /// change in silence.
    fn carried_bytes_per_s(&self) -> u64;

    /// How long datagrams currently wait in queues on the way, in microseconds.
    fn queue_delay_us(&self) -> u64;

    /// The smoothed round-trip time in microseconds.
    fn rtt_us(&self) -> u64;

    /// The least round-trip time of late, in microseconds: that of a path without queues.
    fn min_rtt_us(&self) -> u64;
}
