//! Whose word counts: seven sets, of which only the intersection does.

use crate::capability::Capabilities;

/// Who may withhold a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The tenant's settings.
    Tenant,
    /// What the helper was granted.
    Grant,
    /// What the device's management allows.
    Device,
    /// What the sharer's own settings allow.
    Local,
    /// What this machine can do.
    Platform,
    /// What the sharer has consented to, or an unattended grant in the sharer's place.
    Consent,
    /// What the lease that was renewed last allows.
    Lease,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 7] = [
        Self::Tenant,
        Self::Grant,
        Self::Device,
        Self::Local,
        Self::Platform,
        Self::Consent,
        Self::Lease,
    ];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Grant => "grant",
            Self::Device => "device",
            Self::Local => "local",
            Self::Platform => "platform",
            Self::Consent => "consent",
            Self::Lease => "lease",
        }
    }
}

/// One set for each source. Nothing is effective until every source has said what it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sources([Capabilities; Source::ALL.len()]);

impl Sources {
    /// What `source` allows.
    pub fn of(&self, source: Source) -> Capabilities {
        self.0[source as usize]
    }

    /// `source` allows exactly this from now on.
    pub fn set(&mut self, source: Source, allowed: Capabilities) {
        self.0[source as usize] = allowed;
    }

    /// `source` allows at most this from now on.
    pub fn narrow(&mut self, source: Source, allowed: Capabilities) {
        self.set(source, self.of(source).intersection(allowed));
    }

    /// What all sources allow: no source comes before another, so none can add to the rest.
    pub fn effective(&self) -> Capabilities {
        self.0.iter().fold(Capabilities::ALL, |all, set| all.intersection(*set))
    }

    /// What would be effective if the sharer consented to everything.
    pub fn possible(&self) -> Capabilities {
        let mut consented = *self;
        consented.set(Source::Consent, Capabilities::ALL);
        consented.effective()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_effective_until_every_source_has_spoken() {
        let mut sources = Sources::default();
        for source in Source::ALL {
            assert!(sources.effective().is_empty());
            sources.set(source, Capabilities::ALL);
        }
        assert_eq!(sources.effective(), Capabilities::ALL);
    }

    #[test]
    fn every_source_has_a_name_of_its_own() {
        let mut names = Source::ALL.map(Source::name);
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1] && !pair[0].is_empty()));
    }

    proptest! {
        #[test]
        fn the_effective_set_is_a_subset_of_every_set_in_whatever_order_they_come(
            sets in prop::array::uniform7(0_u16..1 << 10),
            order in Just(Source::ALL).prop_shuffle(),
            narrowings in prop::collection::vec((0_usize..7, 0_u16..1 << 10), 0..12),
        ) {
            let set = |source: Source| Capabilities::from_bits(sets[source as usize]);
            let mut sources = Sources::default();
            order.into_iter().for_each(|source| sources.set(source, set(source)));
            for source in Source::ALL {
                prop_assert!(sources.effective().is_subset(set(source)));
            }
            let all = sets.iter().fold(u16::MAX, |all, bits| all & bits);
            prop_assert_eq!(sources.effective(), Capabilities::from_bits(all));
            for (source, bits) in narrowings {
                let (before, limit) = (sources, Capabilities::from_bits(bits));
                sources.narrow(Source::ALL[source], limit);
                prop_assert!(sources.effective().is_subset(before.effective()));
                prop_assert!(sources.effective().is_subset(limit));
                prop_assert!(sources.effective().is_subset(sources.possible()));
            }
        }
    }
}
