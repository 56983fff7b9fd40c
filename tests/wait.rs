//! Waiting for conditions, never for time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Pause between two looks: short beside everything that tests wait for, long enough to leave
/// the processors to what is waited for.
const PAUSE: Duration = Duration::from_millis(15);

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within `limit`; the message says `what` was waited for.
pub fn wait_for(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    wait_until_none(what, limit, || (!condition()).then(|| "it does not hold".to_owned()));
}

/// Waits until `obstacle` finds none.
///
/// # Panics
/// When it still does after `limit`; the message says `what` was waited for and the obstacle.
pub fn wait_until_none(what: &str, limit: Duration, mut obstacle: impl FnMut() -> Option<String>) {
    let deadline = Instant::now() + limit;
    while let Some(why) = obstacle() {
        assert!(Instant::now() < deadline, "waited {limit:?} in vain: {what}: {why}");
        sleep(PAUSE);
    }
}

/// Whether `condition` holds all through `span`. For what must not happen.
pub fn holds_for(span: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + span;
    while Instant::now() < end {
        if !condition() {
            return false;
        }
        sleep(PAUSE);
    }
    condition()
}
