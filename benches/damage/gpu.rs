//! What a GPU needs for the same.

use crate::SCREENS;
use crate::cases::corpus;
use farpane_benches::{fastest, row};
use farpane_damage::gpu::{Calibration, Gpu, GpuDiffer, GpuFrame, GpuOptions, wgpu};
use farpane_damage::{Changes, Kernel};
use farpane_frame::FrameRef;
use std::hint::black_box;

/// Prints a table, if there is any GPU, be it a program.
pub(crate) fn table() {
    let gpu = match Gpu::open(GpuOptions { software: true }) {
        Ok(gpu) => gpu,
        Err(error) => return println!("GPU: not measured: {error}"),
    };
    println!("GPU: {}", gpu.name());
    for (screen, size) in SCREENS {
        match Calibration::measure(&gpu, Kernel::detect(), size) {
            Ok(calibration) => {
                let from = calibration.gpu_from_px();
                println!("{screen} calibration: {calibration}; the GPU from {from:?} pixels on");
            }
            Err(error) => println!("{screen} calibration: {error}"),
        }
        for case in corpus(size) {
            let [a, b] = case.frames.each_ref().map(|frame| frame.view());
            let textures = [texture(&gpu, &a), texture(&gpu, &b)];
            let run = |kind: &str, frames: [GpuFrame<'_>; 2]| {
                let mut differ = match GpuDiffer::new(&gpu, size, false) {
                    Ok(differ) => differ,
                    Err(error) => return println!("{screen} {} {kind}: {error}", case.name),
                };
                let (mut changes, mut turn) = (Changes::new(), 0);
                let mut compare = |hint: &[_]| {
                    turn += 1;
                    differ.begin(frames[turn % 2], hint).expect("a GPU");
                    differ.finish(black_box(&mut changes)).expect("a GPU");
                };
                compare(&[size.rect()]);
                let took = fastest(|| compare(&case.hint));
                row(&format!("{screen} {}, {kind}", case.name), took, "hinted");
            };
            run("texture", textures.each_ref().map(GpuFrame::Texture));
            run("uploaded", [GpuFrame::Pixels(a), GpuFrame::Pixels(b)]);
        }
    }
}

/// A texture with the pixels of `frame`.
fn texture(gpu: &Gpu, frame: &FrameRef<'_>) -> wgpu::Texture {
    let (width, height) = (frame.size().width_px, frame.size().height_px);
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    let texture = gpu.device().create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Bgra8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(frame.stride() as u32),
        rows_per_image: None,
    };
    gpu.queue().write_texture(texture.as_image_copy(), frame.data(), layout, size);
    texture
}
