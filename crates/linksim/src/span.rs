//! Spans of time.

use crate::Ns;

/// From a time on, until just before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first time in it.
    pub from: Ns,
    /// The first time after it.
    pub until: Ns,
}

impl Span {
    /// From `from` on, until just before `until`.
    pub const fn new(from: Ns, until: Ns) -> Self {
        Self { from, until }
    }

    /// Whether `at` lies in it.
    pub fn contains(self, at: Ns) -> bool {
        (self.from..self.until).contains(&at)
    }
}
