//! The values without which nothing is captured and no input is applied.

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

/// Proof that the sharer lets the helper point or control, now. Only a
/// [`Session`](crate::Session) makes one.
///
/// Whoever applies input asks [`InputToken::is_valid`] before every event, from any thread. It
/// says no from the moment in which a prompt opens, the session is suspended or ends, or what is
/// allowed changes; and once it has said no, it says no for ever, to every clone.
///
/// ```compile_fail
/// let forged = farpane_policy::InputToken { epoch: 1 };
/// ```
#[derive(Debug, Clone)]
pub struct InputToken {
    epoch: u64,
    reach: Reach,
    valid: Arc<AtomicBool>,
}

/// How much of the helper's input is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Its pointer is shown; nothing is moved, clicked or typed.
    Pointer,
    /// It also moves the sharer's pointer, clicks and types.
    Full,
}

impl InputToken {
    /// Whether input may be applied. One atomic load.
    pub fn is_valid(&self) -> bool {
        self.valid.load(Ordering::Acquire)
    }

    /// The number of this permission within its session, from 1; it grows with every new one.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How much may be applied.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Shows the helper's pointer for an event of this epoch; `None` and nothing done if that may
    /// not be.
    pub fn point<T>(&self, epoch: u64, show: impl FnOnce() -> T) -> Option<T> {
        (epoch == self.epoch && self.is_valid()).then(show)
    }

    /// Moves, clicks or types for an event of this epoch; `None` and nothing done if that may not
    /// be.
    pub fn inject<T>(&self, epoch: u64, apply: impl FnOnce() -> T) -> Option<T> {
        (epoch == self.epoch && self.reach == Reach::Full && self.is_valid()).then(apply)
    }

    /// A token that no consent stands behind, for tests of what takes tokens.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_tests(epoch: u64, reach: Reach) -> Self {
        Self { epoch, reach, valid: Arc::new(AtomicBool::new(true)) }
    }

    /// Makes the token and its clones invalid, as a session does.
    #[cfg(any(test, feature = "testing"))]
    pub fn revoke_for_tests(&self) {
        self.valid.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revoked_input_token_is_invalid_in_every_clone() {
        let token = InputToken::for_tests(7, Reach::Pointer);
        let clone = token.clone();
        assert!(clone.is_valid());
        assert_eq!((clone.epoch(), clone.reach()), (7, Reach::Pointer));
        assert_eq!((clone.point(7, || 1), clone.point(6, || 1)), (Some(1), None));
        assert_eq!(clone.inject(7, || 1), None);
        let full = InputToken::for_tests(7, Reach::Full);
        assert_eq!((full.inject(7, || 1), full.inject(8, || 1)), (Some(1), None));
        token.revoke_for_tests();
        full.revoke_for_tests();
        assert!(!clone.is_valid() && !token.is_valid());
        assert_eq!((clone.point(7, || 1), full.inject(7, || 1)), (None, None));
    }

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
