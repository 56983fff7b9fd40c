//! What a session is about: a mode, and the capabilities that go with it.

use std::fmt;

use crate::capability::{Capabilities, Capability};

/// What kind of help it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The helper sees the screen. The mode of every session that was not asked for another.
    View,
    /// The helper also moves the pointer and types.
    Control,
    /// The helper also answers prompts for an administrator's credentials.
    Elevated,
    /// The helper sees the screen of a machine at which nobody is. No input is applied: for that
    /// somebody has to be there and consent.
    Unattended,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::View, Self::Control, Self::Elevated, Self::Unattended];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Control => "control",
            Self::Elevated => "elevated",
            Self::Unattended => "unattended",
        }
    }

    /// What it cannot be without.
    pub fn needs(self) -> Capabilities {
        use Capability::{Control, Elevate, View};
        match self {
            Self::View | Self::Unattended => Capabilities::of(&[View]),
            Self::Control => Capabilities::of(&[View, Control]),
            Self::Elevated => Capabilities::of(&[View, Control, Elevate]),
        }
    }

    /// What comes with it unasked: a pointer to show and chat, no clipboard, no file, no sound.
    pub fn usual(self) -> Capabilities {
        self.needs().union(Capabilities::of(&[Capability::Point, Capability::Chat]))
    }

    /// What it can hold at most. Whoever only views moves no clipboard and no file.
    pub fn most(self) -> Capabilities {
        let view = Self::View.usual().union(Capabilities::of(&[Capability::Audio]));
        match self {
            Self::View | Self::Unattended => view,
            Self::Control => Capabilities::ALL.without(Capabilities::of(&[Capability::Elevate])),
            Self::Elevated => Capabilities::ALL,
        }
    }

    /// The modes that remain when capabilities are taken from this one, the widest first.
    fn fallbacks(self) -> &'static [Self] {
        match self {
            Self::View => &[Self::View],
            Self::Control => &[Self::Control, Self::View],
            Self::Elevated => &[Self::Elevated, Self::Control, Self::View],
            Self::Unattended => &[Self::Unattended],
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A mode and capabilities that fit it: never fewer than it needs, never more than it can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rights {
    mode: Mode,
    capabilities: Capabilities,
}

impl Rights {
    /// `mode` with what comes with it unasked.
    pub fn of(mode: Mode) -> Self {
        Self { mode, capabilities: mode.usual() }
    }

    /// The same and `extras`, as far as the mode can hold them.
    pub fn with(mode: Mode, extras: Capabilities) -> Self {
        Self { mode, capabilities: mode.usual().union(extras).intersection(mode.most()) }
    }

    /// The mode.
    pub fn mode(self) -> Mode {
        self.mode
    }

    /// The capabilities.
    pub fn capabilities(self) -> Capabilities {
        self.capabilities
    }

    /// What is left of them within `limit`: the widest mode that the rest sustains. `None` when
    /// not even seeing is left.
    #[must_use]
    pub fn within(self, limit: Capabilities) -> Option<Self> {
        let rest = self.capabilities.intersection(limit);
        let modes = self.mode.fallbacks().iter();
        let mode = *modes.into_iter().find(|mode| mode.needs().is_subset(rest))?;
        Some(Self { mode, capabilities: rest.intersection(mode.most()) })
    }
}

impl From<Mode> for Rights {
    fn from(mode: Mode) -> Self {
        Self::of(mode)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mode.fmt(f)?;
        for extra in self.capabilities.without(self.mode.usual()).iter() {
            write!(f, " + {}", extra.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_set() -> impl Iterator<Item = Capabilities> {
        (0..1 << Capability::ALL.len()).map(Capabilities::from_bits)
    }

    fn every_right() -> impl Iterator<Item = Rights> {
        Mode::ALL.into_iter().flat_map(|mode| every_set().map(move |set| Rights::with(mode, set)))
    }

    #[test]
    fn rights_always_fit_their_mode() {
        for rights in every_right() {
            assert!(rights.mode().needs().is_subset(rights.capabilities()), "{rights:?}");
            assert!(rights.capabilities().is_subset(rights.mode().most()), "{rights:?}");
        }
    }

    #[test]
    fn clipboard_files_and_sound_are_off_unless_asked_for() {
        for mode in Mode::ALL {
            let off = Capabilities::TRANSFERS.union(Capabilities::of(&[Capability::Audio]));
            assert!(Rights::of(mode).capabilities().intersection(off).is_empty());
            assert_eq!(Rights::from(mode), Rights::with(mode, Capabilities::NONE));
            let asked = Rights::with(mode, Capabilities::ALL).capabilities();
            assert!(asked.contains(Capability::Audio));
            let moves = matches!(mode, Mode::Control | Mode::Elevated);
            assert_eq!(Capabilities::TRANSFERS.is_subset(asked), moves);
            assert_eq!(Capabilities::TRANSFERS.intersection(asked).is_empty(), !moves);
        }
        let one_way = Capabilities::of(&[Capability::ClipboardIn]);
        let one_way = Rights::with(Mode::Control, one_way).capabilities();
        assert!(!one_way.contains(Capability::ClipboardOut));
        assert!(one_way.contains(Capability::ClipboardIn));
    }

    #[test]
    fn a_limit_takes_away_and_never_adds() {
        for rights in [Mode::View, Mode::Control, Mode::Elevated, Mode::Unattended]
            .map(|mode| Rights::with(mode, Capabilities::ALL))
        {
            for limit in every_set() {
                let Some(rest) = rights.within(limit) else {
                    assert!(!limit.contains(Capability::View));
                    continue;
                };
                assert!(rest.capabilities().is_subset(rights.capabilities()));
                assert!(rest.capabilities().is_subset(limit));
                assert!(rest.mode().needs().is_subset(rest.capabilities()));
                assert!(rest.capabilities().is_subset(rest.mode().most()));
                let widest = rights.mode().needs().is_subset(limit);
                assert_eq!(rest.mode() == rights.mode(), widest);
                let control = Mode::Control.needs().is_subset(limit);
                if rights.mode() == Mode::Elevated && !widest {
                    assert_eq!(rest.mode() == Mode::Control, control);
                }
            }
        }
    }

    #[test]
    fn rights_read_as_people_say_them() {
        assert_eq!(Rights::of(Mode::View).to_string(), "view");
        let extras = Capabilities::of(&[Capability::FileIn]);
        assert_eq!(Rights::with(Mode::Control, extras).to_string(), "control + file-in");
        assert_eq!(Mode::ALL.map(|m| m.to_string()), Mode::ALL.map(Mode::name));
    }
}
