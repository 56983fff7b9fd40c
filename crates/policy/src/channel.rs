//! The channels beside the screen and the input, as types: code for one cannot be run with the
//! token of another.

use crate::capability::Capability;

/// A channel that a [`ChannelToken`](crate::ChannelToken) opens.
pub trait Channel: sealed::Sealed {
    /// What it takes to open it.
    const CAPABILITY: Capability;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! channels {
    ($($(#[$doc:meta])* $name:ident = $capability:ident)+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {}

        impl sealed::Sealed for $name {}

        impl Channel for $name {
            const CAPABILITY: Capability = Capability::$capability;
        }
    )+ };
}

channels! {
    /// Messages of both ends.
    Chat = Chat
    /// From the helper's clipboard to the sharer's.
    ClipboardIn = ClipboardIn
    /// From the sharer's clipboard to the helper's.
    ClipboardOut = ClipboardOut
    /// Files from the helper to the sharer.
    FileIn = FileIn
    /// Files from the sharer to the helper.
    FileOut = FileOut
    /// What the sharer's machine plays.
    Audio = Audio
    /// An administrator's credentials, from the helper to the prompt. They are overwritten after
    /// use, and neither logged nor counted nor recorded.
    Credentials = Elevate
}
