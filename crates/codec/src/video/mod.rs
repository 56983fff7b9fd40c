//! Video: what encoders and decoders of regions in motion have in common.
//!
//! Pictures go in and come out as planes of luma and colour differences ([`Planes`]); [`Picture`]
//! makes them of pixels and turns them back. A [`VideoEncoder`] makes access units, one a picture,
//! without delay: what it has encoded it gives out at once. A [`VideoDecoder`] takes them in the
//! same order.

#[cfg(feature = "av1")]
pub mod av1;
#[cfg(any(feature = "av1", feature = "h264"))]
mod bits;
#[cfg(feature = "h264")]
pub mod h264;
#[cfg(not(target_family = "wasm"))]
pub mod hardware;
mod picture;
mod regions;

pub use picture::{Chroma, Picture, Planes};
pub use regions::{Busy, MAX_REGIONS, Regions, busy};

use farpane_frame::Size;

/// The largest still, either way round: a second's work.
pub const LARGEST_STILL: Size = Size::new(1280, 720);

/// The formats that this build decodes here.
pub fn decodable() -> impl Iterator<Item = VideoCodec> {
    [VideoCodec::H264, VideoCodec::Av1].into_iter().filter(|codec| has(*codec))
}

/// Whether this build encodes `codec` here.
pub fn encodes(codec: VideoCodec) -> bool {
    has(codec)
}

fn has(codec: VideoCodec) -> bool {
    match codec {
        #[cfg(feature = "h264")]
        VideoCodec::H264 => h264::OpenH264::find().is_ok(),
        #[cfg(feature = "av1")]
        VideoCodec::Av1 => true,
        #[allow(unreachable_patterns)]
        _ => false,
    }
}

/// Opens an encoder on the CPU, of whatever kind this build has.
///
/// # Errors
/// There is none for `codec` here, or none for pictures of this size.
pub fn encoder(
    codec: VideoCodec,
    size: Size,
    rate: VideoRate,
) -> Result<Box<dyn VideoEncoder>, VideoError> {
    match codec {
        #[cfg(feature = "h264")]
        VideoCodec::H264 => {
            Ok(Box::new(h264::H264Encoder::new(&h264::OpenH264::find()?, size, rate)?))
        }
        #[cfg(feature = "av1")]
        VideoCodec::Av1 => Ok(Box::new(av1::Av1Encoder::new(size, rate)?)),
        #[allow(unreachable_patterns)]
        _ => {
            let reason = format!("this build encodes no {codec:?}: {size:?} at {rate:?}");
            Err(VideoError::Unavailable { what: "encoder", reason })
        }
    }
}

/// Encodes one picture in full colour as AV1. `quantizer` goes from 1 to 255, `speed` to 10; with
/// 100 and 10 photographs have a SSIMULACRA2 of 76, and take 1 us a pixel of a busy core.
///
/// # Errors
/// This build has no AV1; or the planes are not [`Chroma::Full`], or odd, smaller than 16 or
/// larger than [`LARGEST_STILL`].
pub fn still(picture: &Planes<'_>, quantizer: u8, speed: u8) -> Result<Vec<u8>, VideoError> {
    #[cfg(feature = "av1")]
    return av1::still(picture, quantizer, speed);
    #[cfg(not(feature = "av1"))]
    {
        let size = picture.size;
        let reason = format!("this build has no AV1: {size:?} by {quantizer} at {speed}");
        Err(VideoError::Unavailable { what: "encoder", reason })
    }
}

/// Opens a decoder of whatever kind this build has.
///
/// # Errors
/// There is none for `codec` here.
pub fn decoder(codec: VideoCodec, size: Size) -> Result<Box<dyn VideoDecoder>, VideoError> {
    match codec {
        #[cfg(feature = "h264")]
        VideoCodec::H264 => Ok(Box::new(h264::H264Decoder::new(&h264::OpenH264::find()?, size)?)),
        #[cfg(feature = "av1")]
        VideoCodec::Av1 => Ok(Box::new(av1::Av1Decoder::new(size)?)),
        #[allow(unreachable_patterns)]
        _ => {
            let reason = format!("this build decodes no {codec:?}: {size:?}");
            Err(VideoError::Unavailable { what: "decoder", reason })
        }
    }
}

/// The format of access units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VideoCodec {
    /// ITU-T H.264 (08/2021), constrained baseline or high profile, Annex B byte stream.
    H264,
    /// AV1 Bitstream & Decoding Process, a temporal unit of low-overhead OBUs.
    Av1,
}

impl VideoCodec {
    /// Its number on the wire.
    pub fn to_byte(self) -> u8 {
        match self {
            Self::H264 => 1,
            Self::Av1 => 2,
        }
    }

    /// The format with this number on the wire.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::H264, Self::Av1].into_iter().find(|codec| codec.to_byte() == byte)
    }
}

/// What an encoder can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// What it makes.
    pub codec: VideoCodec,
    /// How it takes colour.
    pub chroma: Chroma,
    /// The largest picture.
    pub largest: Size,
    /// Whether a device other than the CPU does the work.
    pub hardware: bool,
}

/// How fast access units may come, and how large they may be on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VideoRate {
    /// Bits a second on average.
    pub bits_per_s: u32,
    /// Pictures a second that are going to come.
    pub pictures_per_s: f32,
}

/// What an encoder made of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Whether it can be decoded without any unit before.
    pub keyframe: bool,
}

/// Makes access units of the pictures of one region.
pub trait VideoEncoder: Send {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Encodes a picture and appends its access unit to `out`. `None`: it was skipped to hold the
    /// rate, and nothing was appended; offer the newest picture again when there is one.
    ///
    /// # Errors
    /// The picture has another size than the encoder was made for, or the encoder failed: it is
    /// of no more use.
    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError>;

    /// The next unit shall need none before it.
    fn request_keyframe(&mut self);

    /// Aims at another rate from the next picture on.
    ///
    /// # Errors
    /// The encoder refused; it goes on at the old rate.
    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError>;
}

/// Makes pictures of access units.
pub trait VideoDecoder: Send {
    /// Decodes one access unit. `None`: it holds no whole picture.
    ///
    /// # Errors
    /// The unit is invalid, or refers to one that did not come. Go on with a keyframe.
    fn decode(&mut self, unit: &[u8]) -> Result<Option<Planes<'_>>, VideoError>;
}

/// Why video cannot be encoded or decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// A size that the coder does not take.
    #[error("a picture of {found:?}: sides are even and at most {largest:?}")]
    Size {
        /// What came.
        found: Size,
        /// What it takes at most.
        largest: Size,
    },
    /// Planes of another size, or with another number of colour samples, than it was made for.
    #[error("planes of another size or kind than the coder was made for")]
    Kind,
    /// There is no such encoder or decoder here.
    #[error("{what} cannot be had: {reason}")]
    Unavailable {
        /// What was asked for.
        what: &'static str,
        /// Why, for people.
        reason: String,
    },
    /// The encoder or decoder failed.
    #[error("{what} failed: {reason}")]
    Failed {
        /// What failed.
        what: &'static str,
        /// Why, for people.
        reason: String,
    },
}
