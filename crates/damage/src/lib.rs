//! Which tiles changed and what moved: a scalar reference and SIMD kernels.
//!
//! [`Differ`] compares a captured frame with the canonical one and reports exact [`Changes`];
//! [`merge`] turns them into few rectangles; [`MoveFinder`] finds what only moved. All of them
//! keep their scratch memory: once frames stop growing nothing is allocated.
//!
//! The fourth byte of a pixel is undefined ([`farpane_frame::PixelFormat::Bgrx`]) or opaque alpha
//! in captured frames; it is never compared.

mod bands;
mod changes;
mod differ;
mod kernel;
mod merge;
mod moves;

pub use changes::Changes;
pub use differ::{DiffError, Differ};
pub use kernel::{KERNEL_VARIABLE, Kernel, KernelError};
pub use merge::{MergeParams, merge};
pub use moves::{MoveFinder, MoveStats};
