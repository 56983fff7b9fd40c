//! What a GPU needs for the same.

use crate::SCREENS;
use crate::cases::corpus;
use farpane_benches::{fastest, row};
use farpane_damage::gpu::{Calibration, Gpu, GpuDiffer, GpuFrame, GpuOptions};
use farpane_damage::{Changes, Kernel};
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
            let textures = [&a, &b].map(|frame| gpu.texture(frame).expect("a GPU"));
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
