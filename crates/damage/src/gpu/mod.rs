//! Comparing on a GPU.
//!
//! [`GpuDiffer`] finds the [`crate::Changes`] that [`crate::Differ`] finds, bit for bit, in one
//! dispatch that also updates the previous frame and, when asked, converts changed tiles to NV12.
//! Only the result comes back: 24 bytes for each tile that was looked at. A frame that is a
//! texture already is compared where it is; one in memory is uploaded first, which reads as many
//! bytes as a comparison by the processor would, so that pays only with a processor that is busy.

mod assistant;
mod buffers;
mod calibration;
mod device;
mod differ;
mod dmabuf;
mod work;

pub(crate) use assistant::Assistant;
pub use calibration::Calibration;
pub use device::{Gpu, GpuOptions};
pub use differ::{GpuDiffer, GpuFrame, Video};
pub use dmabuf::DmaBufLayout;
/// Of the version whose textures are compared.
pub use wgpu;

use farpane_frame::Size;

/// Why a GPU does not compare.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// There is none, or only one that is a program and [`GpuOptions::software`] is not set.
    #[error("no GPU was found")]
    Missing,
    /// There is one, but it does not open.
    #[error("the GPU does not open: {0}")]
    Open(String),
    /// It worked and does no longer: compare by the processor.
    #[error("the GPU was lost: {0}")]
    Lost(String),
    /// The result of the frame before was not taken yet.
    #[error("the GPU still compares the frame before: take its result first")]
    Busy,
    /// No comparison was begun.
    #[error("the GPU compares nothing: begin a comparison first")]
    Idle,
    /// This GPU cannot do what was asked.
    #[error("the GPU cannot do this: {0}")]
    Unsupported(String),
    /// A frame is of another size than the differ.
    #[error("a frame of {given:?} pixels, but this differ compares {expected:?}")]
    Size {
        /// What the differ was made for.
        expected: Size,
        /// What came.
        given: Size,
    },
    /// A frame's pixels are not blue, green and red, or its texture cannot be bound.
    #[error("the frame is not BGRX, or its texture lacks the usage TEXTURE_BINDING")]
    Format,
    /// The hint has too many rectangles.
    #[error(transparent)]
    Hint(crate::DiffError),
}

/// The only format of textures: blue, green, red and one undefined byte.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Bgra8Unorm;

fn extent(size: Size) -> wgpu::Extent3d {
    wgpu::Extent3d { width: size.width_px, height: size.height_px, depth_or_array_layers: 1 }
}

fn texture_of(size: Size, usage: wgpu::TextureUsages) -> wgpu::TextureDescriptor<'static> {
    wgpu::TextureDescriptor {
        label: Some("frame"),
        size: extent(size),
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage,
        view_formats: &[],
    }
}
