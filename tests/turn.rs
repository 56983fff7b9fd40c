//! Who runs beside whom.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Read by tests that others may disturb, written by tests that measure time or processors.
static TURN: RwLock<()> = RwLock::new(());

/// For a test that does not mind others beside it.
pub fn beside_others() -> RwLockReadGuard<'static, ()> {
    TURN.read().unwrap_or_else(PoisonError::into_inner)
}

/// For a test whose time limits are short or that counts processor time: nothing else runs.
pub fn alone() -> RwLockWriteGuard<'static, ()> {
    TURN.write().unwrap_or_else(PoisonError::into_inner)
}
