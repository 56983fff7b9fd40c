//! How long a session may wait and last.

/// Questions that a helper may cause in one session. Who is asked for ever says yes in the end.
pub const MAX_ASKS: u64 = 16;

/// A session's deadlines, in microseconds of the monotonic clock. Each runs from an event of this
/// machine, and no event moves it further than its full span from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionLimits {
    /// How long pairing, proving and warning may take from the request on. Default 10 min, the
    /// life of a pairing code.
    pub setup_us: u64,
    /// How long the sharer may think; silence denies. Default 60 s.
    pub consent_us: u64,
    /// How old the indicator's last sign of life may be. Default 3 s: the app gives one every
    /// second, and two may be late.
    pub indicator_us: u64,
    /// How long ago the renewal of the lease may have been asked for that was answered last.
    /// Default 10 s; a renewal is asked for each half of it.
    pub lease_us: u64,
    /// How long a session may be suspended. Default 10 min.
    pub suspended_us: u64,
    /// How long a session may last from the request on. Default 8 h, a working day.
    pub session_us: u64,
    /// How long the connection may take to close. Default 1 s.
    pub ending_us: u64,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            setup_us: 600_000_000,
            consent_us: 60_000_000,
            indicator_us: 3_000_000,
            lease_us: 10_000_000,
            suspended_us: 600_000_000,
            session_us: 8 * 3600 * 1_000_000,
            ending_us: 1_000_000,
        }
    }
}
