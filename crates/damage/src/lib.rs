//! Which tiles changed and what moved: a scalar reference and SIMD kernels.
//!
//! [`Differ`] compares a captured frame with the canonical one and reports exact [`Changes`];
//! [`merge`] turns them into few rectangles; [`MoveFinder`] finds what only moved. All of them
//! keep their scratch memory: once frames stop growing nothing is allocated.
//!
//! The fourth byte of a pixel is undefined ([`farpane_frame::PixelFormat::Bgrx`]) or opaque alpha
//! in captured frames; it is never compared.

mod ahead;
mod apply;
mod bands;
mod bits;
mod changes;
mod comparer;
mod differ;
#[cfg(feature = "gpu")]
pub mod gpu;
mod kernel;
mod merge;
mod motion;
mod moves;
mod walk;

pub use changes::Changes;
pub use comparer::{Comparer, PROCESSOR_VARIABLE, Processor, ProcessorError};
pub use differ::{DiffError, Differ, SHARED_FROM_PX};
pub use kernel::{KERNEL_VARIABLE, Kernel, KernelError};
pub use merge::{MergeParams, merge};
pub use motion::Motion;
pub use moves::{MoveFinder, MoveStats};
