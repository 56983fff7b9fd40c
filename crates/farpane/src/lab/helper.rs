//! The helper of a laboratory.

use crate::Error;
use crate::helper::{Composer, Picture};
use bytes::Bytes;
use farpane_frame::FrameRef;

/// A helper that sees what it is sent. Sans-IO: after [`handle_datagram`](Self::handle_datagram),
/// and at the time of [`poll_timeout`](Self::poll_timeout), call
/// [`handle_timeout`](Self::handle_timeout) and drain the polls.
pub struct LabHelper {
    composer: Composer,
    picture: Option<Picture>,
}

impl Default for LabHelper {
    fn default() -> Self {
        Self::new()
    }
}

impl LabHelper {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self { composer: Composer::new(), picture: None }
    }

    /// What it sees.
    pub fn picture(&self) -> Option<FrameRef<'_>> {
        self.picture.as_ref().map(|picture| picture.pixels.view())
    }

    /// Tells the path's round-trip time, which paces reports.
    pub fn set_rtt(&mut self, rtt_us: u64) {
        self.composer.set_rtt(rtt_us);
    }

    /// Tells how many packets have arrived marked by the network.
    pub fn set_marked(&mut self, packets: u64) {
        self.composer.set_marked(packets);
    }

    /// Takes a datagram in.
    ///
    /// # Errors
    /// It is nonsense.
    pub fn handle_datagram(&mut self, now_us: u64, datagram: &Bytes) -> Result<(), Error> {
        self.composer.handle_datagram(now_us, datagram)
    }

    /// Lets time pass. Whether there is a new picture.
    ///
    /// # Errors
    /// As [`handle_datagram`](Self::handle_datagram).
    pub fn handle_timeout(&mut self, now_us: u64) -> Result<bool, Error> {
        self.composer.handle_timeout(now_us)?;
        let picture = self.composer.poll_picture(now_us, || None);
        let is_new = picture.is_some();
        self.picture = picture.or(self.picture.take());
        Ok(is_new)
    }

    /// A report for the sharer, when one is due.
    pub fn poll_report(&mut self, now_us: u64) -> Option<Bytes> {
        self.composer.poll_feedback(now_us)
    }

    /// A stream of video that could not be decoded.
    pub fn poll_failed_stream(&mut self) -> Option<u8> {
        self.composer.poll_failed_stream().map(|(stream, _)| stream)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<u64> {
        self.composer.poll_timeout()
    }
}
