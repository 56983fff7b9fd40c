//! Which video encoder a sharer uses.

use crate::sharer::OpenEncoder;
use farpane_codec::video::{self, VideoCodec};
use std::sync::Arc;

/// How regions that behave like films are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodecChoice {
    /// As the best video that both sides have, and exactly when there is none.
    #[default]
    Auto,
    /// Exactly, as everything else.
    Tiles,
    /// As H.264 if both sides have it.
    H264,
    /// As AV1 if both sides have it: fewer bytes, and many times the work.
    Av1,
}

impl CodecChoice {
    /// All choices.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Tiles, Self::H264, Self::Av1];

    /// The name of the choice on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Tiles => "tiles",
            Self::H264 => "h264",
            Self::Av1 => "av1",
        }
    }

    /// How to encode films for a helper that decodes these formats; `None` is exactly.
    pub(crate) fn encoder_for(self, decodable: u32) -> Option<OpenEncoder> {
        let codecs: &[VideoCodec] = match self {
            Self::Auto | Self::H264 => &[VideoCodec::H264],
            Self::Tiles => &[],
            Self::Av1 => &[VideoCodec::Av1],
        };
        let both =
            |codec: &&VideoCodec| decodable >> codec.to_byte() & 1 == 1 && video::encodes(**codec);
        let codec = *codecs.iter().find(both)?;
        Some(Arc::new(move |size, rate| video::encoder(codec, size, rate)))
    }
}

impl std::fmt::Display for CodecChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The formats that this build decodes, as a greeting tells them.
pub(crate) fn decodable() -> u32 {
    video::decodable().map(|codec| 1 << codec.to_byte()).sum()
}
