//! H.264 by OpenH264, on the CPU.
//!
//! The feature `openh264-source` compiles the library in. `openh264-libloading` loads Cisco's own
//! binary at run time, for whose use Cisco pays the patent fee; only binaries with a checksum
//! that is known are taken.

#[cfg(not(any(feature = "openh264-source", feature = "openh264-libloading")))]
compile_error!("H.264 needs the feature openh264-source or openh264-libloading");

mod decoder;
mod encoder;
mod sps;

pub use decoder::H264Decoder;
pub use encoder::H264Encoder;

use super::VideoError;
use openh264::OpenH264API;
use std::path::PathBuf;

const NAME: &str = "OpenH264";

/// Where OpenH264 is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenH264 {
    /// Compiled in.
    #[cfg(feature = "openh264-source")]
    BuiltIn,
    /// Cisco's binary, in a folder that only administrators may write to: it is read once for
    /// its checksum and once to be loaded.
    #[cfg(feature = "openh264-libloading")]
    File(PathBuf),
}

impl OpenH264 {
    /// Names the file of Cisco's binary.
    pub const FILE_VARIABLE: &str = "FARPANE_OPENH264";

    /// The file that [`OpenH264::FILE_VARIABLE`] names, else what is compiled in.
    ///
    /// # Errors
    /// There is neither, or no support for it in this build.
    pub fn find() -> Result<Self, VideoError> {
        let named = std::env::var_os(Self::FILE_VARIABLE).map(PathBuf::from);
        #[cfg(feature = "openh264-libloading")]
        if let Some(file) = named {
            return Ok(Self::File(file));
        }
        #[cfg(not(feature = "openh264-libloading"))]
        if let Some(file) = named {
            let reason = format!("this build cannot load {}", file.display());
            return Err(VideoError::Unavailable { what: NAME, reason });
        }
        #[cfg(feature = "openh264-source")]
        return Ok(Self::BuiltIn);
        #[cfg(not(feature = "openh264-source"))]
        {
            let reason = format!("{} does not name Cisco's binary", Self::FILE_VARIABLE);
            Err(VideoError::Unavailable { what: NAME, reason })
        }
    }

    fn api(&self) -> Result<OpenH264API, VideoError> {
        match self {
            #[cfg(feature = "openh264-source")]
            Self::BuiltIn => Ok(OpenH264API::from_source()),
            #[cfg(feature = "openh264-libloading")]
            Self::File(file) => OpenH264API::from_blob_path(file).map_err(|error| {
                let reason = format!("{}: {error}", file.display());
                VideoError::Unavailable { what: NAME, reason }
            }),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> VideoError {
    VideoError::Failed { what: NAME, reason: error.to_string() }
}

#[cfg(test)]
mod tests;
