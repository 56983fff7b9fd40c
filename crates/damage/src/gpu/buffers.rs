//! What lies in a GPU's memory, and the commands that work on it.

use super::work::WorkList;
use super::{Gpu, Video, texture_of};
use farpane_frame::{Size, TILE_PX, TileGrid};
use wgpu::BufferUsages as Usage;

/// Words before the work in the shader's input.
const HEADER_WORDS: usize = 8;
const WORD_BYTES: usize = 4;
/// Bytes of a tile's result: columns with a change in its upper and in its lower half, then rows
/// with one, 64 bits each.
pub(super) const FOUND_BYTES: usize = 24;
/// Bytes of a tile's pixels.
pub(super) const TILE_BYTES: usize = (TILE_PX * TILE_PX) as usize * WORD_BYTES;
/// Tiles whose pixels are gathered at once: 4 MiB.
pub(super) const TILES_AT_ONCE: usize = 256;
/// Workgroups in a row of a dispatch; every GPU takes as many.
const MAX_GROUPS: u32 = 65_535;
/// Textures of the app whose bindings are kept: as many as sources usually take turns with.
const MAX_BINDINGS: usize = 4;

/// Buffers and pipelines for frames of one size.
#[derive(Debug)]
pub(super) struct Buffers {
    grid: TileGrid,
    compare: wgpu::ComputePipeline,
    gather: wgpu::ComputePipeline,
    input: wgpu::Buffer,
    previous: wgpu::Buffer,
    found: wgpu::Buffer,
    video: wgpu::Buffer,
    pixels: wgpu::Buffer,
    /// Where the processor reads results and pixels.
    found_out: wgpu::Buffer,
    pixels_out: wgpu::Buffer,
    upload: Option<wgpu::Texture>,
    bindings: Vec<(wgpu::Texture, wgpu::BindGroup)>,
    words: Vec<u32>,
    bytes: Vec<u8>,
}

impl Buffers {
    pub(super) fn new(gpu: &Gpu, size: Size, video: bool) -> Self {
        let (device, grid) = (gpu.device(), TileGrid::new(size));
        let shader = device.create_shader_module(wgpu::include_wgsl!("compare.wgsl"));
        let pipeline = |entry| {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry),
                layout: None,
                module: &shader,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        };
        let buffer = |label, size: usize, usage| buffer(device, label, size as u64, usage);
        let tiles = grid.tiles() as usize;
        let gathered = TILES_AT_ONCE * TILE_BYTES;
        let video_bytes = if video { video_words(grid) * WORD_BYTES } else { WORD_BYTES };
        Self {
            grid,
            compare: pipeline("compare"),
            gather: pipeline("gather"),
            input: buffer("input", (HEADER_WORDS + 8 * tiles) * WORD_BYTES, INPUT),
            previous: buffer("previous", previous_bytes(size) as usize, Usage::STORAGE),
            found: buffer("found", tiles * FOUND_BYTES, Usage::STORAGE | Usage::COPY_SRC),
            video: buffer("video", video_bytes, Usage::STORAGE | Usage::COPY_SRC),
            pixels: buffer("pixels", gathered, Usage::STORAGE | Usage::COPY_SRC),
            found_out: buffer("found out", tiles * FOUND_BYTES, OUTPUT),
            pixels_out: buffer("pixels out", gathered, OUTPUT),
            upload: None,
            bindings: Vec::with_capacity(MAX_BINDINGS),
            words: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Where pixels of memory go before they are compared.
    pub(super) fn upload(&mut self, gpu: &Gpu) -> &wgpu::Texture {
        let size = self.grid.size();
        self.upload.get_or_insert_with(|| {
            let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST;
            gpu.device().create_texture(&texture_of(size, usage))
        })
    }

    /// Sends the comparison of `texture`, or of what was uploaded.
    pub(super) fn compare(
        &mut self,
        gpu: &Gpu,
        texture: Option<&wgpu::Texture>,
        work: &WorkList,
    ) -> wgpu::SubmissionIndex {
        let count = work.tiles().len() as u32;
        let groups = count.min(MAX_GROUPS);
        self.header(count, groups);
        work.write(self.grid, &mut self.words);
        self.send_input(gpu);
        let texture = texture.unwrap_or_else(|| self.upload(gpu)).clone();
        let bound = self.bind(gpu, texture);
        let mut commands = gpu.device().create_command_encoder(&Default::default());
        {
            let mut pass = commands.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.compare);
            pass.set_bind_group(0, &self.bindings[bound].1, &[]);
            pass.dispatch_workgroups(groups, count.div_ceil(groups), 1);
        }
        let bytes = u64::from(count) * FOUND_BYTES as u64;
        commands.copy_buffer_to_buffer(&self.found, 0, &self.found_out, 0, bytes);
        gpu.queue().submit([commands.finish()])
    }

    /// Sends for the pixels of at most [`TILES_AT_ONCE`] tiles of the previous frame.
    pub(super) fn gather(
        &mut self,
        gpu: &Gpu,
        tiles: impl Iterator<Item = u32>,
    ) -> wgpu::SubmissionIndex {
        self.header(0, 0);
        let columns = self.grid.columns();
        self.words.extend(tiles.flat_map(|tile| [tile % columns, tile / columns]));
        let count = (self.words.len() - HEADER_WORDS) as u32 / 2;
        self.send_input(gpu);
        let resource = |binding, buffer: &'_ wgpu::Buffer| (binding, buffer.clone());
        let entries =
            [resource(0, &self.input), resource(2, &self.previous), resource(5, &self.pixels)];
        let entries = entries.each_ref().map(|(binding, buffer)| wgpu::BindGroupEntry {
            binding: *binding,
            resource: buffer.as_entire_binding(),
        });
        let group = gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("gather"),
            layout: &self.gather.get_bind_group_layout(0),
            entries: &entries,
        });
        let mut commands = gpu.device().create_command_encoder(&Default::default());
        {
            let mut pass = commands.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.gather);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(count, 1, 1);
        }
        let bytes = u64::from(count) * TILE_BYTES as u64;
        commands.copy_buffer_to_buffer(&self.pixels, 0, &self.pixels_out, 0, bytes);
        gpu.queue().submit([commands.finish()])
    }

    /// Where the results of `tiles` tiles arrive.
    pub(super) fn found_out(&self, tiles: usize) -> wgpu::BufferSlice<'_> {
        self.found_out.slice(..(tiles * FOUND_BYTES) as u64)
    }

    /// Where the pixels of `tiles` gathered tiles arrive.
    pub(super) fn pixels_out(&self, tiles: usize) -> wgpu::BufferSlice<'_> {
        self.pixels_out.slice(..(tiles * TILE_BYTES) as u64)
    }

    pub(super) fn video(&self) -> Option<Video<'_>> {
        let pitch_bytes = self.grid.columns() * TILE_PX;
        let chroma_at_bytes = pitch_bytes * self.grid.rows() * TILE_PX;
        let is_asked = self.video.size() > WORD_BYTES as u64;
        is_asked.then_some(Video { buffer: &self.video, pitch_bytes, chroma_at_bytes })
    }

    fn header(&mut self, count: u32, groups: u32) {
        let size = self.grid.size();
        let (pitch, chroma) =
            self.video().map_or((0, 0), |v| (v.pitch_bytes / 4, v.chroma_at_bytes / 4));
        self.words.clear();
        let row = self.grid.columns() * TILE_PX;
        self.words.extend([size.width_px, size.height_px, row, count, groups, pitch, chroma, 0]);
    }

    /// Writes the input; a larger buffer is made first when it does not fit.
    fn send_input(&mut self, gpu: &Gpu) {
        self.bytes.clear();
        self.bytes.extend(self.words.iter().flat_map(|word| word.to_le_bytes()));
        if self.input.size() < self.bytes.len() as u64 {
            let bytes = self.bytes.len().next_power_of_two() as u64;
            self.input = buffer(gpu.device(), "input", bytes, INPUT);
            self.bindings.clear();
        }
        gpu.queue().write_buffer(&self.input, 0, &self.bytes);
    }

    /// The number of the binding of `texture`.
    fn bind(&mut self, gpu: &Gpu, texture: wgpu::Texture) -> usize {
        if let Some(known) = self.bindings.iter().position(|(bound, _)| *bound == texture) {
            return known;
        }
        if self.bindings.len() == MAX_BINDINGS {
            self.bindings.remove(0);
        }
        let view = texture.create_view(&Default::default());
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        let group = gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("compare"),
            layout: &self.compare.get_bind_group_layout(0),
            entries: &[
                entry(0, self.input.as_entire_binding()),
                entry(1, wgpu::BindingResource::TextureView(&view)),
                entry(2, self.previous.as_entire_binding()),
                entry(3, self.found.as_entire_binding()),
                entry(4, self.video.as_entire_binding()),
            ],
        });
        self.bindings.push((texture, group));
        self.bindings.len() - 1
    }
}

const INPUT: Usage = Usage::STORAGE.union(Usage::COPY_DST);
const OUTPUT: Usage = Usage::MAP_READ.union(Usage::COPY_DST);

/// Bytes of the previous frame, whose rows are padded to whole tiles.
pub(super) fn previous_bytes(size: Size) -> u64 {
    let row = u64::from(size.width_px.next_multiple_of(TILE_PX));
    row * u64::from(size.height_px) * WORD_BYTES as u64
}

/// Words of all tiles as NV12.
fn video_words(grid: TileGrid) -> usize {
    grid.tiles() as usize * (TILE_PX * TILE_PX) as usize * 3 / 2 / WORD_BYTES
}

fn buffer(device: &wgpu::Device, label: &str, size: u64, usage: Usage) -> wgpu::Buffer {
    let descriptor =
        wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
    device.create_buffer(&descriptor)
}
