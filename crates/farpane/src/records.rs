//! What is measured of every update, on both sides. The update's number joins the two.
//!
//! Times are microseconds of each side's monotonic clock (`CLOCK_MONOTONIC` on Linux): on one
//! machine they compare directly.

use crate::helper::Picture;

/// An update as the sharer sent it to one helper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareRecord {
    /// Which helper.
    pub helper: u64,
    /// The update's number.
    pub update: u64,
    /// When the source learned of the change it carries.
    pub notice_us: u64,
    /// When its pixels were captured.
    pub capture_us: u64,
    /// When they had been compared.
    pub compared_us: u64,
    /// When they had been encoded.
    pub encoded_us: u64,
    /// When its first datagrams were handed to the network.
    pub sent_us: u64,
    /// Encoded bytes.
    pub bytes: u64,
    /// Tile parts in it.
    pub tiles: u32,
    /// Moves in it.
    pub copies: u32,
    /// Tile parts taken from the helper's cache.
    pub cached: u32,
    /// Access units of video in it.
    pub units: u32,
    /// Whether the byte budget left something for later.
    pub partial: bool,
    /// Bytes that may be in flight.
    pub window_bytes: u64,
    /// How long datagrams wait in queues on the way.
    pub queue_delay_us: u64,
    /// The smoothed round-trip time.
    pub rtt_us: u64,
    /// Changes so far that the display had not reported and the watchdog found.
    pub watchdog_misses: u64,
}

/// An update as the helper composed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViewRecord {
    /// The newest update in the picture.
    pub update: u64,
    /// When its last datagram arrived.
    pub received_us: u64,
    /// When it had been decoded and composed.
    pub composed_us: u64,
    /// Pixels in the damaged rectangles.
    pub damage_px: u64,
}

impl ViewRecord {
    pub(crate) fn new(picture: &Picture) -> Self {
        Self {
            update: picture.update,
            received_us: picture.received_us,
            composed_us: picture.composed_us,
            damage_px: picture.damage.area_px(),
        }
    }
}
