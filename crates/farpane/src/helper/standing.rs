//! What a helper may do now, as the sharer says.

use farpane_policy::{Capability, Posture, Reach, Rights};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a helper may do. The sharer holds to it whatever the helper believes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    pub(super) rights: Option<Rights>,
    /// Nothing moves now.
    pub(super) suspended: bool,
    /// The epoch that input has to name, and how much of it counts.
    pub(super) input: Option<(u64, Reach)>,
    /// Whether a prompt asks for credentials.
    pub(super) prompt: bool,
    /// What was asked for last.
    pub(super) wanted: Option<Rights>,
    /// What the helper was warned of, and has not acknowledged.
    pub(super) warned: Option<Posture>,
}

impl Standing {
    /// Whether this may be done now.
    pub(super) fn allows(&self, capability: Capability) -> bool {
        let held = self.rights.is_some_and(|rights| rights.capabilities().contains(capability));
        held && !self.suspended
    }
}

pub(super) fn standing(of: &Mutex<Standing>) -> MutexGuard<'_, Standing> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
