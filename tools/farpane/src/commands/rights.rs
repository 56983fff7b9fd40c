//! Rights as the command line names them.

use clap::ValueEnum;
use farpane::policy::{Capabilities, Capability, Mode, Rights};

/// How much help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Help {
    /// See the screen, point and write messages.
    View,
    /// Use mouse and keyboard, too.
    Control,
    /// Answer prompts for an administrator's password, too.
    Elevated,
}

impl Help {
    pub(super) fn mode(self) -> Mode {
        match self {
            Self::View => Mode::View,
            Self::Control => Mode::Control,
            Self::Elevated => Mode::Elevated,
        }
    }
}

/// What goes beside the screen only where it is named, each in one direction: *in* is to the
/// sharer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Channel {
    /// The helper's clipboard to the sharer.
    ClipboardIn,
    /// The sharer's clipboard to the helper.
    ClipboardOut,
    /// Files to the sharer.
    FileIn,
    /// Files to the helper.
    FileOut,
}

fn capabilities(channels: &[Channel]) -> Capabilities {
    let each = channels.iter().map(|channel| match channel {
        Channel::ClipboardIn => Capability::ClipboardIn,
        Channel::ClipboardOut => Capability::ClipboardOut,
        Channel::FileIn => Capability::FileIn,
        Channel::FileOut => Capability::FileOut,
    });
    Capabilities::of(&each.collect::<Vec<_>>())
}

/// The mode and these channels, as far as the mode can hold them.
pub(super) fn rights(help: Help, channels: &[Channel]) -> Rights {
    Rights::with(help.mode(), capabilities(channels))
}

/// Rights as a question puts them.
pub(super) fn in_words(rights: Rights) -> String {
    let mode = match rights.mode() {
        Mode::View | Mode::Unattended => "SEE THIS SCREEN",
        Mode::Control => "SEE AND CONTROL THIS MACHINE",
        Mode::Elevated => "SEE AND CONTROL THIS MACHINE, ALSO AS ITS ADMINISTRATOR",
    };
    let extras = rights.capabilities().without(rights.mode().usual());
    extras.iter().fold(mode.to_owned(), |words, extra| words + ", with " + extra.name())
}
