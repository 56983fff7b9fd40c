//! Which ways there are to encode in hardware.

#[cfg(any(feature = "vulkan-video", feature = "nvenc"))]
use crate::video::{Capabilities, Chroma, VideoCodec};
use crate::video::{VideoEncoder, VideoError, VideoRate};
use farpane_frame::Size;
use std::{fmt, str::FromStr};

/// A way to encode in hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// Vulkan Video, on all drivers that have it.
    VulkanVideo,
    /// NVIDIA's own interface, with CUDA, on Linux.
    Nvenc,
}

/// An encoder in hardware and the driver behind it.
pub(super) struct Opened {
    pub(super) encoder: Box<dyn VideoEncoder>,
    /// The driver's name and version, for people.
    pub(super) driver: String,
}

/// What every backend's encoder can do, up to a size.
#[cfg(any(feature = "vulkan-video", feature = "nvenc"))]
pub(super) fn capabilities(largest: Size) -> Capabilities {
    Capabilities { codec: VideoCodec::H264, chroma: Chroma::Quarter, largest, hardware: true }
}

impl Backend {
    /// All, the one to prefer first.
    pub const ALL: [Backend; 2] = [Backend::Nvenc, Backend::VulkanVideo];

    /// Those that this program has, the one to prefer first.
    pub fn compiled() -> impl Iterator<Item = Backend> {
        Self::ALL.into_iter().filter(|backend| backend.is_compiled())
    }

    /// Its name, as in [`Display`](fmt::Display).
    pub const fn name(self) -> &'static str {
        match self {
            Backend::VulkanVideo => "vulkan-video",
            Backend::Nvenc => "nvenc",
        }
    }

    /// Opens an encoder of pictures of one size, in 4:2:0. This calls the driver, which may hang
    /// or crash: probe it first ([`super::Probe`]), and give this function to
    /// [`super::FailoverEncoder::start`] rather than calling it.
    ///
    /// # Errors
    /// [`VideoError::Size`] for a size that the encoder does not take, and
    /// [`VideoError::Unavailable`] if the driver or the device cannot encode, or the program was
    /// built without this backend.
    pub fn open(self, size: Size, rate: VideoRate) -> Result<Box<dyn VideoEncoder>, VideoError> {
        Ok(self.open_described(size, rate)?.encoder)
    }

    /// Opens an encoder, and says whose driver it uses.
    pub(super) fn open_described(self, size: Size, rate: VideoRate) -> Result<Opened, VideoError> {
        match self {
            #[cfg(feature = "vulkan-video")]
            Backend::VulkanVideo => super::vulkan::open(size, rate),
            #[cfg(all(feature = "nvenc", target_os = "linux", target_pointer_width = "64"))]
            Backend::Nvenc => super::nvenc::open(size, rate),
            #[allow(unreachable_patterns, reason = "every backend may be compiled in")]
            _ => {
                let _ = (size, rate);
                Err(self.unavailable("this program was built without it"))
            }
        }
    }

    pub(super) fn unavailable(self, reason: impl fmt::Display) -> VideoError {
        VideoError::Unavailable { what: self.name(), reason: reason.to_string() }
    }

    const fn is_compiled(self) -> bool {
        match self {
            Backend::VulkanVideo => cfg!(feature = "vulkan-video"),
            Backend::Nvenc => {
                cfg!(all(feature = "nvenc", target_os = "linux", target_pointer_width = "64"))
            }
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        let found = Self::ALL.into_iter().find(|backend| backend.name() == name);
        found.ok_or_else(|| UnknownBackend(name.chars().take(32).collect()))
    }
}

/// A name that is none of a [`Backend`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no way to encode in hardware is called {0:?}: there are `nvenc` and `vulkan-video`")]
pub struct UnknownBackend(String);

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: VideoRate = VideoRate { bits_per_s: 1_000_000, pictures_per_s: 30.0 };

    #[test]
    fn names_are_read_back() {
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        let unknown = "magic".parse::<Backend>().unwrap_err();
        for backend in Backend::ALL {
            assert!(unknown.to_string().contains(&format!("`{backend}`")), "{unknown}");
        }
        assert!("x".repeat(1 << 20).parse::<Backend>().unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn what_is_not_compiled_in_says_so() {
        let compiled: Vec<_> = Backend::compiled().collect();
        assert_eq!(compiled.contains(&Backend::VulkanVideo), cfg!(feature = "vulkan-video"));
        for backend in Backend::ALL.into_iter().filter(|b| !compiled.contains(b)) {
            let refused = backend.open(Size::new(320, 192), RATE).err().unwrap().to_string();
            assert_eq!(
                refused,
                format!("{backend} cannot be had: this program was built without it")
            );
        }
    }
}
