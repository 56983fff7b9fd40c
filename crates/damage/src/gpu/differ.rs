//! The comparison: what is sent to the GPU, and what comes back.

use super::buffers::{Buffers, FOUND_BYTES, TILE_BYTES, TILES_AT_ONCE, previous_bytes};
use super::work::WorkList;
use super::{FORMAT, Gpu, GpuError, extent};
use crate::bands::{Bands, MAX_HINT_RECTS};
use crate::{Changes, DiffError};
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Rect, Size, TILE_PX, TileGrid};
use std::time::Duration;

/// A GPU that does not answer for so long is taken for lost.
const PATIENCE: Duration = Duration::from_secs(2);

/// A frame to compare.
#[derive(Clone, Copy, Debug)]
pub enum GpuFrame<'a> {
    /// Pixels in memory; what the hint names is uploaded.
    Pixels(FrameRef<'a>),
    /// A `Bgra8Unorm` texture of the same device with the usage `TEXTURE_BINDING`.
    Texture(&'a wgpu::Texture),
}

/// The changed tiles as NV12 (BT.709, limited range), for an encoder on the same device: a plane
/// of luma, then one of blue and red differences for each 2x2 pixels. Tiles that never changed
/// are zero. Beyond the picture's edges its last pixels repeat.
#[derive(Clone, Copy, Debug)]
pub struct Video<'a> {
    /// Where the planes are; it has the usage `COPY_SRC`.
    pub buffer: &'a wgpu::Buffer,
    /// Bytes from one row to the next, in both planes.
    pub pitch_bytes: u32,
    /// Where the second plane begins.
    pub chroma_at_bytes: u32,
}

/// Compares frames of one size on a GPU, with the previous frame there.
///
/// [`GpuDiffer::begin`] sends one frame, [`GpuDiffer::poll`] or [`GpuDiffer::finish`] takes its
/// result; there is at most one frame in flight. The first previous frame is black.
#[derive(Debug)]
pub struct GpuDiffer {
    gpu: Gpu,
    grid: TileGrid,
    buffers: Buffers,
    bands: Bands,
    hints: Vec<Rect>,
    work: WorkList,
    flight: Option<Flight>,
    read_bytes: u64,
}

/// A comparison that was sent.
#[derive(Debug)]
struct Flight {
    /// `None` when there is nothing to look at.
    sent: Option<wgpu::SubmissionIndex>,
}

impl GpuDiffer {
    /// A differ of frames of `size`; with `video`, changed tiles are also converted to NV12.
    ///
    /// # Errors
    /// [`GpuError::Unsupported`] when such frames are too large for the GPU.
    pub fn new(gpu: &Gpu, size: Size, video: bool) -> Result<Self, GpuError> {
        gpu.check()?;
        let (grid, limits) = (TileGrid::new(size), gpu.device().limits());
        let side = size.width_px.max(size.height_px);
        let bytes = previous_bytes(size);
        if !size.is_valid()
            || side > limits.max_texture_dimension_2d
            || bytes > limits.max_storage_buffer_binding_size
        {
            let Size { width_px, height_px } = size;
            return Err(GpuError::Unsupported(format!("frames of {width_px}x{height_px}")));
        }
        let buffers = Buffers::new(gpu, size, video);
        gpu.check()?;
        Ok(Self {
            gpu: gpu.clone(),
            grid,
            buffers,
            bands: Bands::default(),
            hints: Vec::new(),
            work: WorkList::default(),
            flight: None,
            read_bytes: 0,
        })
    }

    /// Sends `next` to be compared with the frame before, inside `within` only, as by
    /// [`crate::Differ::update`]. Does not wait for the GPU.
    ///
    /// # Errors
    /// [`GpuError::Busy`] while a result waits to be taken, [`GpuError::Size`] and
    /// [`GpuError::Format`] for frames of another kind, [`GpuError::Lost`]; nothing is sent then.
    pub fn begin(&mut self, next: GpuFrame<'_>, within: &[Rect]) -> Result<(), GpuError> {
        self.gpu.check()?;
        if self.flight.is_some() {
            return Err(GpuError::Busy);
        }
        self.check_frame(&next)?;
        if within.len() > MAX_HINT_RECTS {
            return Err(GpuError::Hint(DiffError::Hint(within.len())));
        }
        let size = self.grid.size();
        self.hints.clear();
        self.hints.extend_from_slice(within);
        self.bands.rebuild(within, size);
        self.work.rebuild(self.grid, &self.bands);
        if self.work.tiles().is_empty() {
            self.flight = Some(Flight { sent: None });
            return Ok(());
        }
        let texture = match next {
            GpuFrame::Texture(texture) => Some(texture),
            GpuFrame::Pixels(pixels) => {
                self.upload(&pixels);
                None
            }
        };
        let index = self.buffers.compare(&self.gpu, texture, &self.work);
        map(self.buffers.found_out(self.work.tiles().len()));
        self.flight = Some(Flight { sent: Some(index) });
        self.gpu.check()
    }

    /// Takes the result if it is there: fills `out` and returns true. Does not wait.
    ///
    /// # Errors
    /// [`GpuError::Idle`] without a comparison, [`GpuError::Lost`]; the comparison is then over.
    pub fn poll(&mut self, out: &mut Changes) -> Result<bool, GpuError> {
        self.settle(out, false)
    }

    /// Waits for the result and fills `out` with it.
    ///
    /// # Errors
    /// As [`GpuDiffer::poll`]; also when the GPU does not answer for 2 s.
    pub fn finish(&mut self, out: &mut Changes) -> Result<(), GpuError> {
        self.settle(out, true).map(|_| ())
    }

    /// Copies the changed tiles of the last comparison from the GPU to `to`; waits for it.
    ///
    /// # Errors
    /// [`GpuError::Busy`] while a result waits to be taken, [`GpuError::Size`] when `to` or
    /// `changes` is of another one, [`GpuError::Lost`].
    pub fn read(&mut self, changes: &Changes, to: &mut FrameBuf) -> Result<(), GpuError> {
        self.gpu.check()?;
        if self.flight.is_some() {
            return Err(GpuError::Busy);
        }
        self.check_frame(&GpuFrame::Pixels(to.view()))?;
        if changes.grid() != self.grid {
            let (expected, given) = (self.grid.size(), changes.grid().size());
            return Err(GpuError::Size { expected, given });
        }
        let mut tiles = changes.tiles().iter();
        let mut batch = [0; TILES_AT_ONCE];
        loop {
            let count = batch.iter_mut().zip(&mut tiles).map(|(to, tile)| *to = tile).count();
            if count == 0 {
                return Ok(());
            }
            self.read_batch(&batch[..count], changes, to)?;
        }
    }

    /// The changed tiles as NV12, if this was asked for.
    pub fn video(&self) -> Option<Video<'_>> {
        self.buffers.video()
    }

    /// Bytes that came back from the GPU so far.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// The GPU.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    fn check_frame(&self, next: &GpuFrame<'_>) -> Result<(), GpuError> {
        let (size, is_readable) = match next {
            GpuFrame::Pixels(pixels) => {
                let stride = u32::try_from(pixels.stride()).is_ok();
                (pixels.size(), stride && pixels.format() != PixelFormat::Rgba)
            }
            GpuFrame::Texture(texture) => {
                let usage = texture.usage().contains(wgpu::TextureUsages::TEXTURE_BINDING);
                let flat = texture.dimension() == wgpu::TextureDimension::D2
                    && (texture.sample_count(), texture.mip_level_count()) == (1, 1)
                    && texture.depth_or_array_layers() == 1;
                let size = Size::new(texture.width(), texture.height());
                (size, flat && usage && texture.format() == FORMAT)
            }
        };
        if size != self.grid.size() {
            return Err(GpuError::Size { expected: self.grid.size(), given: size });
        }
        if is_readable { Ok(()) } else { Err(GpuError::Format) }
    }

    /// Uploads what the hint names.
    fn upload(&mut self, pixels: &FrameRef<'_>) {
        let queue = self.gpu.queue().clone();
        let texture = self.buffers.upload(&self.gpu);
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(pixels.stride() as u32),
            rows_per_image: None,
        };
        for (rows, spans) in self.bands.iter() {
            for span in spans {
                let (x, y) = (span.left, rows.start);
                let to = wgpu::TexelCopyTextureInfo {
                    texture,
                    mip_level: 0,
                    origin: wgpu::Origin3d { x, y, z: 0 },
                    aspect: wgpu::TextureAspect::All,
                };
                let size = Size::new(span.right - x, rows.end - y);
                let from = &pixels.data()[y as usize * pixels.stride() + x as usize * 4..];
                queue.write_texture(to, from, layout, extent(size));
            }
        }
    }

    /// Takes the result if it is there, or waits for it.
    fn settle(&mut self, out: &mut Changes, wait: bool) -> Result<bool, GpuError> {
        let flight = self.flight.take().ok_or(GpuError::Idle)?;
        out.start(self.grid.size(), &self.hints);
        let Some(index) = &flight.sent else { return Ok(true) };
        if wait {
            self.wait(index)?;
        } else {
            self.look()?;
        }
        let tiles = self.work.tiles();
        let slice = self.buffers.found_out(tiles.len());
        let view = match slice.get_mapped_range() {
            Ok(view) => view,
            Err(_) if !wait => {
                self.flight = Some(flight);
                return Ok(false);
            }
            Err(error) => return Err(self.gpu.lose(error)),
        };
        self.read_bytes += view.len() as u64;
        let (_, mut recorder) = out.parts();
        for (tile, found) in tiles.iter().zip(view.as_chunks::<FOUND_BYTES>().0) {
            let halves: [u64; 3] = std::array::from_fn(|i| {
                u64::from_le_bytes(std::array::from_fn(|byte| found[i * 8 + byte]))
            });
            recorder.set(*tile, halves[0], halves[1], halves[2]);
        }
        drop(view);
        slice.buffer().unmap();
        out.finish();
        Ok(true)
    }

    /// Copies the changed part of gathered tiles to `to`.
    fn read_batch(
        &mut self,
        tiles: &[u32],
        changes: &Changes,
        to: &mut FrameBuf,
    ) -> Result<(), GpuError> {
        let index = self.buffers.gather(&self.gpu, tiles.iter().copied());
        let slice = self.buffers.pixels_out(tiles.len());
        map(slice);
        self.wait(&index)?;
        let view = slice.get_mapped_range().map_err(|error| self.gpu.lose(error))?;
        self.read_bytes += view.len() as u64;
        for (tile, pixels) in tiles.iter().zip(view.chunks_exact(TILE_BYTES)) {
            copy_part(pixels, self.grid.rect(*tile), changes.rect(*tile), to);
        }
        drop(view);
        slice.buffer().unmap();
        Ok(())
    }

    fn look(&self) -> Result<(), GpuError> {
        let looked = self.gpu.device().poll(wgpu::PollType::Poll);
        looked.map_err(|error| self.gpu.lose(error))?;
        self.gpu.check()
    }

    fn wait(&self, index: &wgpu::SubmissionIndex) -> Result<(), GpuError> {
        let wait =
            wgpu::PollType::Wait { submission_index: Some(index.clone()), timeout: Some(PATIENCE) };
        let waited = self.gpu.device().poll(wait);
        waited.map_err(|error| self.gpu.lose(error))?;
        self.gpu.check()
    }
}

/// Asks for the slice to be readable. Nothing needs to be told when it is: the processor tries,
/// or waits for the whole submission.
fn map(slice: wgpu::BufferSlice<'_>) {
    slice.map_async(wgpu::MapMode::Read, |_| {});
}

/// Copies `area`, a part of `tile` whose pixels are given, to its place.
fn copy_part(pixels: &[u8], tile: Rect, area: Rect, to: &mut FrameBuf) {
    for y in area.y..area.bottom() {
        let at = ((y - tile.y) * TILE_PX + area.x - tile.x) as usize * 4;
        let row = &pixels[at..at + area.width as usize * 4];
        to.span_mut(area.x, y, area.width).copy_from_slice(row);
    }
}
