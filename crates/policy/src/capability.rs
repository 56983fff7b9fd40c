//! What a helper can do in a session, one by one.

use std::fmt;

/// One thing that a helper can do, on a channel of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Seeing the screen.
    View,
    /// Showing a pointer on it, without moving the sharer's.
    Point,
    /// Moving the sharer's pointer and typing.
    Control,
    /// Answering prompts for an administrator's credentials.
    Elevate,
    /// Writing to each other.
    Chat,
    /// The helper's clipboard goes to the sharer.
    ClipboardIn,
    /// The sharer's clipboard goes to the helper.
    ClipboardOut,
    /// Files go to the sharer.
    FileIn,
    /// Files go to the helper.
    FileOut,
    /// Hearing what the sharer's machine plays.
    Audio,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 10] = [
        Self::View,
        Self::Point,
        Self::Control,
        Self::Elevate,
        Self::Chat,
        Self::ClipboardIn,
        Self::ClipboardOut,
        Self::FileIn,
        Self::FileOut,
        Self::Audio,
    ];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Point => "point",
            Self::Control => "control",
            Self::Elevate => "elevate",
            Self::Chat => "chat",
            Self::ClipboardIn => "clipboard-in",
            Self::ClipboardOut => "clipboard-out",
            Self::FileIn => "file-in",
            Self::FileOut => "file-out",
            Self::Audio => "audio",
        }
    }

    pub(crate) const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of capabilities. What counts in a session is only ever an intersection of sets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Capabilities(u16);

impl Capabilities {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self::of(&Capability::ALL);
    /// What moves bytes of clipboards and files.
    pub const TRANSFERS: Self = Self::of(&[
        Capability::ClipboardIn,
        Capability::ClipboardOut,
        Capability::FileIn,
        Capability::FileOut,
    ]);

    /// The given capabilities.
    pub const fn of(capabilities: &[Capability]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < capabilities.len() {
            bits |= capabilities[index].bit();
            index += 1;
        }
        Self(bits)
    }

    /// One bit a capability, the lowest for [`Capability::View`], in the order of
    /// [`Capability::ALL`].
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The set with these bits; unknown bits are left out.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// What both sets hold.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What this set holds and `other` does not.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set holds `capability`.
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// Whether `other` holds all that this set does.
    pub fn is_subset(self, other: Self) -> bool {
        self.without(other) == Self::NONE
    }

    /// Whether the set holds nothing.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// The capabilities held, in their order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |capability| self.contains(*capability))
    }

    /// For saying what is asked for or was used; what may be done is never added up.
    #[must_use]
    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Capability::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_were_given() {
        for bits in 0..1 << Capability::ALL.len() {
            let set = Capabilities::from_bits(bits);
            let members: Vec<Capability> = set.iter().collect();
            assert_eq!(Capabilities::of(&members), set);
            assert_eq!((set.bits(), set.is_empty()), (bits, bits == 0));
            assert_eq!(set.without(set), Capabilities::NONE);
            assert_eq!(set.union(Capabilities::NONE), set);
            assert_eq!(Capabilities::NONE.union(set), set);
        }
        assert_eq!(Capabilities::from_bits(u16::MAX), Capabilities::ALL);
        let some = Capabilities::of(&[Capability::View, Capability::FileOut]);
        assert_eq!(format!("{some:?}"), r#"{"view", "file-out"}"#);
    }

    #[test]
    fn an_intersection_is_a_subset_of_both_and_a_rest_of_neither() {
        for (a, b) in [(0b11, 0b110), (0, 0b1), (0b1111, 0b1111), (0x3ff, 0x155)] {
            let (a, b) = (Capabilities::from_bits(a), Capabilities::from_bits(b));
            let both = a.intersection(b);
            assert!(both.is_subset(a) && both.is_subset(b));
            assert!(a.without(b).intersection(b).is_empty());
            assert_eq!(a.without(b).union(both), a);
        }
        let (one, two) = (Capabilities::from_bits(1), Capabilities::from_bits(3));
        assert!(one.is_subset(two) && !two.is_subset(one));
    }

    #[test]
    fn every_capability_has_a_name_of_its_own() {
        let mut names = Capability::ALL.map(Capability::name);
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1] && !pair[0].is_empty()));
    }
}
