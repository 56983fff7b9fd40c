//! What runs over the network: one connection and what it carries.

use crate::desk::Seen;
use crate::quic::{End, Outgoing};
use farpane_linksim::{Ecn, Ns};

/// A connection with an application on both ends. After any `handle_*`, drain `poll_transmit`.
pub(crate) trait Flow {
    /// A UDP datagram arrived at an end.
    fn handle(&mut self, now: Ns, at: End, data: &[u8], ecn: Ecn);

    /// Lets time pass.
    fn handle_timeout(&mut self, now: Ns);

    /// When to call [`handle_timeout`](Self::handle_timeout).
    fn poll_timeout(&mut self) -> Option<Ns>;

    /// The next UDP datagram, and the end that sends it.
    fn poll_transmit(&mut self) -> Option<(End, Outgoing)>;

    /// What it has to tell of itself at `now`.
    fn look(&self, now: Ns) -> Look;

    /// What became of a screen's changes.
    fn seen(&self) -> Option<&Seen> {
        None
    }

    /// How long what the helper typed was on its way.
    fn input_delays(&self) -> &[Ns] {
        &[]
    }
}

/// A flow's own view.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// What its controller would send, in bits per second; 0 when it has none of its own.
    pub(crate) target_bits_per_s: u64,
    /// What its controller thinks packets wait on the way, in microseconds.
    pub(crate) queue_us: u64,
}
