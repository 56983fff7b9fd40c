//! How long a session may wait and last.

/// A session's deadlines, in microseconds of the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// How long the sharer may think; silence denies. Default 60 s.
    pub consent_us: u64,
    /// How old the indicator's last sign of life may be. Default 3 s: the app gives one every
    /// second, and two may be late.
    pub indicator_us: u64,
    /// How long a session may last from the request on. Default 8 h, a working day.
    pub session_us: u64,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { consent_us: 60_000_000, indicator_us: 3_000_000, session_us: 8 * 3600 * 1_000_000 }
    }
}
