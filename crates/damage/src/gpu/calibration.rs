//! From how much damage on a GPU compares faster than the CPU.

use super::{Gpu, GpuDiffer, GpuError, GpuFrame};
use crate::{Changes, Differ, Kernel};
use farpane_frame::{FrameBuf, PixelFormat, Rect, Size, TILE_PX};
use std::fmt;
use std::time::{Duration, Instant};

/// Runs of each measurement; the fastest counts, as other work only slows.
const RUNS: usize = 5;

/// How long either takes to compare frames of one size that are in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration {
    /// Of the frames.
    pub size: Size,
    /// The CPU, a whole frame in which every second tile changed.
    pub cpu: Duration,
    /// The GPU, the same, upload and result included.
    pub gpu: Duration,
    /// The GPU, one tile: what each call costs.
    pub gpu_call: Duration,
}

impl Calibration {
    /// Measures both; takes some 10 ms for each megapixel.
    ///
    /// # Errors
    /// The GPU fails, or cannot compare frames of this size.
    pub fn measure(gpu: &Gpu, kernel: Kernel, size: Size) -> Result<Self, GpuError> {
        let frames = Frames::new(size)?;
        let mut on_gpu = GpuDiffer::new(gpu, size, false)?;
        let mut changes = Changes::new();
        let mut compare = |frame: &FrameBuf, area: Rect| {
            on_gpu.begin(GpuFrame::Pixels(frame.view()), &[area])?;
            on_gpu.finish(&mut changes)
        };
        let tile = Rect::new(0, 0, TILE_PX, TILE_PX);
        // The first uses compile and allocate.
        frames.both().try_for_each(|frame| compare(frame, size.rect()))?;
        let (mut whole, mut call) = (Duration::MAX, Duration::MAX);
        for frame in frames.both().cycle().take(RUNS) {
            whole = whole.min(timed(|| compare(frame, size.rect()))?);
            call = call.min(timed(|| compare(frame, tile))?);
        }
        let mut differ = Differ::new(kernel);
        let mut canon = frames.one.clone();
        let mut cpu = Duration::MAX;
        for frame in [&frames.other, &frames.one].into_iter().cycle().take(RUNS + 2) {
            let update = || differ.update(&mut canon, &frame.view(), &[size.rect()], &mut changes);
            cpu = cpu.min(timed(update).map_err(GpuError::Hint)?);
        }
        Ok(Self { size, cpu, gpu: whole, gpu_call: call })
    }

    /// The least damage, in pixels, that the GPU compares faster; `None` when it never does.
    pub fn gpu_from_px(&self) -> Option<u64> {
        // Both grow with the area; the GPU starts at what a call costs.
        let grown = self.gpu.saturating_sub(self.gpu_call);
        let gained = self.cpu.checked_sub(grown).filter(|gained| !gained.is_zero())?;
        let share = self.gpu_call.as_secs_f64() / gained.as_secs_f64();
        (share < 1.0).then(|| (share * self.size.area_px() as f64).ceil() as u64)
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size: Size { width_px, height_px }, cpu, gpu, gpu_call } = self;
        write!(
            f,
            "{width_px}x{height_px} whole: CPU {:.2} ms, GPU {:.2} ms; one tile: GPU {:.2} ms",
            cpu.as_secs_f64() * 1e3,
            gpu.as_secs_f64() * 1e3,
            gpu_call.as_secs_f64() * 1e3
        )
    }
}

/// Two pictures that differ in every second tile.
struct Frames {
    one: FrameBuf,
    other: FrameBuf,
}

impl Frames {
    fn new(size: Size) -> Result<Self, GpuError> {
        let one = FrameBuf::new(size, PixelFormat::Bgrx);
        let one = one.map_err(|error| GpuError::Unsupported(error.to_string()))?;
        let mut other = one.clone();
        for y in (0..size.height_px).step_by(TILE_PX as usize) {
            let shift = y / TILE_PX % 2 * TILE_PX;
            for x in (shift..size.width_px).step_by(2 * TILE_PX as usize) {
                other.fill(Rect::new(x, y, TILE_PX, TILE_PX), [90, 120, 150, 0]);
            }
        }
        Ok(Self { one, other })
    }

    fn both(&self) -> impl Iterator<Item = &FrameBuf> + Clone {
        [&self.other, &self.one].into_iter()
    }
}

fn timed<E>(run: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_px(cpu: u64, gpu: u64, gpu_call: u64) -> Option<u64> {
        let us = Duration::from_micros;
        let size = Size::new(1000, 1000);
        Calibration { size, cpu: us(cpu), gpu: us(gpu), gpu_call: us(gpu_call) }.gpu_from_px()
    }

    #[test]
    fn the_gpu_compares_what_it_compares_faster() {
        assert_eq!(from_px(1000, 300, 100), Some(125_000), "100 / (1000 - 200) of the frame");
        assert_eq!(from_px(1000, 1100, 100), None, "it is slower at every size");
        assert_eq!(from_px(1000, 1000, 100), None, "no faster even for the whole frame");
        assert_eq!(from_px(100, 90, 90), Some(900_000));
    }
}
