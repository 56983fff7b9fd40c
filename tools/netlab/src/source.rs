//! What media are made of: both ends of a screen, apart from QUIC.

use crate::desk::Seen;
use crate::flow::Look;
use bytes::Bytes;

/// A sharer's screen and what a helper has of it. Times are microseconds.
pub(crate) trait Source {
    /// A media datagram came to the helper.
    fn handle_datagram(&mut self, now_us: u64, datagram: &Bytes);

    /// Lets time pass at the helper.
    fn handle_timeout(&mut self, now_us: u64);

    /// The round trip of the helper's path.
    fn set_rtt(&mut self, rtt_us: u64);

    /// How many packets came to the helper marked.
    fn set_marked(&mut self, packets: u64);

    /// The helper's next report.
    fn poll_report(&mut self, now_us: u64) -> Option<Bytes>;

    /// When to call [`handle_timeout`](Self::handle_timeout) and
    /// [`poll_report`](Self::poll_report).
    fn poll_helper_timeout(&self) -> Option<u64>;

    /// A report came to the sharer.
    fn handle_report(&mut self, now_us: u64, report: &[u8]);

    /// Queues what is urgent at the sharer.
    fn fill(&mut self, now_us: u64);

    /// Queues what may wait, once what is urgent is on its way.
    fn fill_rest(&mut self, _now_us: u64) {}

    /// The sharer's next datagram, when it may leave.
    fn poll_datagram(&mut self, now_us: u64) -> Option<Bytes>;

    /// When to fill and to call [`poll_datagram`](Self::poll_datagram).
    fn poll_sharer_timeout(&self, now_us: u64) -> Option<u64>;

    /// Bytes that may be in flight; `None` where QUIC decides.
    fn window_bytes(&self) -> Option<u64>;

    /// What it has to tell of itself.
    fn look(&self) -> Look;

    /// What became of the screen's changes.
    fn seen(&self) -> Option<&Seen> {
        None
    }
}
