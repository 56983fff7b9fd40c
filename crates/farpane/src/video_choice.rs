//! Which video encoder a sharer uses.

use crate::sharer::OpenEncoder;
use farpane_codec::video::{self, VideoCodec, VideoError};
use std::sync::Arc;

/// How regions that behave like films are sent, and photographs over slow links before they are
/// exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodecChoice {
    /// As the best video that both sides have, and exactly when there is none; photographs as
    /// AV1 if both sides have it.
    #[default]
    Auto,
    /// Exactly, as everything else.
    Tiles,
    /// As H.264 if both sides have it.
    H264,
    /// All as AV1 if both sides have it: better than H.264 over links too slow for it (below some
    /// 0.06 bits a pixel), and some 30 times the work, which delays what else changes by up to
    /// 0.2 s. Regions of more than 1280x720 go exactly.
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

    /// Whether this build has, on this machine, what the choice asks for.
    pub fn is_available(self) -> bool {
        match self {
            Self::Auto | Self::Tiles => true,
            Self::H264 => video::encodes(VideoCodec::H264),
            Self::Av1 => video::encodes(VideoCodec::Av1),
        }
    }

    /// How to encode films for a helper that decodes these formats; `None` is exactly.
    pub(crate) fn encoder_for(self, decodable: u32) -> Option<OpenEncoder> {
        let codecs: &[VideoCodec] = match self {
            Self::Auto | Self::H264 => &[VideoCodec::H264],
            Self::Tiles => &[],
            Self::Av1 => &[VideoCodec::Av1, VideoCodec::H264],
        };
        let both =
            |codec: &VideoCodec| decodable >> codec.to_byte() & 1 == 1 && video::encodes(*codec);
        let codecs: Vec<VideoCodec> = codecs.iter().copied().filter(both).collect();
        let (first, rest) = codecs.split_first()?;
        let (first, rest) = (*first, rest.to_vec());
        Some(Arc::new(move |size, rate| {
            let next = |opened: Result<_, VideoError>, codec: &VideoCodec| match opened {
                Err(VideoError::Size { .. }) => video::encoder(*codec, size, rate),
                opened => opened,
            };
            rest.iter().fold(video::encoder(first, size, rate), next)
        }))
    }

    /// Whether photographs at rest go to a helper that decodes these formats as AV1 first.
    pub(crate) fn has_stills(self, decodable: u32) -> bool {
        let chosen = matches!(self, Self::Auto | Self::Av1);
        let decodes = decodable >> VideoCodec::Av1.to_byte() & 1 == 1;
        chosen && decodes && video::encodes(VideoCodec::Av1)
    }
}

/// A text that names no [`CodecChoice`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no codec is named {0:?}: use auto, tiles, h264 or av1")]
pub struct UnknownCodec(String);

impl std::str::FromStr for CodecChoice {
    type Err = UnknownCodec;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|choice| choice.name() == text);
        named.ok_or_else(|| UnknownCodec(text.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_helpers_who_decode_av1_get_stills_and_only_where_av1_may_be() {
        let (h264, av1) = (1 << VideoCodec::H264.to_byte(), 1 << VideoCodec::Av1.to_byte());
        for choice in CodecChoice::ALL {
            let may = matches!(choice, CodecChoice::Auto | CodecChoice::Av1);
            let may = may && video::encodes(VideoCodec::Av1);
            assert!(!choice.has_stills(h264), "{choice}");
            assert_eq!(choice.has_stills(h264 | av1), may, "{choice}");
        }
    }
}
