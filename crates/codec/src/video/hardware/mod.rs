//! Encoders in hardware, and what it takes to rely on them: drivers hang, crash and lie.
//!
//! 1. A [`Backend`] is *probed* before its first use, in a process of its own with a time limit:
//!    [`Probe`] in the app, [`probe::child_main`] in the process that it starts. [`Remembered`]
//!    keeps the verdict for each driver, so that a driver that hangs costs the limit once.
//! 2. In use it sits behind a [`FailoverEncoder`], on a thread of its own. At the first sign of
//!    trouble the software encoder takes over, for good.
//!
//! ```text
//! installed() ─▶ Remembered::choose ─▶ Verdict::Works ─▶ FailoverEncoder::start
//!                        └▶ Probe::run_until ─▶ child_main
//! ```
//!
//! # Features
//! - `vulkan-video`: Vulkan Video by way of `gpu-video`, on all drivers that have it. Its build
//!   needs a C++ compiler.
//! - `nvenc`: NVIDIA's own interface, on Linux.
//!
//! Both load what they need at run time: a program that has them starts without any driver. They
//! make H.264 without delay, without B pictures and without periodic keyframes.
//!
//! No machine of the project's has a device that encodes. `vulkan-video` has run up to the search
//! for a device; `nvenc` against a driver of our own, in Rust here, and once in C, built with
//! NVIDIA's header. `tests/hardware.rs` encodes where there is a device.

mod backend;
pub mod failover;
mod fingerprint;
mod judge;
#[cfg(any(feature = "vulkan-video", feature = "nvenc"))]
mod nv12;
#[cfg(all(feature = "nvenc", target_os = "linux", target_pointer_width = "64"))]
mod nvenc;
mod planes;
pub mod probe;
mod remembered;
#[cfg(test)]
mod scripted;
#[cfg(feature = "vulkan-video")]
mod vulkan;
mod worker;

pub use backend::{Backend, UnknownBackend};
pub use failover::FailoverEncoder;
pub use fingerprint::{driver_fingerprint, installed};
pub use probe::{Probe, Verdict};
pub use remembered::{Choice, Remembered};
