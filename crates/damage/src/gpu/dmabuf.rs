//! Textures of memory that another program or device shares.

use super::{Gpu, GpuError};
use farpane_frame::Size;

/// What a device needs to import a dma-buf.
pub(super) const FEATURES: wgpu::Features = wgpu::Features::VULKAN_EXTERNAL_MEMORY_DMA_BUF;

/// How the pixels of a dma-buf lie: four bytes each, blue, green, red and one undefined
/// (`DRM_FORMAT_XRGB8888`), in one plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DmaBufLayout {
    /// Width and height.
    pub size: Size,
    /// The DRM format modifier that the exporter named; 0 is linear.
    pub modifier: u64,
    /// Bytes from one row to the next.
    pub stride_bytes: u64,
    /// Where the first pixel is, in bytes.
    pub offset_bytes: u64,
}

impl Gpu {
    /// Whether this GPU and its driver can import dma-bufs.
    pub fn imports_dma_bufs(&self) -> bool {
        self.device().features().contains(FEATURES)
    }

    /// Sees a dma-buf as a texture, without a copy. The exporter may go on drawing to it: wait
    /// for its fence before each comparison.
    ///
    /// # Errors
    /// [`GpuError::Unsupported`] without [`Gpu::imports_dma_bufs`] or when the driver refuses the
    /// layout; the descriptor is closed.
    ///
    /// # Safety
    /// `memory` is a dma-buf, and its pixels lie as `layout` says.
    #[cfg(target_os = "linux")]
    pub unsafe fn import_dma_buf(
        &self,
        memory: std::os::fd::OwnedFd,
        layout: DmaBufLayout,
    ) -> Result<wgpu::Texture, GpuError> {
        if !self.imports_dma_bufs() {
            return Err(GpuError::Unsupported("this GPU's driver imports no dma-bufs".into()));
        }
        let size = super::extent(layout.size);
        let hal = wgpu::hal::TextureDescriptor {
            label: Some("dma-buf"),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: super::FORMAT,
            usage: wgpu::TextureUses::RESOURCE | wgpu::TextureUses::COPY_SRC,
            memory_flags: wgpu::hal::MemoryFlags::empty(),
            view_formats: Vec::new(),
        };
        // SAFETY: the hal device is only used while `device` is borrowed and is not destroyed.
        let device = unsafe { self.device().as_hal::<wgpu::hal::vulkan::Api>() };
        let device = device.ok_or_else(|| GpuError::Unsupported("it is not Vulkan".into()))?;
        let DmaBufLayout { modifier, stride_bytes, offset_bytes, .. } = layout;
        // SAFETY: the feature is there, and the caller promises the rest.
        let texture = unsafe {
            device.texture_from_dmabuf_fd(memory, &hal, modifier, stride_bytes, offset_bytes)
        };
        let texture = texture.map_err(|error| GpuError::Unsupported(error.to_string()))?;
        drop(device);
        let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_SRC;
        // SAFETY: the texture was made of this device as described, and its content is defined.
        Ok(unsafe {
            self.device().create_texture_from_hal::<wgpu::hal::vulkan::Api>(
                texture,
                &super::texture_of(layout.size, usage),
                wgpu::TextureUses::RESOURCE,
            )
        })
    }
}
