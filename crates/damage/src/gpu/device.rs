//! A GPU: finding one, and knowing when it is gone.

use super::{GpuError, extent, texture_of};
use farpane_frame::{FrameRef, PixelFormat, Size};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Which GPU to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuOptions {
    /// Also takes a renderer that is a program; tests use it. By default only hardware counts:
    /// a program shares the processor with the kernels that it would relieve.
    pub software: bool,
}

/// A GPU that compares pictures. Clones are the same GPU.
#[derive(Clone, Debug)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: Arc<str>,
    state: Arc<State>,
}

/// What callbacks of the driver have said.
#[derive(Debug, Default)]
struct State {
    lost: OnceLock<String>,
    error: Mutex<Option<String>>,
}

impl Gpu {
    /// Opens the most powerful GPU. Blocks while the driver loads, up to some 100 ms.
    ///
    /// # Errors
    /// [`GpuError::Missing`] when there is none, [`GpuError::Open`] when it does not open.
    pub fn open(options: GpuOptions) -> Result<Self, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::PRIMARY,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
        let rank = |adapter: &wgpu::Adapter| match adapter.get_info().device_type {
            wgpu::DeviceType::DiscreteGpu => Some(4),
            wgpu::DeviceType::IntegratedGpu => Some(3),
            wgpu::DeviceType::VirtualGpu => Some(2),
            wgpu::DeviceType::Other => Some(1),
            wgpu::DeviceType::Cpu => options.software.then_some(0),
        };
        let ranked = adapters.into_iter().filter_map(|adapter| Some((rank(&adapter)?, adapter)));
        let (_, adapter) = ranked.max_by_key(|(rank, _)| *rank).ok_or(GpuError::Missing)?;
        let info = adapter.get_info();
        let limits = adapter.limits();
        let device = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("farpane"),
            required_features: adapter.features() & super::dmabuf::FEATURES,
            required_limits: wgpu::Limits {
                max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
                max_buffer_size: limits.max_buffer_size,
                max_texture_dimension_2d: limits.max_texture_dimension_2d,
                ..Default::default()
            },
            ..Default::default()
        });
        let (device, queue) =
            pollster::block_on(device).map_err(|error| GpuError::Open(error.to_string()))?;
        Ok(Self::new(device, queue, format!("{} ({}, {})", info.name, info.backend, info.driver)))
    }

    /// A GPU that the app opened, called `name` in logs; its textures can be compared. From now
    /// on its lost and uncaptured errors are told here: this replaces the device's callbacks.
    pub fn new(device: wgpu::Device, queue: wgpu::Queue, name: impl Into<Arc<str>>) -> Self {
        let state = Arc::<State>::default();
        let (of_loss, of_error) = (Arc::clone(&state), Arc::clone(&state));
        device.set_device_lost_callback(move |reason, text| {
            let _ = of_loss.lost.set(format!("{reason:?}: {text}"));
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut first = of_error.error.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.to_string());
        }));
        Self { device, queue, name: name.into(), state }
    }

    /// What it is called, with its driver.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device, to make textures of.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// Its queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// A texture with the pixels of `frame`, which [`crate::gpu::GpuDiffer`] can compare.
    ///
    /// # Errors
    /// [`GpuError::Format`] for pixels that are not blue, green and red, [`GpuError::Unsupported`]
    /// for a frame that is too large for the GPU.
    pub fn texture(&self, frame: &FrameRef<'_>) -> Result<wgpu::Texture, GpuError> {
        let Size { width_px, height_px } = frame.size();
        let stride = u32::try_from(frame.stride()).map_err(|_| GpuError::Format)?;
        if frame.format() == PixelFormat::Rgba {
            return Err(GpuError::Format);
        }
        if width_px.max(height_px) > self.device.limits().max_texture_dimension_2d {
            return Err(GpuError::Unsupported(format!("a texture of {width_px}x{height_px}")));
        }
        let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST;
        let texture = self.device.create_texture(&texture_of(frame.size(), usage));
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(stride),
            rows_per_image: None,
        };
        let size = extent(frame.size());
        self.queue.write_texture(texture.as_image_copy(), frame.data(), layout, size);
        Ok(texture)
    }

    /// Fails once the GPU is gone (a driver that was updated, a cable that was pulled) or has
    /// refused something.
    ///
    /// # Errors
    /// [`GpuError::Lost`] with the driver's reason.
    pub fn check(&self) -> Result<(), GpuError> {
        if let Some(reason) = self.state.lost.get() {
            return Err(GpuError::Lost(reason.clone()));
        }
        let error = self.state.error.lock().unwrap_or_else(PoisonError::into_inner);
        error.as_ref().map_or(Ok(()), |error| Err(GpuError::Lost(error.clone())))
    }

    /// Takes the GPU for lost, for whoever uses it, because of `reason`.
    pub(super) fn lose(&self, reason: impl ToString) -> GpuError {
        GpuError::Lost(self.state.lost.get_or_init(|| reason.to_string()).clone())
    }
}
