//! What a tenant has decided for all of its people.

use std::fmt;

use crate::capability::{Capabilities, Capability};
use crate::state::EndReason;

/// A version of the software at one end: major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u16, pub u16, pub u16);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A tenant's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TenantSettings {
    /// Whether there is remote assistance at all. Default yes.
    pub enabled: bool,
    /// Whether helper and sharer must not write to each other. Default no.
    pub chat_blocked: bool,
    /// Whether devices may be helped that the tenant does not manage. Default no.
    pub unenrolled_allowed: bool,
    /// Whether a session may be recorded. Default no.
    pub recording_allowed: bool,
    /// The oldest software that either end may run. Default 0.0.0, any.
    pub minimum_version: Version,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            chat_blocked: false,
            unenrolled_allowed: false,
            recording_allowed: false,
            minimum_version: Version(0, 0, 0),
        }
    }
}

impl TenantSettings {
    /// Whether help is allowed where the older of both ends runs `version`, on a device that is
    /// `enrolled` or not.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self, version: Version, enrolled: bool) -> Result<(), EndReason> {
        if !self.enabled {
            return Err(EndReason::TenantDisabled);
        }
        if version < self.minimum_version {
            return Err(EndReason::VersionTooOld);
        }
        if !enrolled && !self.unenrolled_allowed {
            return Err(EndReason::NotEnrolled);
        }
        Ok(())
    }

    /// What the tenant allows everybody.
    pub fn capabilities(&self) -> Capabilities {
        match (self.enabled, self.chat_blocked) {
            (false, _) => Capabilities::NONE,
            (true, false) => Capabilities::ALL,
            (true, true) => Capabilities::ALL.without(Capabilities::of(&[Capability::Chat])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_a_tenant_allows_help_and_neither_strangers_nor_recordings() {
        let settings = TenantSettings::default();
        assert_eq!(settings.capabilities(), Capabilities::ALL);
        assert!(!settings.unenrolled_allowed && !settings.recording_allowed);
        assert_eq!(settings.minimum_version.to_string(), "0.0.0");
    }

    #[test]
    fn a_tenant_can_block_chat_alone_or_everything() {
        let settings = TenantSettings { chat_blocked: true, ..TenantSettings::default() };
        let chat = Capabilities::of(&[Capability::Chat]);
        assert_eq!(Capabilities::ALL.without(settings.capabilities()), chat);
        let settings = TenantSettings { enabled: false, ..settings };
        assert!(settings.capabilities().is_empty());
    }

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(Version(1, 9, 0) < Version(1, 10, 0));
        assert!(Version(2, 0, 0) > Version(1, 99, 99));
    }
}
