//! Sans-IO feedback, congestion control, pacing and the frame budget.
//!
//! Delay is the controlled quantity: a [`Controller`] learns from receive timestamps how long
//! datagrams wait in queues, and bounds the bytes in flight so that the wait stays short. The
//! [`Pacer`] spreads those bytes over time. Nothing here reads a clock; `now_us` is an argument.
#![forbid(unsafe_code)]

mod carried;
mod controller;
mod delay;
mod fixed;
mod gcc;
mod pacer;
mod queue;
mod rivals;
mod scream;
#[cfg(test)]
mod trial;
mod window_min;

use controller::MAX_RTT_US;
pub use controller::{Controller, MAX_SAMPLES, Report, Sample};
pub use delay::DelayController;
pub use fixed::FixedController;
pub use gcc::GccController;
pub use pacer::Pacer;
pub use scream::ScreamController;

/// How many bytes the next update may take: what the window leaves when `outstanding_bytes` are
/// in flight or queued already.
pub fn frame_budget_bytes(controller: &dyn Controller, outstanding_bytes: u64) -> u64 {
    controller.window_bytes().saturating_sub(outstanding_bytes)
}
