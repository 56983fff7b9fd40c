//! The value without which nothing is captured.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::permission::Scope;

/// Proof that the sharer consents, now. Only a [`Session`](crate::Session) makes one.
///
/// Whoever captures or sends media asks [`CaptureToken::is_valid`] before every frame and every
/// packet batch, from any thread. Once it has said no, it says no for ever, to every clone.
///
/// ```compile_fail
/// let forged = farpane_policy::CaptureToken { epoch: 1 };
/// ```
#[derive(Debug, Clone)]
pub struct CaptureToken {
    epoch: u64,
    scope: Scope,
    valid: Arc<AtomicBool>,
}

impl CaptureToken {
    pub(crate) fn new(epoch: u64, scope: Scope) -> Self {
        Self { epoch, scope, valid: Arc::new(AtomicBool::new(true)) }
    }

    /// Whether the session still is active. One atomic load.
    pub fn is_valid(&self) -> bool {
        self.valid.load(Ordering::Acquire)
    }

    /// The number of this consent within its session, from 1; it grows with every new one.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What the consent covers.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    pub(crate) fn revoke(&self) {
        self.valid.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revoked_token_is_invalid_in_every_clone_and_thread() {
        let token = CaptureToken::new(1, Scope::View);
        let clone = token.clone();
        assert!(clone.is_valid());
        std::thread::scope(|scope| {
            scope.spawn(|| token.revoke());
        });
        assert!(!clone.is_valid() && !token.is_valid() && !clone.clone().is_valid());
    }
}
