//! Relieving the CPU of comparisons, where that is faster.

use super::{Calibration, Gpu, GpuDiffer, GpuError, GpuFrame, GpuOptions};
use crate::{Changes, Kernel, Processor};
use farpane_frame::{FrameRef, Rect, Region, Size};
use std::thread::JoinHandle;

/// With smaller frames the CPU is done before a GPU has heard of them.
const MIN_FRAME_PX: u64 = 1 << 20;
/// Sizes that are remembered as the CPU's.
const MAX_REFUSED: usize = 16;

/// A GPU that compares what it compares faster, or nothing.
#[derive(Debug)]
pub(crate) struct Assistant {
    kernel: Kernel,
    state: State,
    ready: Option<Ready>,
    refused: Vec<Size>,
    frames: u64,
}

#[derive(Debug)]
enum State {
    /// The CPU compares everything.
    Off,
    /// This GPU compares everything.
    Forced(Gpu),
    /// Each size of frame is calibrated; the GPU is open while it is used.
    Auto(Option<Gpu>),
    /// A thread calibrates.
    Calibrating(JoinHandle<Verdict>),
}

/// What a calibration found.
#[derive(Debug)]
struct Verdict {
    size: Size,
    gpu: Result<Gpu, GpuError>,
    from_px: Option<u64>,
}

/// A differ for frames of one size.
#[derive(Debug)]
struct Ready {
    size: Size,
    differ: GpuDiffer,
    /// The least damage that it is used for.
    from_px: u64,
    /// Where the frame on the GPU is not the caller's.
    stale: Region,
    /// What was compared and may not become the caller's frame.
    compared: Vec<Rect>,
}

impl Assistant {
    pub(crate) fn new(kernel: Kernel, processor: Processor) -> Self {
        let state = match processor {
            Processor::Cpu => State::Off,
            Processor::Auto => State::Auto(None),
            Processor::Gpu => match Gpu::open(GpuOptions { software: true }) {
                Ok(gpu) => {
                    log::info!("comparing on {}, as asked", gpu.name());
                    State::Forced(gpu)
                }
                Err(error) => {
                    log::warn!("comparing on the CPU ({}): {error}", kernel.name());
                    State::Off
                }
            },
        };
        Self { kernel, state, ready: None, refused: Vec::new(), frames: 0 }
    }

    /// Frames compared so far.
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// Compares, if this GPU is the one to; false when the CPU is.
    pub(crate) fn compare(
        &mut self,
        canon: &FrameRef<'_>,
        next: &FrameRef<'_>,
        within: &[Rect],
        out: &mut Changes,
    ) -> bool {
        let size = next.size();
        if canon.size() != size || canon.format() != next.format() {
            return false;
        }
        self.prepare(size);
        let Some(ready) = self.ready.as_mut().filter(|ready| ready.size == size) else {
            return false;
        };
        match ready.compare(canon, next, within, out) {
            Ok(done) => {
                self.frames += u64::from(done);
                done
            }
            Err(error) => {
                log::warn!("comparing on the CPU ({}) from now on: {error}", self.kernel.name());
                (self.state, self.ready) = (State::Off, None);
                false
            }
        }
    }

    /// The caller's frame became what was compared last.
    pub(crate) fn applied(&mut self) {
        if let Some(ready) = &mut self.ready {
            ready.compared.clear();
        }
    }

    /// Gets ready for frames of `size`, or has begun to.
    fn prepare(&mut self, size: Size) {
        if self.ready.as_ref().is_some_and(|ready| ready.size == size) {
            return;
        }
        self.take_verdict();
        match &self.state {
            State::Forced(gpu) => {
                let gpu = gpu.clone();
                self.use_gpu(&gpu, size, 0);
            }
            State::Auto(gpu) if size.area_px() >= MIN_FRAME_PX && !self.refused.contains(&size) => {
                self.state = calibrate(gpu.clone(), self.kernel, size);
            }
            State::Auto(_) | State::Calibrating(_) | State::Off => {}
        }
    }

    /// Follows a calibration that is done.
    fn take_verdict(&mut self) {
        match std::mem::replace(&mut self.state, State::Off) {
            State::Calibrating(thread) if thread.is_finished() => {
                if let Ok(verdict) = thread.join() {
                    self.follow(verdict);
                }
            }
            other => self.state = other,
        }
    }

    fn follow(&mut self, verdict: Verdict) {
        let Verdict { size, gpu, from_px } = verdict;
        match (gpu, from_px) {
            (Err(error), _) => {
                log::info!("comparing on the CPU ({}): {error}", self.kernel.name());
                self.state = State::Off;
            }
            (Ok(gpu), Some(from_px)) => {
                self.state = State::Auto(Some(gpu.clone()));
                self.use_gpu(&gpu, size, from_px);
            }
            (Ok(_), None) => {
                if self.refused.len() == MAX_REFUSED {
                    self.refused.remove(0);
                }
                self.refused.push(size);
                self.state = State::Auto(None);
            }
        }
    }

    fn use_gpu(&mut self, gpu: &Gpu, size: Size, from_px: u64) {
        match GpuDiffer::new(gpu, size, false) {
            Ok(differ) => {
                let (stale, compared) = (Region::from_rect(size.rect()), Vec::new());
                self.ready = Some(Ready { size, differ, from_px, stale, compared });
            }
            Err(error) => {
                log::warn!("comparing on the CPU ({}): {error}", self.kernel.name());
                (self.state, self.ready) = (State::Off, None);
            }
        }
    }
}

/// Waits for a thread that calibrates: none outlives what it works for.
impl Drop for Assistant {
    fn drop(&mut self) {
        if let State::Calibrating(thread) = std::mem::replace(&mut self.state, State::Off) {
            let _ = thread.join();
        }
    }
}

impl Ready {
    /// Whether it compared; the CPU is to when the damage is too little, or wrong.
    fn compare(
        &mut self,
        canon: &FrameRef<'_>,
        next: &FrameRef<'_>,
        within: &[Rect],
        out: &mut Changes,
    ) -> Result<bool, GpuError> {
        self.compared.drain(..).for_each(|rect| self.stale.add(rect));
        let area: u64 = within.iter().map(|rect| rect.clip(self.size).area_px()).sum();
        if area < self.from_px {
            within.iter().for_each(|rect| self.stale.add(rect.clip(self.size)));
            return Ok(false);
        }
        if !self.stale.is_empty() {
            self.differ.begin(GpuFrame::Pixels(*canon), self.stale.rects())?;
            self.differ.finish(out)?;
            self.stale.clear();
        }
        match self.differ.begin(GpuFrame::Pixels(*next), within) {
            Err(GpuError::Hint(_) | GpuError::Format) => return Ok(false),
            begun => begun?,
        }
        self.differ.finish(out)?;
        self.compared.extend(within.iter().map(|rect| rect.clip(self.size)));
        Ok(true)
    }
}

/// Calibrates on a thread of its own, so that the first frames need not wait.
fn calibrate(gpu: Option<Gpu>, kernel: Kernel, size: Size) -> State {
    let work = move || {
        let gpu = gpu.map_or_else(|| Gpu::open(GpuOptions::default()), Ok);
        let measured = gpu.and_then(|gpu| Ok((Calibration::measure(&gpu, kernel, size)?, gpu)));
        let (gpu, from_px) = match measured {
            Ok((calibration, gpu)) => (Ok(gpu), announce(&calibration, kernel)),
            Err(error) => (Err(error), None),
        };
        Verdict { size, gpu, from_px }
    };
    match std::thread::Builder::new().name("farpane-calib".into()).spawn(work) {
        Ok(thread) => State::Calibrating(thread),
        Err(error) => {
            log::warn!("comparing on the CPU ({}): cannot calibrate: {error}", kernel.name());
            State::Off
        }
    }
}

/// Says what was chosen and why, and returns from how many pixels on the GPU is used.
fn announce(calibration: &Calibration, kernel: Kernel) -> Option<u64> {
    let from_px = calibration.gpu_from_px();
    match from_px {
        Some(pixels) => log::info!("comparing on the GPU from {pixels} pixels on: {calibration}"),
        None => log::info!("comparing on the CPU ({}): {calibration}", kernel.name()),
    }
    from_px
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_frame::{FrameBuf, PixelFormat};

    #[test]
    fn a_gpu_that_is_lost_is_left_for_the_cpu() {
        let mut assistant = Assistant::new(Kernel::Scalar, Processor::Gpu);
        let State::Forced(gpu) = &assistant.state else {
            panic!("no software renderer: tools/setup test installs one")
        };
        let gpu = gpu.clone();
        let size = Size::new(100, 100);
        let old = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        let mut new = old.clone();
        new.fill(Rect::new(3, 4, 5, 6), [1, 1, 1, 0]);
        let mut changes = Changes::new();
        let mut compare = |assistant: &mut Assistant| {
            assistant.compare(&old.view(), &new.view(), &[size.rect()], &mut changes)
        };
        assert!(compare(&mut assistant));
        gpu.device().destroy();
        assert!(!compare(&mut assistant), "the CPU is to compare this very frame");
        assert!(matches!(assistant.state, State::Off));
        assert!(!compare(&mut assistant), "and all that follow");
        assert_eq!(assistant.frames(), 1);
    }
}
