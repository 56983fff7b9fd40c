//! Comparing by whichever processor is faster.

#[cfg(feature = "gpu")]
use crate::gpu::Assistant;
use crate::{Changes, DiffError, Differ, Kernel};
use farpane_frame::{FrameBuf, FrameRef, Rect};
use std::str::FromStr;

/// The environment variable that forces a processor by name: `auto`, `cpu` or `gpu`.
pub const PROCESSOR_VARIABLE: &str = "FARPANE_DAMAGE_PROCESSOR";

/// Who compares frames that are in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Processor {
    /// Whichever a short calibration finds faster, for each size of frame and of damage. It runs
    /// beside the first frames, which the CPU compares.
    #[default]
    Auto,
    /// The CPU, without looking for a GPU.
    Cpu,
    /// The GPU, if there is one.
    Gpu,
}

/// No processor has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no processor is named {0:?}: expected auto, cpu or gpu")]
pub struct ProcessorError(String);

impl Processor {
    /// What [`PROCESSOR_VARIABLE`] asks for; `None` when it is unset or empty.
    ///
    /// # Errors
    /// The value is no processor's name.
    pub fn forced() -> Result<Option<Self>, ProcessorError> {
        let value = std::env::var_os(PROCESSOR_VARIABLE).filter(|value| !value.is_empty());
        value.map(|value| value.to_string_lossy().parse()).transpose()
    }

    /// Its name, as [`PROCESSOR_VARIABLE`] takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

impl FromStr for Processor {
    type Err = ProcessorError;

    fn from_str(name: &str) -> Result<Self, ProcessorError> {
        let all = [Self::Auto, Self::Cpu, Self::Gpu];
        let named = all.into_iter().find(|processor| processor.name().eq_ignore_ascii_case(name));
        named.ok_or_else(|| ProcessorError(name.to_owned()))
    }
}

/// Compares as a [`Differ`] does, by the CPU or by a GPU, with the same result. A GPU that is
/// lost is left for the CPU in the same call. What is chosen, and why, is logged.
#[derive(Debug)]
pub struct Comparer {
    differ: Differ,
    #[cfg(feature = "gpu")]
    assistant: Assistant,
}

impl Comparer {
    /// A comparer by `processor`; the CPU uses `kernel`.
    ///
    /// With [`Processor::Gpu`] this opens the GPU, which can take some 100 ms.
    pub fn new(kernel: Kernel, processor: Processor) -> Self {
        #[cfg(not(feature = "gpu"))]
        if processor == Processor::Gpu {
            log::warn!("comparing on the CPU: this program was built without the feature `gpu`");
        }
        Self {
            differ: Differ::new(kernel),
            #[cfg(feature = "gpu")]
            assistant: Assistant::new(kernel, processor),
        }
    }

    /// As [`Differ::compare`].
    ///
    /// # Errors
    /// As [`Differ::compare`].
    pub fn compare(
        &mut self,
        canon: &FrameRef<'_>,
        next: &FrameRef<'_>,
        within: &[Rect],
        out: &mut Changes,
    ) -> Result<(), DiffError> {
        #[cfg(feature = "gpu")]
        if self.assistant.compare(canon, next, within, out) {
            return Ok(());
        }
        self.differ.compare(canon, next, within, out)
    }

    /// As [`Differ::apply`].
    ///
    /// # Errors
    /// As [`Differ::apply`].
    pub fn apply(
        &mut self,
        canon: &mut FrameBuf,
        next: &FrameRef<'_>,
        changes: &Changes,
    ) -> Result<(), DiffError> {
        self.differ.apply(canon, next, changes)?;
        #[cfg(feature = "gpu")]
        self.assistant.applied();
        Ok(())
    }

    /// Frames that a GPU compared so far.
    pub fn frames_by_gpu(&self) -> u64 {
        #[cfg(feature = "gpu")]
        return self.assistant.frames();
        #[cfg(not(feature = "gpu"))]
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_named_and_unknown_names_refused() {
        for processor in [Processor::Auto, Processor::Cpu, Processor::Gpu] {
            assert_eq!(processor.name().parse(), Ok(processor));
        }
        assert_eq!("tpu".parse::<Processor>(), Err(ProcessorError("tpu".into())));
    }
}
