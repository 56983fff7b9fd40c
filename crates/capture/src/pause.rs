//! Waiting of the sources that have no descriptor to wait on.

use crate::Waker;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// A wait that a [`Waker`] can end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pause(Arc<(Mutex<bool>, Condvar)>);

impl Pause {
    pub(crate) fn waker(&self) -> Waker {
        let pause = self.clone();
        Waker::new(move || {
            *pause.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            pause.0.1.notify_all();
        })
    }

    /// Waits until `until`. Returns whether the waker ended it, or was rung before.
    pub(crate) fn wait(&self, until: Instant) -> bool {
        let rung = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let timeout = until.saturating_duration_since(Instant::now());
        let waited = self.0.1.wait_timeout_while(rung, timeout, |rung| !*rung);
        std::mem::take(&mut *waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_ring_ends_one_wait_whether_before_or_during_it() {
        let pause = Pause::default();
        let long = Instant::now() + Duration::from_secs(60);
        pause.waker().ring();
        assert!(pause.wait(long));
        assert!(!pause.wait(Instant::now()));
        let waker = pause.waker();
        let thread = std::thread::spawn(move || waker.ring());
        assert!(pause.wait(long));
        thread.join().unwrap();
        assert!(!pause.wait(Instant::now()));
    }
}
