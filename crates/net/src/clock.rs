//! The one clock that arrival times are read from.

use rustix::time::{ClockId, clock_gettime};

/// Microseconds of `CLOCK_MONOTONIC`, the clock that capture stamps frames with.
///
/// Comparable between processes of one machine; unaffected by changes of the wall clock.
pub fn now_us() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds * 1_000_000 + nanoseconds / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let mut last_us = now_us();
        for _ in 0..10_000 {
            let us = now_us();
            assert!(us >= last_us);
            last_us = us;
        }
    }
}
