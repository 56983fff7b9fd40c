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
    reach: InputReach,
    valid: Arc<AtomicBool>,
}

/// How far a helper's input reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputReach {
    /// A pointer is shown; nothing is done with the sharer's mouse and keyboard.
    Point,
    /// Mouse and keyboard.
    Control,
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

    /// How far the permission reaches.
    pub fn reach(&self) -> InputReach {
        self.reach
    }

    /// A token that no consent stands behind, for tests of what takes tokens.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_tests(epoch: u64, reach: InputReach) -> Self {
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
        let token = InputToken::for_tests(7, InputReach::Point);
        let clone = token.clone();
        assert!(clone.is_valid());
        assert_eq!((clone.epoch(), clone.reach()), (7, InputReach::Point));
        token.revoke_for_tests();
        assert!(!clone.is_valid() && !token.is_valid());
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
